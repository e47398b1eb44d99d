"""The parts of `scripts/dead_letters.py`: listing, showing, replaying and accepting what the stream refused."""

DONE, NOT_ALL, UNREACHABLE, UNUSABLE = 0, 1, 75, 78
"""Exit codes; argparse's own for wrong usage is 2."""
