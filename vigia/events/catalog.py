"""The catalog: which team owns a service, since when, what the service depends on, and the team's organisation.

Pure data: it takes the parsed content of `config/catalog.toml` and reads no file. Ownership is dated, so that events of
the past keep the team that owned the service then.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from difflib import get_close_matches
from math import inf
from typing import Any, NamedTuple

from vigia.events.dated import Dated, DatedNames
from vigia.events.dependencies import Dependencies, depends_on
from vigia.events.invalid import InvalidEvent
from vigia.events.names import check_name

UNASSIGNED = "unassigned"
"""The team of services that the catalog does not know, and the organisation of teams that it does not."""

SINCE_EVER = 0.0
_FIELDS = {"service": ("name", "team", "since", "depends_on"), "team": ("name", "organisation", "since")}


class CatalogError(ValueError):
    """The catalog cannot be used; `problems` has a sentence for each reason."""

    def __init__(self, where: str, problems: list[str]) -> None:
        super().__init__(f"{where} cannot be used:\n" + "\n".join(f"  - {problem}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True)
class Catalog:
    """Services to teams, teams to organisations. A team is the *scope* whose model scores a deployment."""

    services: DatedNames[str] = field(default_factory=DatedNames)
    teams: Mapping[str, Dated[str]] = field(default_factory=dict)
    dependencies: Dependencies = field(default_factory=Dependencies)

    @classmethod
    def parse(cls, content: Mapping[str, Any], where: str = "config/catalog.toml") -> "Catalog":
        """Return the catalog from the content of a TOML file; raises CatalogError with all that is wrong."""
        problems = [
            f"there is no table [[{key}]]{_nearest(key, list(_FIELDS))}" for key in content if key not in _FIELDS
        ]
        teams = _owners(_entries(content, "team", "organisation", problems))
        entries = _entries(content, "service", "team", problems)
        services = _owners(entries)
        for name, dates in services.items():
            problems += [
                f"service {name!r} names a team without a [[team]]: {team!r}{_nearest(team, list(teams))}"
                for team in sorted(set(dates.values()) - set(teams) - {UNASSIGNED})
            ]
        if problems:
            raise CatalogError(where, problems)
        depending = {name: {at: entry.depends_on for at, entry in dates.items()} for name, dates in entries.items()}
        return cls(
            services=DatedNames.of(services),
            teams={name: Dated.of(dates) for name, dates in teams.items()},
            dependencies=Dependencies(DatedNames.of(depending)),
        )

    def scope_of(self, service: str, at: float) -> str:
        """Return the team that owned `service` at the epoch time `at`, or `unassigned`."""
        return self.services.at(service, at) or UNASSIGNED

    def teams_of(self, organisation: str) -> list[tuple[str, float, float]]:
        """Return the teams that ever belonged to `organisation`, with the epoch times from when and until when."""
        return [
            (team, -inf if since == SINCE_EVER else since, until)
            for team, dated in sorted(self.teams.items())
            for owner, since, until in zip(dated.values, dated.since, (*dated.since[1:], inf), strict=True)
            if owner == organisation
        ]

    def organisations(self) -> list[str]:
        """Return the names of all organisations."""
        return sorted({owner for dated in self.teams.values() for owner in dated.values})

    def organisation_of(self, team: str, at: float) -> str:
        """Return the organisation that `team` belonged to at the epoch time `at`, or `unassigned`."""
        dated = self.teams.get(team)
        return (dated.at(at) if dated is not None else None) or UNASSIGNED


class _Entry(NamedTuple):
    owner: str
    depends_on: tuple[str, ...]


def _entries(content: Mapping[str, Any], table: str, owner: str, problems: list[str]) -> dict[str, dict[float, _Entry]]:
    """Return the entries of a table by name and date."""
    rows = content.get(table, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        problems.append(f"`{table}` must be a list of tables, each headed [[{table}]]")
        return {}
    found: dict[str, dict[float, _Entry]] = {}
    for number, row in enumerate(rows, start=1):
        place = f"[[{table}]] number {number}"
        unknown = [key for key in row if key not in _FIELDS[table]]
        problems += [f"{place} has an unknown key {key!r}{_nearest(key, list(_FIELDS[table]))}" for key in unknown]
        try:
            name, since = _name(row, "name"), _since(row)
            entry = _Entry(_name(row, owner), depends_on(row, name))
        except (ValueError, InvalidEvent) as error:
            problems.append(f"{place}: {error}")
            continue
        if table == "service" and any(character in name for character in "?["):
            problems.append(f"{place}: only * is special in a pattern, and {name!r} has ? or [")
        elif since in found.setdefault(name, {}):
            problems.append(f"{place}: {name!r} has two entries with the same `since`")
        else:
            found[name][since] = entry
    return found


def _owners(entries: Mapping[str, Mapping[float, _Entry]]) -> dict[str, dict[float, str]]:
    return {name: {at: entry.owner for at, entry in dates.items()} for name, dates in entries.items()}


def _name(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str):
        raise ValueError(f"`{key}` is missing or not text")  # noqa: TRY004 - all refusals are ValueErrors
    check_name(value, key)
    return value


def _since(row: Mapping[str, Any]) -> float:
    value = row.get("since")
    if value is None:
        return SINCE_EVER
    # a datetime is a date, so it is looked at first
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("`since` has a time without an offset: write 2026-01-31 or 2026-01-31T12:00:00Z")
        return value.timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    raise ValueError("`since` must be a date without quotes: 2026-01-31 or 2026-01-31T12:00:00Z")


def _nearest(name: str, known: list[str]) -> str:
    nearest = get_close_matches(name, known, n=1)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""
