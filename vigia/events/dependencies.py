"""What services depend on, by time: the part of the catalog that says which problems may have one cause.

A dependency is a name: a service that Vigia knows, or a database, a queue, or somebody else's API that sends nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vigia.events.dated import DatedNames
from vigia.events.names import check_name

MAX_DEPENDENCIES = 16
"""Most things that one service may depend on directly: each of its problems is told to all of them."""


@dataclass(frozen=True)
class Dependencies:
    """What services depend on directly."""

    services: DatedNames[tuple[str, ...]] = field(default_factory=DatedNames)

    def of(self, service: str, at: float) -> tuple[str, ...]:
        """Return what `service` depends on at the epoch time `at`."""
        # a pattern may take in what its services depend on
        return tuple(name for name in self.services.at(service, at) or () if name != service)

    def known_dependents(self, name: str, at: float) -> int:
        """Return how many services are known to depend on `name` at the epoch time `at`; of patterns nobody knows."""
        return sum(name in (dated.at(at) or ()) for dated in self.services.names.values())

    def names(self) -> frozenset[str]:
        """Return everything that something has ever depended on."""
        return frozenset(name for names in self.services.values() for name in names)


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
