"""How the events of one deployment, in any order, make one state and one summary row."""

from math import inf

from vigia.events.deployments import Deployment
from vigia.events.feedback import Label, Outcome, sender_of
from vigia.events.summaries import DeploymentSummary
from vigia.models.deployments.states import Answer, DeploymentState

_STAGES = ("", "planned", "started", "finished")


_TOLD = ("service", "environment", "version", "kind")
"""What several events of a deployment may tell differently."""


def advance(state: DeploymentState, event: Deployment) -> None:
    """Bring `state` up to `event`: whatever order events come in, and however often, they make the same state.

    The stage never goes back. Of several events of one stage the earliest time counts, but for `finished`: there the
    latest end and its status do, since a tool that tries again ends twice. Service, environment, version and kind are
    those of the latest event that names them (of two at one time, the greater text).
    """
    state.scope = state.scope or event.scope
    state.told = state.told or [-inf] * len(_TOLD)
    for index, field in enumerate(_TOLD):
        value = getattr(event, field)
        if value and (event.at, value) > (state.told[index], getattr(state, field)):
            state.told[index] = event.at
            setattr(state, field, value)
    state.stage = max(state.stage, event.stage, key=_STAGES.index)
    if event.stage == "planned":
        state.planned_at = _earliest(state.planned_at, event.at)
    elif event.stage == "started":
        state.started_at = _earliest(state.started_at, event.at)
    elif state.finished_at is None or (event.at, event.status) > (state.finished_at, state.status):
        state.finished_at, state.status = event.at, event.status


def settle(answers: dict[Label, Answer], outcome: Outcome) -> bool:
    """Put `outcome` among the answers; return whether the answer of its kind is new or another one, or since
    another time.

    Later is what was said later by the event's own time: a correction that overtakes what it corrects stays. Of two
    said at the same time the one that arrives last counts.
    """
    held = answers.get(outcome.label)
    if held is not None and outcome.at < held.said:
        return False
    since = outcome.since
    if since is None:
        since = held.since if held is not None and outcome.failed == held.failed else outcome.at
    answers[outcome.label] = Answer(outcome.failed, since, outcome.at, sender_of(outcome))
    return held is None or (outcome.failed, since) != (held.failed, held.since)


def fails(state: DeploymentState, outcome: Outcome) -> bool:
    """Keep that a failure was told; return whether it is the first of its kind. Unlike what `settle` keeps, it stands,
    in whatever order answers come.
    """
    if not outcome.failed:
        return False
    since = outcome.at if outcome.since is None else outcome.since
    held = state.failures.get(outcome.label)
    state.failures[outcome.label] = since if held is None else min(held, since)
    return held is None


def summary(deployment_id: str, state: DeploymentState) -> DeploymentSummary:
    """Return the row of a scored deployment. Where kinds of label disagree, a failure counts, then the latest
    answer.
    """
    label, answer = max(
        state.outcomes.items(), key=lambda item: (item[1].failed, item[1].since, item[0]), default=("", None)
    )
    return DeploymentSummary(
        deployment_id=deployment_id,
        source=state.source,
        external_id=state.external_id,
        scope=state.scope,
        service=state.service,
        environment=state.environment,
        version=state.version,
        stage=state.stage,
        status=state.status,
        planned_at=state.planned_at,
        started_at=state.started_at,
        finished_at=state.finished_at,
        risk=state.risk,
        model=state.model,
        outcome="" if answer is None else word(answer.failed),
        outcome_label=label,
        outcome_at=None if answer is None else answer.since,
        commits=state.commits,
        kind=state.kind or "deployment",
    )


def word(failed: bool) -> str:  # noqa: FBT001 - it is what the word says
    """Return an answer as rows have it."""
    return "failed" if failed else "succeeded"


def _earliest(held: float | None, at: float) -> float:
    return at if held is None else min(held, at)
