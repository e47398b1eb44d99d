"""`vigia problems`: what detectors have found, as a table or JSON."""
