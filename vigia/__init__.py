"""Vigia watches software delivery as a stream. The package imports nothing here, so that each room loads alone."""
