"""Hard gates: rules that say no to a deployment, whatever its score. Parsed from what `config/policy.toml` holds.

What a gate says is in the risk record and nowhere else: no state and no table depends on the policy, so a rebuild under
another policy gives the same. Models read no files: the composition root reads it and passes its content and name.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from vigia.events.feedback import Severity
from vigia.events.risk import Gate
from vigia.models.risk.context import DAY, Incident, Service, open_incidents

Positive = Annotated[float, msgspec.Meta(gt=0)]


class PolicyError(ValueError):
    """A key or value that no gate knows; the message names the file and the key."""


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    enabled: bool = True


class OpenIncident(_Strict, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """No deployment of a service that has an open incident in the same environment."""

    severities: tuple[Severity, ...] = ("P0", "P1")
    forgotten_after_days: Positive = 7.0
    """An incident that has been open for longer counts as forgotten: it is not open, and takes no error budget, since
    nobody knows when it ended."""


class SchemaMigration(_Strict, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """No deployment that migrates a schema unless all of it is behind a feature flag."""


class ErrorBudget(_Strict, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """No deployment of a service whose error budget is spent: by what the event says of it, else by the time for which
    incidents of the service were open.
    """

    availability: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.999
    """Share of the time without an incident that is aimed at."""
    window_days: Positive = 28.0
    severities: tuple[Severity, ...] = ("P0", "P1")


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of the file for each gate; what is left out has the default."""

    open_incident: OpenIncident = OpenIncident()
    schema_migration: SchemaMigration = SchemaMigration()
    error_budget: ErrorBudget = ErrorBudget()


def parse_policy(content: Mapping[str, object], source: str) -> Policy:
    """Return the policy in `content`, read from the file `source`.

    >>> parse_policy({"error_budget": {"availability": 0.99}}, "policy.toml").error_budget.availability
    0.99
    >>> parse_policy({"error_budget": {"availability": 99}}, "policy.toml")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    vigia.models.risk.policy.PolicyError: policy.toml: ... - at `$.error_budget.availability`
    """
    try:
        return msgspec.convert(content, Policy)
    except msgspec.ValidationError as error:
        raise PolicyError(f"{source}: {error}") from error


def gates(
    policy: Policy,
    service: Service | None,
    environment: str,
    at: float,
    *,
    migrates: bool,
    flagged: bool,
    error_budget: float | None,
) -> list[Gate]:
    """Return the gates that say no to a deployment at `at` (epoch seconds).

    `migrates` and `flagged` are what is known of the change, `error_budget` the share that the event says is left.
    """
    found = []
    oldest = at - policy.open_incident.forgotten_after_days * DAY
    if policy.open_incident.enabled and service is not None:
        found += [
            Gate(
                name="open_incident",
                reason=f"incident {each.name} ({each.severity}) is open since {_minute(each.opened)}",
            )
            for each in open_incidents(service, environment, at)
            if each.severity in policy.open_incident.severities and each.opened >= oldest
        ]
    if policy.schema_migration.enabled and migrates and not flagged:
        found.append(
            Gate(name="schema_migration", reason="it migrates a schema, and is not known to be behind a feature flag")
        )
    if policy.error_budget.enabled:
        known = [
            each
            for each in (service.incidents.values() if service is not None else ())
            if each.environment == environment and (each.resolved is not None or each.opened >= oldest)
        ]
        found += _error_budget(policy.error_budget, known, at, error_budget)
    return found


def _error_budget(budget: ErrorBudget, incidents: list[Incident], at: float, left: float | None) -> list[Gate]:
    if left is not None:
        told = f"the sender says that {left:.0%} of the error budget is left"
        return [Gate(name="error_budget", reason=told)] if left <= 0.0 else []
    window = budget.window_days * DAY
    allowed = (1.0 - budget.availability) * window
    spent = _open_for([each for each in incidents if each.severity in budget.severities], at - window, at)
    if spent < allowed:
        return []
    reason = (
        f"incidents were open for {spent / 60.0:.0f} minutes in {budget.window_days:g} days; "
        f"{budget.availability:.4%} availability allows {allowed / 60.0:.0f}"
    )
    return [Gate(name="error_budget", reason=reason)]


def _open_for(incidents: list[Incident], start: float, end: float) -> float:
    """Return the seconds in [start, end] in which at least one of the incidents was open."""
    spans = sorted((max(each.opened, start), end if each.resolved is None else each.resolved) for each in incidents)
    total, until = 0.0, start
    for opened, resolved in spans:
        stop = min(resolved, end)
        total += max(stop - max(opened, until), 0.0)
        until = max(until, stop)
    return total


def _minute(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
