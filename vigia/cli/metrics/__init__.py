"""`vigia metrics`: what the series of a service were like over time, as a table, JSON or a picture."""
