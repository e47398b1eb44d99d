"""`vigia feedback`: labels that contradict each other, and senders that said too much."""
