"""The five delivery metrics of a service, a team or an organisation, made from facts.

Each value comes with n, an interval of 95 %, its level, what was left out and why, and, where there is no value, why
not. Definitions, `FORMULA_VERSION` names them:

- change lead time: from commit to the first successful deployment to production that brought it; median over commits.
- deployment frequency: successful deployments to production a day, since the first one or since the window began.
- failed deployment recovery time: from opening to resolution of incidents that a deployment caused; median.
- change fail rate: share of deployments that an incident is attributed to, or that are said to have needed
  intervention. One that failed counts only then: an incident shows that it reached users.
- deployment rework rate: share of deployments made for an incident: one that names it, or the last that began while it
  was open.
"""

from collections import Counter
from collections.abc import Iterable

import msgspec

from vigia.events import dora
from vigia.events.dora_facts import DeliveryCount, Facts
from vigia.models.dora import intervals
from vigia.models.dora.days import Day, days_of
from vigia.models.dora.emptiness import why_empty
from vigia.models.dora.failures import Failures, failures
from vigia.models.dora.levels import DoraConfig, Level, MetricName, level_of, own_level_of
from vigia.models.intervals import wilson

FORMULA_VERSION = "dora-1"
"""Raised when any definition changes."""


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One metric; `value` is None where it cannot be said, and `why_empty` says why."""

    name: MetricName
    unit: str
    """seconds, deployments a day, or share."""
    value: float | None
    n: int
    """What it is made from: commits, deployments or incidents."""
    of: str
    low: float | None
    high: float | None
    """The interval of 95 %; None where there are too few."""
    p90: float | None = None
    """For times: nine in ten took no longer."""
    count: int | None = None
    """For shares: how many of the n."""
    levels: list[Level] = []
    excluded: dict[str, int] = {}
    """How many were left out, by reason; `vigia.events.dora.MEANINGS` explains each."""
    why_empty: str = ""


class DoraReport(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. Times are epoch seconds."""

    formula_version: str
    of: str
    name: str
    since: float
    until: float
    observed_since: float | None
    """When the first delivery was, or the window began, whichever is later."""
    environments: tuple[str, ...]
    attribution_window: float
    year: int
    metrics: list[Metric]
    days: list[Day]


def report(facts: Facts, config: DoraConfig, year: int) -> DoraReport:
    """Return the report; `year` says by which of DORA's reports levels are named, one of `levels.YEARS`."""
    question = facts.question
    incidents = failures(facts)
    made = [
        _lead_time(facts),
        _frequency(facts),
        _recovery(facts, incidents),
        _fail_rate(facts, incidents),
        _rework(facts, incidents),
    ]
    return DoraReport(
        formula_version=FORMULA_VERSION,
        of=question.of,
        name=question.name,
        since=question.since,
        until=question.until,
        observed_since=_observed_since(facts),
        environments=question.environments,
        attribution_window=question.attribution_window,
        year=year,
        metrics=[_judged(each, facts, config, year) for each in made],
        days=days_of(facts, incidents),
    )


def _judged(metric: Metric, facts: Facts, config: DoraConfig, year: int) -> Metric:
    found = (level_of(metric.name, metric.value, year), own_level_of(metric.name, metric.value, config))
    return msgspec.structs.replace(
        metric,
        levels=[each for each in found if each is not None],
        excluded={reason: count for reason, count in sorted(metric.excluded.items()) if count},
        why_empty="" if metric.n else why_empty(metric.name, metric.excluded, facts),
    )


def _lead_time(facts: Facts) -> Metric:
    lead = facts.lead_times
    bare = sum(each.count for each in _delivered(facts) if not each.listed)
    return _time("change_lead_time", "commits", lead.n, lead.ranked, {**lead.excluded, dora.NO_COMMITS: bare})


