"""The guard against poisoned feedback: who may label what, and how much a day."""
