"""Why a rebuild cannot go on."""


class RebuildStopped(Exception):
    """A person must look: the raw log, the live database and this release do not fit together; the message says how."""


class TryAgain(Exception):
    """Nothing is wrong, but not now: the live database moves, or the rebuild is not as far as it."""
