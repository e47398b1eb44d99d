"""What a scope learns: from outcomes, from silence, and of the drift of its models and inputs.

A failure is learned when it is told, or later where too few clean outcomes can be known yet (`young.py`); that nothing
failed is learned when that is told or when the waiting time of the kind has passed. Of contradicting answers a failure
stands, in whatever order they come: one that is told after "clean" is learned as the difference, "clean" beside a
failure teaches nothing (the summary shows what was said last). Silence says something only about kinds of which
failures are told: a team that reports no interventions is not one without them. It says nothing of `ci_status`, which
CI tells either way.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType

from vigia.events.drift import Drift
from vigia.events.feedback import Label
from vigia.models.deployments import own_decisions, young
from vigia.models.deployments.scoring import untaught
from vigia.models.deployments.states import DeploymentState, ScopeState
from vigia.models.risk import bayes, context, drift, prior
from vigia.models.risk.catalog import BY_NAME
from vigia.models.risk.encoding import encode
from vigia.models.risk.explanation import shown

IN_TIME: Mapping[Label, float] = MappingProxyType({"defect": bayes.IN_TIME, "intervention": 0.95, "ci_status": 1.0})
"""Share of the failures of each kind that are told of within the waiting time. Defects lie hidden for long; who had to
intervene knows it within days, and CI says what it says at once."""

JUDGED_FROM = (10, 30)
"""Failures and clean outcomes that a model must know before its loss is watched: failures become known sooner, so at
first there is nothing else."""


def learn(scope: ScopeState, state: DeploymentState, label: Label, at: float, *, failed: bool) -> Drift | None:
    """Let the scope learn what came of a scored deployment, as became known at `at`; return an alarm over the loss.

    It is told again of a failure when the deployment is no longer young.
    """
    if not failed and label in state.failures:
        return None
    if failed and not state.failed:
        state.failed = True
        context.failed(scope.context, state.service, at, state.authors)
    earlier = state.lessons.get(label)
    if failed and earlier is None and young.waits(scope, state, label):
        return None
    model = scope.models.get(label)
    if model is None:
        model = scope.models[label] = bayes.new_state(prior.load())
    columns = encode(state.values)
    if label not in state.said:
        # the model of this kind is younger than the deployment: until it was taught it said what the prior says
        first = bayes.score(untaught(), columns)
        state.said[label] = first.raw, first.probability
    raw, probability = state.said[label]
    state.lessons[label] = bayes.learn(model, columns, raw, failed=failed, earlier=earlier, in_time=IN_TIME[label])
    if label == state.label:
        _judge(scope, state, label, earlier, failed=failed)
    failures, clean = scope.told.get(label, (0, 0))
    if earlier is None:
        scope.told[label] = (failures + failed, clean + (not failed))
        return _watch_loss(scope, state.scope, label, probability, at, failed=failed)
    if failed and earlier.target < 1.0:
        scope.told[label] = (failures + 1, clean - 1)
    return None


def by_silence(scope: ScopeState, state: DeploymentState, label: Label) -> bool:
    """Return whether a deployment is clean of this kind of failure, now that the waiting time has passed."""
    if label in state.lessons or label in state.outcomes:
        return False
    waiting = scope.young.get(label)
    return scope.told.get(label, (0, 0))[0] > 0 or (waiting is not None and waiting.failed > 0)


def watch_inputs(scope: ScopeState, state: DeploymentState) -> list[Drift]:
    """Take in the features of a scored deployment; return an alarm for each that has changed."""
    return [
        _alarm(scope, state.scope, alarm, state.scored_at) for alarm in drift.watch_inputs(scope.levels, state.values)
    ]


def _judge(
    scope: ScopeState, state: DeploymentState, label: Label, earlier: bayes.Lesson | None, *, failed: bool
) -> None:
    right = own_decisions.called(state) == failed
    if earlier is None or state.unjudged:
        state.unjudged = failed and young.one_sided(scope, state, label)
        if state.unjudged:
            return
        context.judge(scope.context, state.service, right=right, failed=failed)
    elif failed and earlier.target < 1.0:
        context.judge_again(scope.context, state.service, right=right)


def _watch_loss(
    scope: ScopeState, name: str, label: Label, probability: float, at: float, *, failed: bool
) -> Drift | None:
    if any(had < least for had, least in zip(scope.told[label], JUDGED_FROM, strict=True)):
        return None
    watch = scope.losses.get(label)
    if watch is None:
        watch = scope.losses[label] = drift.Loss()
    alarm = drift.watch_loss(watch, probability, failed=failed)
    if alarm is None:
        return None
    return _alarm(scope, name, alarm, at, label)


def _alarm(scope: ScopeState, name: str, alarm: drift.Alarm, at: float, label: Label | None = None) -> Drift:
    scope.alarms += 1
    return Drift(
        scope=name,
        kind=alarm.kind,
        label=label,
        feature=alarm.feature,
        before=alarm.before,
        now=alarm.now,
        why=_why(alarm, label),
        at=at,
        number=scope.alarms - 1,
    )


def _why(alarm: drift.Alarm, label: Label | None) -> str:
    if alarm.kind == "loss":
        return (
            f"the model for {label} is more often wrong than it says: its mean log loss is {alarm.now:.3f}, and it "
            f"expected {alarm.before:.3f} ({alarm.distance:.1f} standard deviations)"
        )
    what = BY_NAME[alarm.feature].definition
    if alarm.kind == "missing":
        return f"{what}: {alarm.now:.0%} of recent deployments lack it, {alarm.before:.0%} was normal"
    before, now = (shown(alarm.feature, math.expm1(value)) for value in (alarm.before, alarm.now))
    return f"{what}: recently about {now}, {before} was normal ({alarm.distance:+.1f} standard deviations)"
