"""A score in [0, 1] for every value of any series: how surprising it is beside the series' own past."""
