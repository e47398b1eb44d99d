"""The errors of the stores: what is retried, what means another owner, and everything else.

    StoreError
    ├── Transient    retried with backoff, up to the retry budget, then exit code 75
    ├── Conflict     the lane is another worker's now: drop the batch, do not acknowledge
    ├── UnknownOutcome  a COMMIT whose answer was lost: read the lane again, it may have happened
    └── Unusable     wrong credentials or settings: exit code 78 with an explanation
        └── NoSchema the schema is missing or older than this release: the same, and a command mends it

Any other exception is a bug and ends the process with exit code 70. `vigia/stores/mysql.py`, `sqlite.py` and
`cassandra/driver_errors.py` list which driver errors become which.
"""


class StoreError(Exception):
    """Base of the errors that a store raises on purpose."""


class Transient(StoreError):
    """The store cannot answer now; the same call may succeed later. Nothing was committed."""


class UnknownOutcome(StoreError):
    """The connection broke during COMMIT: the transaction may or may not have happened."""


class Conflict(StoreError):
    """The lane's version is not the expected one: somebody else owns it."""


class Unusable(StoreError):
    """The store answers, but cannot be used as it is set up; the message says what to do."""


class NoSchema(Unusable):
    """The schema is missing, or older than this release: it was not migrated yet."""
