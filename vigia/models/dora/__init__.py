"""Delivery metrics (DORA): which facts lanes write of deployments and incidents, and what a report makes of them."""
