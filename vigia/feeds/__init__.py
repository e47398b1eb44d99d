"""Sources of real and recorded events, for demonstrations and backfill."""
