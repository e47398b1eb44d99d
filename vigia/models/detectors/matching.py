"""Which series an override or a mute is about."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

import msgspec

from vigia.events.samples import Series


class Match(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Series by name: each field is a pattern with * for any characters; labels that are named must be there.

    >>> shop = Series("id", "shop-eu", "production", "error_rate", (("zone", "a"),), "gauge", "1")
    >>> Match(service="shop-*", labels={"zone": "a"}).matches(shop), Match(metric="latency").matches(shop)
    (True, False)
    """

    service: str = "*"
    environment: str = "*"
    metric: str = "*"
    labels: dict[str, str] = {}

    def matches(self, series: Series) -> bool:
        """Return whether it is about `series`."""
        if not (
            fnmatchcase(series.service, self.service)
            and fnmatchcase(series.environment, self.environment)
            and fnmatchcase(series.metric, self.metric)
        ):
            return False
        return labels_match(series, self.labels)


def labels_match(series: Series, patterns: Mapping[str, str]) -> bool:
    """Return whether `series` has all labels that `patterns` name, each with a value of its pattern."""
    has = dict(series.labels)
    return all(name in has and fnmatchcase(has[name], pattern) for name, pattern in patterns.items())


def labels_in_words(patterns: Mapping[str, str]) -> str:
    """Return label patterns as people read them.

    >>> labels_in_words({"zone": "a*", "host": "db1"})
    'host=db1,zone=a*'
    """
    return ",".join(f"{name}={pattern}" for name, pattern in sorted(patterns.items()))
