"""From the arguments of `vigia emit` to the event, checked as the worker would check it.

`now` is in epoch seconds. Every function raises InvalidEvent with a sentence for a value that cannot be sent.
"""

from argparse import Namespace
from collections.abc import Callable
from typing import Any

import msgspec

from vigia.cli.emit.origin import Origin
from vigia.events.ai_decisions import AIDecision
from vigia.events.base import Event
from vigia.events.deployments import ChangeFeatures, Deployment
from vigia.events.feedback import (
    AttributionCorrected,
    DecisionFeedback,
    Feedback,
    IncidentOpened,
    IncidentResolved,
    Outcome,
)
from vigia.events.identity import derive_id
from vigia.events.invalid import InvalidEvent, Reason
from vigia.events.samples import Sample, series_of
from vigia.events.signing import sign
from vigia.events.topic import Topic
from vigia.feeds.git.checkout import Brought
from vigia.settings import EmitSettings
from vigia.topics import AI_DECISIONS, DEPLOYMENTS, FEEDBACK, METRICS

Built = tuple[Topic, Event]


def deployment(options: Namespace, origin: Origin, commit: str, brought: Brought | None, now: float) -> Deployment:
    """Return the event of a deployment of `commit` (its id, or empty)."""
    return Deployment(
        source=options.source or origin.source,
        external_id=options.id or origin.external_id(commit, options.service, options.environment),
        service=options.service,
        environment=options.environment,
        scope=options.scope,
        version=options.version or commit,
        stage=options.stage,
        status=options.status or "",
        kind=options.does,
        at=_at(options, now),
        commits=list(brought.commits) if brought else [],
        features=_features(options.feature),
        runs=[*origin.runs, *options.run],
        event_id=options.event_id,
    )


def outcome(options: Namespace, origin: Origin, commit: str, now: float) -> Built:
    """Return what came of a deployment."""
    return FEEDBACK, Outcome(
        source=options.source or origin.source,
        external_id=options.id or origin.external_id(commit, options.service, options.environment),
        failed=options.failed,
        label=options.label,
        by=options.by,
        reason=options.reason,
        **_common(options, now),
    )


def judgement(options: Namespace, _origin: Origin, now: float) -> Built:
    """Return a judgement on an AI agent's decision; it is sent to where decisions are."""
    event = DecisionFeedback(
        agent=options.agent,
        decision_id=options.decision_id,
        judgement=options.judgement,
        judge=options.judge,
        by=options.by,
        reason=options.reason,
        at=_at(options, now),
        event_id=options.event_id,
    )
    return AI_DECISIONS, event


def incident(options: Namespace, origin: Origin, now: float) -> Built:
    """Return the beginning or the end of an incident."""
    named = {"source": options.source or origin.source, "external_id": options.id, **_common(options, now)}
    if options.resolved:
        return FEEDBACK, IncidentResolved(**named, environment=options.environment)
    event = IncidentOpened(
        **named,
        environment=options.environment,
        severity=options.severity,
        title=options.title,
        deployments=options.deployment,
        links=options.link,
    )
    return FEEDBACK, event


def attribution(options: Namespace, origin: Origin, now: float) -> Built:
    """Return which deployment a person says caused an incident, or that none did."""
    event = AttributionCorrected(
        source=options.source or origin.source,
        external_id=options.id,
        by=options.by,
        reason=options.reason,
        deployment=options.deployment,
        **_common(options, now),
    )
    return FEEDBACK, event


def metric(options: Namespace, _origin: Origin, now: float) -> Built:
    """Return a measured value. The same value of the same series at the same time is one, however often it is sent."""
    sample = Sample(
        service=options.service,
        environment=options.environment,
        metric=options.metric,
        value=options.value,
        ts=_at(options, now),
        unit=options.unit,
        kind="counter" if options.counts else "gauge",
        labels=dict(options.label) or None,
        event_id=options.event_id,
    )
    # names and labels are checked once a series, not by each sample
    series = series_of(sample)
    named = options.event_id or derive_id("emitted-sample", series.series_id, repr(sample.ts), repr(sample.value))
    return METRICS, msgspec.structs.replace(sample, event_id=named)


def ai_decision(options: Namespace, _origin: Origin, now: float) -> Built:
    """Return a decision of an AI agent."""
    event = AIDecision(
        agent=options.agent,
        decision_id=options.decision_id,
        decision_type=options.decision_type,
        decision=options.decision,
        at=_at(options, now),
        confidence=options.confidence,
        execution_time=options.execution_time,
        model_version=options.model_version,
        reference=options.reference,
        event_id=options.event_id,
    )
    return AI_DECISIONS, event


def said_by(event: Event, settings: EmitSettings) -> Event:
    """Return a feedback with its sender, and signed with the sender's key, as far as settings have them; anything else
    as it is.
    """
    if not isinstance(event, Feedback):
        return event
    if settings.sender:
        event = msgspec.structs.replace(event, sender=settings.sender)
    return sign(event, settings.key.reveal().encode()) if settings.key else event


SIMPLE: dict[str, Callable[[Namespace, Origin, float], Built]] = {
    "judgement": judgement,
    "incident": incident,
    "attribution": attribution,
    "metric": metric,
    "ai-decision": ai_decision,
}
"""The kinds that need nothing of a checkout."""


def topic_of(event: Deployment) -> Built:
    """Return a deployment with its topic."""
    return DEPLOYMENTS, event


def _at(options: Namespace, now: float) -> float:
    at: float = now if options.at is None else options.at
    return at


def _common(options: Namespace, now: float) -> dict[str, Any]:
    return {
        "scope": options.scope,
        "service": options.service,
        "at": _at(options, now),
        "event_id": options.event_id,
    }


def _features(pairs: list[tuple[str, str]]) -> ChangeFeatures | None:
    if not pairs:
        return None
    values = {}
    for name, text in pairs:
        if name not in ChangeFeatures.__struct_fields__:
            known = ", ".join(ChangeFeatures.__struct_fields__)
            raise InvalidEvent(Reason.BAD_NAME, f"there is no feature {name!r}; there are {known}")
        try:
            values[name] = float(text)
        except ValueError:
            raise InvalidEvent(Reason.WRONG_TYPE, f"feature {name} is {text!r}: not a number") from None
    return ChangeFeatures(**values)
