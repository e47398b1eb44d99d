"""A proposal as what it is to telemetry: the decision of an AI agent, and verdicts as people's feedback on it.

An approval says that the fix is right for the problem, a denial that it is not. A proposal that lapses or is withdrawn
was judged by nobody: silence is no answer.
"""

from vigia.events.ai_decisions import AIDecision
from vigia.events.feedback import OWN_SENDER, DecisionFeedback
from vigia.events.identity import derive_id
from vigia.events.remediation import Proposal, Verdict

AI_DECISIONS = "ai-decisions"
"""The topic that decisions and feedback on them are published on."""

AGENT = "vigia.remediation"
"""The name under which Vigia's proposals are measured."""


def decision(proposal: Proposal) -> AIDecision:
    """Return the decision that a new proposal is. It names no confidence: none is computed."""
    return AIDecision(
        agent=AGENT,
        decision_id=proposal.proposal_id,
        decision_type="proposal",
        decision=proposal.action,
        at=proposal.at,
        reference=proposal.problem_id,
    )


def judged(verdict: Verdict) -> DecisionFeedback:
    """Return what a verdict says of its proposal."""
    return DecisionFeedback(
        service=verdict.service,
        agent=AGENT,
        decision_id=verdict.proposal_id,
        judgement="correct" if verdict.decision == "approve" else "incorrect",
        judge="person",
        at=verdict.at,
        by=verdict.by,
        reason=verdict.reason,
        sender=OWN_SENDER,
        event_id=derive_id("proposal-judged", verdict.service, verdict.identity),
    )
