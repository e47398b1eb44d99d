"""What a person asks of a running installation: how it is (`scripts/status.py`)."""
