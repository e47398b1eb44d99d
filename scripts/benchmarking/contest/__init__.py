"""One windowed job, the same input, side by side: Vigia's metrics agent, a bare loop, and other stream processors."""
