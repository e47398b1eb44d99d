"""Deployment risk: features of a change, and the online model that turns them into a probability of failure."""
