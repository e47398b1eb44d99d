"""Why a metric has no value: in words that say what to send, for each of the five."""

from collections.abc import Mapping
from datetime import UTC, datetime

from vigia.events import dora
from vigia.events.dora_facts import Facts
from vigia.models.dora.levels import MetricName

_INCIDENT_REASONS = {
    dora.NO_SERVICE,
    dora.NO_DEPLOYMENT,
    dora.UNKNOWN_DEPLOYMENT,
    dora.DEPLOYED_LATER,
    dora.CORRECTED_TO_NONE,
    dora.OTHER_SERVICE,
    dora.NOT_OPENED,
}
"""Reasons of incidents, which do not explain why there is no deployment."""


def why_empty(metric: MetricName, excluded: Mapping[str, int], facts: Facts) -> str:
    """Return why a metric with nothing to count has no value, and what was left out instead."""
    if metric == "failed_deployment_recovery_time":
        return _sentence("no resolved incident in this window is attributed to a deployment", excluded)
    if metric == "change_lead_time":
        if not _any_delivery(facts):
            return _no_delivery(facts)
        return _sentence("no commit with its time was delivered first in this window", excluded)
    of_deployments = {reason: count for reason, count in excluded.items() if reason not in _INCIDENT_REASONS}
    return _sentence(_no_delivery(facts), of_deployments)


def _any_delivery(facts: Facts) -> bool:
    return any(each.environment in facts.question.environments and not each.excluded for each in facts.counts)


def _no_delivery(facts: Facts) -> str:
    whose = "anybody" if facts.question.of == "all" else f"{facts.question.of} {facts.question.name!r}"
    production = " or ".join(facts.question.environments)
    if facts.earliest is None:
        elsewhere = sorted({each.environment for each in facts.counts} - set(facts.question.environments))
        hint = f"; deployments went to {', '.join(elsewhere)}" if elsewhere else ""
        return f"no deployment of {whose} to {production} was ever told to have succeeded{hint}"
    day = datetime.fromtimestamp(facts.earliest, UTC).date().isoformat()
    return f"no deployment of {whose} to {production} succeeded in this window (the first ever did on {day})"


def _sentence(start: str, excluded: Mapping[str, int]) -> str:
    left_out = [f"{count:,} {dora.MEANINGS[reason]}" for reason, count in sorted(excluded.items()) if count]
    return start + (f". Left out: {'; '.join(left_out)}" if left_out else "")
