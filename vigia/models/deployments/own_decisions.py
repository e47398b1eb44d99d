"""A risk score as what it is to telemetry: the decision of an AI agent, and outcomes as the feedback on it.

The decision is the plain answer: failing is called what is riskier than the mean of the latest deployments, since where
one in ten fails hardly anything is ever more likely to fail than not. Its confidence is the probability of that answer,
which is often below one half. So the Brier score that telemetry finds is that of the predicted probability. An outcome
judges scores
of its own kind of label alone: what CI says is no answer to whether somebody had to intervene.
"""

from collections.abc import Iterator

from vigia.events.ai_decisions import AIDecision
from vigia.events.feedback import OWN_SENDER, DecisionFeedback, Label
from vigia.events.identity import derive_id
from vigia.events.risk import Risk
from vigia.models.deployments.states import Answer, DeploymentState

AI_DECISIONS = "ai-decisions"
"""The topic that decisions and feedback on them are published on."""

AGENT = "vigia.risk"
"""The name under which Vigia's risk scores are measured."""

EVEN = 0.5
"""From this probability of a failure on, failing was the decision in the release before."""


def decision(risk: Risk) -> AIDecision:
    """Return the decision that a score is; pure computation, so no execution time."""
    fails = risk.usual is not None and risk.probability > risk.usual
    return AIDecision(
        agent=AGENT,
        decision_id=decision_id(risk.deployment_id, risk.scope),
        decision_type=f"deployment-risk.{risk.label}",
        decision="fail" if fails else "ok",
        at=risk.at,
        confidence=risk.probability if fails else 1.0 - risk.probability,
        model_version=risk.model,
        reference=risk.deployment_id,
    )


def judge(deployment_id: str, state: DeploymentState, label: Label, answer: Answer) -> Iterator[DecisionFeedback]:
    """Yield what an answer of this kind of label, told or left by silence, says of the deployment's score, if it is of
    the score's kind.
    """
    if state.risk is None or label != state.model.rpartition("/")[2]:
        return
    decided = decision_id(deployment_id, state.scope)
    # silence is the weakest word: whatever is told of the deployment, however late, was said after it
    at = answer.said if label in state.outcomes else max(0.0, state.scored_at - 1.0)
    yield DecisionFeedback(
        scope=state.scope,
        agent=AGENT,
        decision_id=decided,
        judgement="correct" if answer.failed == called(state) else "incorrect",
        judge="outcome",
        at=at,
        by="deployments-agent",
        sender=OWN_SENDER,
        reason=f"{label}: {'failed' if answer.failed else 'succeeded'}",
        event_id=derive_id("risk-judged", decided, str(answer.failed), repr(at)),
    )


def called(state: DeploymentState) -> bool:
    """Return whether the plain answer was that the deployment fails."""
    return state.called if state.called is not None else (state.risk or 0.0) >= EVEN


def decision_id(deployment_id: str, scope: str) -> str:
    """Return the id of the decision about a deployment as it is told under one scope."""
    return derive_id("risk-decision", deployment_id, scope)
