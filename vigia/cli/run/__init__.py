"""`vigia run`: broker, workers and feeds started together, watched, and ended together."""
