"""A made-up year of deliveries, and how fast reports on it answer: `python -m scripts.delivery URL`."""
