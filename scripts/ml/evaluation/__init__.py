"""How good risk models are on recorded projects: reading them, playing them in time
order, the models to compare, figures.
"""
