"""Where things are kept: raw events in a log, summaries and state in SQL, behind the protocols of `base`."""
