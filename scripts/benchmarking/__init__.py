"""Measurements of the running system; results and how to repeat them are in `docs/benchmarks.md`."""
