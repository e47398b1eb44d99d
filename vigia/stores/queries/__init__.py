"""What screens and reports read, one question a file. Each is bounded, and answered from an index."""
