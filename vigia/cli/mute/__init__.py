"""`vigia mute`: keeps problems of a service from opening for a while, lifts that, and lists what is muted."""
