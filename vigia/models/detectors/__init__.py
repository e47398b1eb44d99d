"""Detectors: pure functions of state and closed window that say when something is wrong, and when it is over."""
