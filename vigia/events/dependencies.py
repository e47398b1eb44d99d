"""What services depend on, by time: the part of the catalog that says which problems may have one cause.

A dependency is a name: a service that Vigia knows, or a database, a queue, or somebody else's API that sends nothing.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from vigia.events.names import check_name

MAX_DEPENDENCIES = 16
"""Most things that one service may depend on directly: each of its problems is told to all of them."""


@dataclass(frozen=True)
class DatedNames:
    """What something depends on, by time: `names[i]` from `since[i]` (epoch seconds, ascending) on."""

    since: tuple[float, ...]
    names: tuple[tuple[str, ...], ...]

    def holds(self, time: float) -> bool:
        """Return whether anything is said for `time`: whether it is not before the first date."""
        return bool(self.since) and self.since[0] <= time

    def at(self, time: float) -> tuple[str, ...]:
        """Return the names at `time`; none before the first date."""
        index = bisect_right(self.since, time)
        return self.names[index - 1] if index else ()


@dataclass(frozen=True)
class Dependencies:
    """What services depend on directly. As with owners, a service's own entry wins over patterns, a longer pattern over
    a shorter one; before its first date an entry says nothing, and the next one counts.
    """

    services: Mapping[str, DatedNames] = field(default_factory=dict)
    patterns: tuple[tuple[str, DatedNames], ...] = ()

    def of(self, service: str, at: float) -> tuple[str, ...]:
        """Return what `service` depends on at the epoch time `at`."""
        own = self.services.get(service)
        if own is None or not own.holds(at):
            matching = (dated for pattern, dated in self.patterns if dated.holds(at) and fnmatchcase(service, pattern))
            own = next(matching, None)
        # a pattern may take in what its services depend on
        return tuple(name for name in own.at(at) if name != service) if own is not None else ()

    def known_dependents(self, name: str, at: float) -> int:
        """Return how many services are known to depend on `name` at the epoch time `at`; of patterns nobody knows."""
        return sum(name in dated.at(at) for dated in self.services.values())

    def names(self) -> frozenset[str]:
        """Return everything that something has ever depended on."""
        every = (*self.services.values(), *(dated for _, dated in self.patterns))
        return frozenset(name for dated in every for names in dated.names for name in names)


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


def dependencies_of(entries: Mapping[str, Mapping[float, tuple[str, ...]]]) -> Dependencies:
    """Return the dependencies in entries: by service or pattern, by the date from which each holds."""
    dated = {
        name: DatedNames(tuple(sorted(dates)), tuple(dates[at] for at in sorted(dates)))
        for name, dates in entries.items()
    }
    patterns = sorted((name for name in dated if "*" in name), key=lambda name: (-len(name), name))
    return Dependencies(
        services={name: names for name, names in dated.items() if "*" not in name},
        patterns=tuple((name, dated[name]) for name in patterns),
    )
