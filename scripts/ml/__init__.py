"""Short entry points around the risk model: evaluation, and the selection of recorded data."""