def _recovery(facts: Facts, incidents: Failures) -> Metric:
    ordered = sorted(each.seconds for each in incidents.recoveries)
    excluded = Counter(incidents.excluded)
    excluded[dora.NOT_RESOLVED] = incidents.unresolved
    excluded[dora.NO_INCIDENT] = _failed(facts, incidents) - len(incidents.failed)
    ranked = {rank: ordered[rank - 1] for rank in intervals.ranks(len(ordered))}
    return _time("failed_deployment_recovery_time", "incidents", len(ordered), ranked, excluded)


def _time(name: MetricName, of: str, n: int, ranked: dict[int, float], excluded: dict[str, int]) -> Metric:
    bounds = intervals.median_interval_ranks(n)
    return Metric(
        name=name,
        unit="seconds",
        value=ranked[intervals.median_rank(n)] if n else None,
        n=n,
        of=of,
        low=ranked[bounds[0]] if bounds else None,
        high=ranked[bounds[1]] if bounds else None,
        p90=ranked[intervals.p90_rank(n)] if n else None,
        excluded=excluded,
    )


def _frequency(facts: Facts) -> Metric:
    n = sum(each.count for each in _delivered(facts))
    since = _observed_since(facts)
    # less than a day says nothing of a rate a day
    exposure = None if since is None else max(1.0, (facts.question.until - since) / dora.DAY)
    bounds = None if exposure is None else intervals.poisson_rate(n, exposure)
    return Metric(
        name="deployment_frequency",
        unit="deployments a day",
        value=None if exposure is None else n / exposure,
        n=n,
        of="deployments",
        low=bounds[0] if bounds else None,
        high=bounds[1] if bounds else None,
        excluded=_not_delivered(facts),
    )


def _fail_rate(facts: Facts, incidents: Failures) -> Metric:
    reached = sum(1 for each in incidents.failed.values() if each.excluded and each.intervention != 1)
    said = sum(each.count for each in _in_production(facts) if each.excluded == dora.FAILED and each.intervention == 1)
    excluded = _not_delivered(facts)
    excluded[dora.FAILED] -= reached + said
    n = sum(each.count for each in _delivered(facts)) + reached + said
    return _share("change_fail_rate", _failed(facts, incidents), n, excluded + incidents.excluded)


def _rework(facts: Facts, incidents: Failures) -> Metric:
    n = sum(each.count for each in _delivered(facts))
    return _share("deployment_rework_rate", len(incidents.rework), n, _not_delivered(facts))


def _share(name: MetricName, count: int, n: int, excluded: dict[str, int]) -> Metric:
    bounds = wilson(count, n)
    return Metric(
        name=name,
        unit="share",
        value=count / n if n else None,
        n=n,
        of="deployments",
        low=bounds[0] if bounds else None,
        high=bounds[1] if bounds else None,
        count=count,
        excluded=excluded,
    )


def _failed(facts: Facts, incidents: Failures) -> int:
    """Count each failed deployment once: those said to have needed intervention, and those with incidents besides."""
    said = sum(
        each.count for each in _in_production(facts) if each.intervention == 1 and each.excluded in {"", dora.FAILED}
    )
    return said + sum(1 for each in incidents.failed.values() if each.intervention != 1)


def _in_production(facts: Facts) -> Iterable[DeliveryCount]:
    return (each for each in facts.counts if each.environment in facts.question.environments)


def _delivered(facts: Facts) -> Iterable[DeliveryCount]:
    return (each for each in _in_production(facts) if not each.excluded)


def _not_delivered(facts: Facts) -> Counter[str]:
    excluded: Counter[str] = Counter()
    for each in facts.counts:
        if each.environment not in facts.question.environments:
            excluded[dora.NOT_PRODUCTION] += each.count
        elif each.excluded:
            excluded[each.excluded] += each.count
    return excluded


def _observed_since(facts: Facts) -> float | None:
    if facts.earliest is None or facts.earliest >= facts.question.until:
        return None
    return max(facts.question.since, facts.earliest)
