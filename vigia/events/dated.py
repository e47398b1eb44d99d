"""What is said of names from some date on, so that what happened before keeps what held then."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Dated(Generic[T]):
    """What holds, by time: `values[i]` from `since[i]` (epoch seconds, ascending) on."""

    since: tuple[float, ...]
    values: tuple[T, ...]

    @classmethod
    def of(cls, dates: Mapping[float, T]) -> "Dated[T]":
        """Return what holds from each of the dates on."""
        since = tuple(sorted(dates))
        return cls(since, tuple(dates[at] for at in since))

    def at(self, time: float) -> T | None:
        """Return what holds at `time`; None before the first date.

        >>> Dated.of({10.0: "before", 20.0: "after"}).at(15.0)
        'before'
        """
        index = bisect_right(self.since, time)
        return self.values[index - 1] if index else None


@dataclass(frozen=True)
class DatedNames(Generic[T]):
    """What is said of names and patterns of names (`payments-*`; only `*` is special).

    A name's own entry wins over patterns, a longer pattern over a shorter one; before its first date an entry says
    nothing, and the next one counts.
    """

    names: Mapping[str, Dated[T]] = field(default_factory=dict)
    patterns: tuple[tuple[str, Dated[T]], ...] = ()
    """The longest first."""

    @classmethod
    def of(cls, entries: Mapping[str, Mapping[float, T]]) -> "DatedNames[T]":
        """Return what entries say: by name or pattern, by the date from which each holds."""
        dated = {name: Dated.of(dates) for name, dates in entries.items()}
        patterns = sorted((name for name in dated if "*" in name), key=lambda name: (-len(name), name))
        return cls(
            names={name: each for name, each in dated.items() if "*" not in name},
            patterns=tuple((name, dated[name]) for name in patterns),
        )

    def at(self, name: str, time: float) -> T | None:
        """Return what is said of `name` at the epoch time `time`; None when nothing is."""
        own = self.names.get(name)
        found = own.at(time) if own is not None else None
        if found is not None:
            return found
        said = (dated.at(time) for pattern, dated in self.patterns if fnmatchcase(name, pattern))
        return next((each for each in said if each is not None), None)

    def values(self) -> list[T]:
        """Return everything that was ever said, of names and of patterns."""
        return [value for dated in self._every() for value in dated.values]

    def dates(self) -> tuple[float, ...]:
        """Return the epoch times from which on something else is said of anything, in order."""
        return tuple(sorted({since for dated in self._every() for since in dated.since}))

    def _every(self) -> Iterator[Dated[T]]:
        yield from self.names.values()
        yield from (dated for _, dated in self.patterns)
