"""The day series of a report, for pictures: UTC days, those on which nothing happened left out."""

from collections import Counter, defaultdict
from datetime import UTC, datetime

import msgspec

from vigia.events import dora
from vigia.events.dora_facts import Facts
from vigia.models.dora.failures import Failures
from vigia.models.dora.intervals import median_rank


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """One day. Times are medians in seconds; lead times come only where they were asked for day by day."""

    day: str
    """Such as 2026-01-31."""
    deployments: int
    """Deliveries to production."""
    failed: int
    """Of the deployments finished on this day, those that an incident is attributed to or that needed intervention."""
    rework: int
    excluded: int
    """Deployments that are no deliveries."""
    lead_time: float | None = None
    commits: int = 0
    recovery_time: float | None = None
    incidents: int = 0
    """Incidents opened on this day that a deployment caused and that are resolved."""


def days_of(facts: Facts, incidents: Failures) -> list[Day]:
    """Return the days of the window, ascending."""
    production = facts.question.environments
    deployments, failed, rework, excluded = Counter[int](), Counter[int](), Counter[int](), Counter[int]()
    for each in facts.counts:
        if each.environment in production and not each.excluded:
            deployments[each.day] += each.count
        else:
            excluded[each.day] += each.count
        if each.environment in production and each.intervention == 1 and each.excluded in {"", dora.FAILED}:
            failed[each.day] += each.count
    failed.update(int(each.at // dora.DAY) for each in incidents.failed.values() if each.intervention != 1)
    rework.update(int(each.at // dora.DAY) for each in incidents.rework.values())
    lead = {each.day: each for each in facts.lead_times.days}
    recovered: defaultdict[int, list[float]] = defaultdict(list)
    for recovery in incidents.recoveries:
        recovered[int(recovery.opened_at // dora.DAY)].append(recovery.seconds)
    return [
        Day(
            day=datetime.fromtimestamp(day * dora.DAY, UTC).date().isoformat(),
            deployments=deployments[day],
            failed=failed[day],
            rework=rework[day],
            excluded=excluded[day],
            lead_time=lead[day].median if day in lead else None,
            commits=lead[day].n if day in lead else 0,
            recovery_time=_median(recovered[day]) if day in recovered else None,
            incidents=len(recovered.get(day, ())),
        )
        for day in sorted({*deployments, *failed, *excluded, *lead, *recovered})
    ]


def _median(values: list[float]) -> float:
    return sorted(values)[median_rank(len(values)) - 1]
