"""What a person asks of an installation (`scripts/status.py`), and does to its lanes (`scripts/lanes.py`)."""
