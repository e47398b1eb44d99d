"""How often Python looks for garbage while a worker works."""

import gc


def collect_rarely() -> None:
    """Look for cycles less often than by Python's default, which is every 700 allocations.

    A batch is 20,000 records that live until it is applied, and it would look at them all again and again.
    """
    gc.set_threshold(100_000, 50, 100)
