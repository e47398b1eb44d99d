"""Tumbling windows over samples: what is kept of each (count, exact sum, extremes, sketch), and when they close."""
