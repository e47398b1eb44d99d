"""A world without a broker and databases in which the real step, lanes and timers run, in virtual time."""
