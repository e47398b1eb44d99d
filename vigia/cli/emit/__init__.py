"""`vigia emit`: sends one event, for pipelines and people, and waits for a deployment's risk."""
