"""Vigia watches software delivery as a stream. The package imports nothing here, so that each room loads alone."""

__version__ = "0.1.0"
"""The release; `pyproject.toml` says the same, and an image that holds only the code has nothing else to ask."""
