"""The detectors' limits, parsed strictly from what `config/detectors.toml` holds.

Models read no files: the composition root reads the file and passes its content and name.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from vigia.models.detectors.base import Detector
from vigia.models.detectors.database_slow_queries import DatabaseSlowQueries
from vigia.models.detectors.disk_space_low import DiskSpaceLow
from vigia.models.detectors.high_error_rate import HighErrorRate
from vigia.models.detectors.matching import Match
from vigia.models.detectors.memory_leak import MemoryLeak
from vigia.models.detectors.mutes import Mute
from vigia.models.detectors.shared_dependency import NAME as SHARED_DEPENDENCY
from vigia.models.detectors.shared_dependency import SharedDependency
from vigia.models.detectors.unusual_values import UnusualValues

_TYPES: dict[str, type[Any]] = {
    "disk_space_low": DiskSpaceLow,
    "database_slow_queries": DatabaseSlowQueries,
    "high_error_rate": HighErrorRate,
    "memory_leak": MemoryLeak,
    "unusual_values": UnusualValues,
}


class DetectorConfigError(ValueError):
    """A key or value that no detector knows; the message names the file and the key."""


class Override(Match, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Other limits of one detector for some series; what `limits` leaves out is as in the detector's table."""

    detector: str
    limits: dict[str, Any]

    def __post_init__(self) -> None:
        if self.detector not in _TYPES:
            raise ValueError(f"there is no detector {self.detector!r}; there are {', '.join(_TYPES)}")


class DetectorConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of the file for each detector; what is left out has the default."""

    problems_per_hour: int = 20
    """Most problems that one service opens in an hour."""
    mute_at_most_days: float = 14.0
    """Longest mute that is accepted as an event, in days."""
    disk_space_low: DiskSpaceLow = DiskSpaceLow()
    database_slow_queries: DatabaseSlowQueries = DatabaseSlowQueries()
    high_error_rate: HighErrorRate = HighErrorRate()
    memory_leak: MemoryLeak = MemoryLeak()
    unusual_values: UnusualValues = UnusualValues()
    shared_dependency: SharedDependency = SharedDependency()
    override: tuple[Override, ...] = ()
    """The last that matches a series counts."""
    mute: tuple[Mute, ...] = ()

    def __post_init__(self) -> None:
        if self.problems_per_hour < 1:
            raise ValueError(f"problems_per_hour is {self.problems_per_hour}: it must be at least 1")
        if not 0 < self.mute_at_most_days <= 366:  # noqa: PLR2004 - a year
            raise ValueError(f"mute_at_most_days is {self.mute_at_most_days}: it must be above 0 and at most 366")
        for number, each in enumerate(self.override, start=1):
            try:
                self._overridden(each)
            except msgspec.ValidationError as error:
                raise ValueError(f"[[override]] number {number}, of {each.detector}: {error}") from error
        for number, mute in enumerate(self.mute, start=1):
            unknown = sorted(set(mute.detectors) - {*_TYPES, SHARED_DEPENDENCY})
            if unknown:
                raise ValueError(f"[[mute]] number {number} names detectors that do not exist: {', '.join(unknown)}")

    @property
    def rules(self) -> tuple[Detector, ...]:
        """The detectors that look for one kind of problem each."""
        return (self.disk_space_low, self.database_slow_queries, self.high_error_rate, self.memory_leak)

    @property
    def names(self) -> frozenset[str]:
        """The names of all detectors of windows."""
        return frozenset(_TYPES)

    def overrides_of(self, detector: str) -> list[tuple[Match, Detector]]:
        """Return what is to be used instead of a detector, for which series; the last match counts."""
        return [(each, self._overridden(each)) for each in self.override if each.detector == detector]

    def _overridden(self, override: Override) -> Detector:
        table = msgspec.to_builtins(getattr(self, override.detector))
        changed: Detector = msgspec.convert(_merged(table, override.limits), _TYPES[override.detector])
        return changed


def parse_detectors(content: Mapping[str, object], source: str) -> DetectorConfig:
    """Return the configuration in `content`, read from the file `source`.

    >>> parse_detectors({"high_error_rate": {"open_at": 0.1}}, "detectors.toml").high_error_rate.open_at
    0.1
    >>> parse_detectors({"high_error_rate": {"opens_at": 0.1}}, "detectors.toml")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    vigia.models.detectors.config.DetectorConfigError: ...unknown field `opens_at` - at `$.high_error_rate`
    """
    try:
        return msgspec.convert(content, DetectorConfig)
    except msgspec.ValidationError as error:
        raise DetectorConfigError(f"{source}: {error}") from error


def _merged(table: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(table)
    for key, value in changes.items():
        below = result.get(key)
        result[key] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result
