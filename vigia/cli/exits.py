"""The exit codes of the `vigia` command, after sysexits.h where it has one."""

OK = 0
UNACCOUNTED = 1
"""`run --once`: something fed is not accounted for, or it took too long."""
UNUSABLE = 2
"""`emit`: its arguments, or the checkout, cannot be used; as argparse ends."""
LOOK = 10
"""`emit deployment --gate`: neither answer can be excluded: a person should look."""
FAIL = 20
"""`emit deployment --gate`: the deployment is riskier than nine in ten of those that go well."""
GATED = 30
"""`emit deployment --gate`: a rule of the policy says no, whatever the score."""
BUG = 70
"""A bug; the supervisor starts the worker again."""
TRANSIENT = 75
"""A store or the broker was away for longer than the budget; starting again later may help.
`emit`: not acknowledged, or with `--gate` no answer in time."""
NEEDS_PERSON = 78
"""Settings, schema or data need a person; starting again does not help."""
INTERRUPTED = 130
"""`run --once` was stopped before it could account for its input."""


class RunFailed(Exception):
    """The command cannot go on; the message says why and what to do, `code` is what it exits with."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code
