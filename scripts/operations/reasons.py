"""Why a person did something by hand, as an argument: it is kept with what was done."""

import argparse

LONGEST_REASON = 4_000
"""Characters."""


def reason(text: str) -> str:
    """Return the reason without spaces around it; raises argparse.ArgumentTypeError when there is none, or too much."""
    if not text.strip() or len(text) > LONGEST_REASON:
        raise argparse.ArgumentTypeError(f"a reason has 1 to {LONGEST_REASON} characters")
    return text.strip()
