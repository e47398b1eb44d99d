"""A made-up year of deliveries, and how fast its reports answer: `python -m scripts.dora_year`."""
