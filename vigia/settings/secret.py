"""Values that must not be seen: passwords, and addresses that may hold one.

Printing either shows `***`, also inside the `repr` of the settings and in a traceback's locals.
"""

import re

MASK = "***"

_SECRET_QUERY = re.compile(r"(?P<name>[?&][^=&]*(?:password|passwd|secret|token)[^=&]*=)[^&#]*", re.IGNORECASE)


class Secret:
    """A password: compared and passed on as usual, shown as `***`, and revealed only by `reveal`."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the password itself: for the client library that needs it, and nobody else."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return MASK if self._text else "''"

    __str__ = __repr__

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a secret is not pickled")


class Url(str):
    """An address that may hold a password: a plain `str` for client libraries, whose `repr` is masked.

    In messages write `masked_url(url)`: formatting a `Url` without `!r` shows all of it.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(masked_url(self))


def masked_url(url: str) -> str:
    """Return `url` with the password replaced: in its user part (which ends at the last @) and in its query.

    >>> masked_url("mysql+pymysql://vigia:se:cr@t@127.0.0.1:19306/vigia?charset=utf8mb4")
    'mysql+pymysql://vigia:***@127.0.0.1:19306/vigia?charset=utf8mb4'
    >>> masked_url("cassandra://one:9042,two:9042/vigia?password=x&tls=1")
    'cassandra://one:9042,two:9042/vigia?password=***&tls=1'
    """
    masked = str.__str__(url)
    start = masked.find("//") + 2
    at = masked.rfind("@")
    if start > 1 and at > start:
        # a password may hold / ? and #, so everything up to the last @ is taken for the user part
        colon = masked.find(":", start, at)
        if colon >= 0:
            masked = f"{masked[: colon + 1]}{MASK}{masked[at:]}"
    return _SECRET_QUERY.sub(rf"\g<name>{MASK}", masked)
