"""The one error of the stack: its text says what failed, where, and what to do about it."""


class StackError(Exception):
    """A failure that a person can act on; the command prints its text and exits 1, without a traceback."""


class AbandonedError(StackError):
    """A start given up because another server of the same command failed; not worth a message of its own."""
