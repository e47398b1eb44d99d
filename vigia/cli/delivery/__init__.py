"""`vigia dora` and `vigia deployments`: what is delivered, how well, and what came of it."""
