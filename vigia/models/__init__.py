"""The pure models: events and times in, new states and effects out."""
