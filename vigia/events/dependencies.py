"""What services depend on, by time: the part of the catalog that says which problems may have one cause.

A dependency is a name: a service that Vigia knows, or a database, a queue, or somebody else's API that sends nothing.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from math import inf
from typing import Any

from vigia.events.dated import DatedNames
from vigia.events.names import check_name

MAX_DEPENDENCIES = 16
"""Most things that one service may depend on directly: each of its problems is told to all of them."""


CACHED_NAMES = 10_000
"""Names whose dependencies are remembered, each at one date of the catalog."""

CACHED_DATES = 64
"""Dates of the catalog for which it is remembered how many depend on each name."""


@dataclass(frozen=True)
class Dependencies:
    """What services depend on directly.

    A group of problems asks for the same again with each problem that comes: answers are remembered by the date from
    which on the catalog says the same, however many times are asked about.
    """

    services: DatedNames[tuple[str, ...]] = field(default_factory=DatedNames)

    def of(self, service: str, at: float) -> tuple[str, ...]:
        """Return what `service` depends on at the epoch time `at`."""
        return self._of(service, self._date(at))

    def known_dependents(self, name: str, at: float) -> int:
        """Return how many services are known to depend on `name` at the epoch time `at`; of patterns nobody knows."""
        return self._dependents(self._date(at))[name]

    def names(self) -> frozenset[str]:
        """Return everything that something has ever depended on."""
        return frozenset(name for names in self.services.values() for name in names)

    def _date(self, at: float) -> float:
        index = bisect_right(self._dates, at)
        return self._dates[index - 1] if index else -inf

    @cached_property
    def _dates(self) -> tuple[float, ...]:
        return self.services.dates()

    @cached_property
    def _of(self) -> Callable[[str, float], tuple[str, ...]]:
        @lru_cache(CACHED_NAMES)
        def of(service: str, date: float) -> tuple[str, ...]:
            # a pattern may take in what its services depend on
            return tuple(name for name in self.services.at(service, date) or () if name != service)

        return of

    @cached_property
    def _dependents(self) -> Callable[[float], Counter[str]]:
        @lru_cache(CACHED_DATES)
        def dependents(date: float) -> Counter[str]:
            return Counter(name for dated in self.services.names.values() for name in dated.at(date) or ())

        return dependents


def depends_on(row: Mapping[str, Any], service: str) -> tuple[str, ...]:
    """Return the names in the entry of a service; raises ValueError or InvalidEvent."""
    given = row.get("depends_on", [])
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise ValueError('`depends_on` must be a list of names: ["orders-db", "payments-api"]')
    names = tuple(dict.fromkeys(given))
    if len(names) > MAX_DEPENDENCIES:
        raise ValueError(f"`depends_on` has {len(names)} names; at most {MAX_DEPENDENCIES} are allowed")
    for name in names:
        check_name(name, "depends_on")
        if any(character in name for character in "*?["):
            raise ValueError(f"`depends_on` names single things, no patterns: {name!r}")
        if name == service:
            raise ValueError(f"{service!r} depends on itself")
    return names
