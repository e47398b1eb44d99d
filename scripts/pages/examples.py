"""A valid record for each type of event, as a sender would write it; a test decodes them all."""

from typing import Any

from vigia.events.ai_decisions import AIDecision
from vigia.events.dead_letter import DeadLetter, encode_body
from vigia.events.deployments import Deployment, deployment_id
from vigia.events.drift import Drift
from vigia.events.feedback import (
    AttributionCorrected,
    ChangeMerged,
    DecisionFeedback,
    IncidentOpened,
    IncidentResolved,
    Outcome,
    PipelineRun,
)
from vigia.events.identity import derive_id
from vigia.events.mutes import Muted, MuteLifted
from vigia.events.problem_links import DependentProblem, ProblemGrouped
from vigia.events.problems import Problem
from vigia.events.remediation import Execution, ExecutionResult, Proposal, Verdict
from vigia.events.risk import Risk
from vigia.events.samples import Sample

_NOON = "2026-01-31T12:00:00Z"
_NOON_SECONDS = 1769860800.0
_SERIES = derive_id("series", "checkout", "production", "error_rate")
_PROBLEM = derive_id("problem", _SERIES, "high_error_rate", "1")
_SHARED = derive_id("problem", derive_id("series", "orders-db", "production", "shared_dependency"), "1")
_PROPOSAL = derive_id("proposal", _PROBLEM, "rollback")
_EXECUTION = derive_id("execution", _PROPOSAL, "2")

EXAMPLES: dict[type, Any] = {
    Deployment: {
        "type": "deployment",
        "source": "ci.example.com",
        "external_id": "build-4711",
        "service": "checkout",
        "stage": "started",
        "at": _NOON,
        "version": "2.14.0",
        "runs": ["https://ci.example.com/runs/981"],
        "commits": [{"sha": "9fceb02d0ae598e95dc970b74767f19372d61af8", "committed_at": "2026-01-30T16:20:00+01:00"}],
        "features": {"la": 120, "ld": 14, "nf": 6, "ndev": 3, "schema_migration": 1},
    },
    Outcome: {
        "type": "deployment.outcome",
        "source": "ci.example.com",
        "external_id": "build-4711",
        "service": "checkout",
        "failed": True,
        "label": "intervention",
        "reason": "rolled back by hand",
        "at": "2026-01-31T12:40:00Z",
    },
    IncidentOpened: {
        "type": "incident.opened",
        "source": "pager.example.com",
        "external_id": "INC-204",
        "service": "checkout",
        "severity": "P1",
        "title": "card payments fail",
        "deployments": [["ci.example.com", "build-4711"]],
        "at": "2026-01-31T12:10:00Z",
    },
    IncidentResolved: {
        "type": "incident.resolved",
        "source": "pager.example.com",
        "external_id": "INC-204",
        "service": "checkout",
        "at": "2026-01-31T12:45:00Z",
    },
    PipelineRun: {
        "type": "pipeline.run",
        "source": "ci.example.com",
        "external_id": "run-981",
        "service": "checkout",
        "status": "failed",
        "names": ["https://ci.example.com/runs/981"],
        "at": "2026-01-31T12:08:00Z",
    },
    ChangeMerged: {
        "type": "change.merged",
        "source": "git.example.com",
        "external_id": "9fceb02d0ae598e95dc970b74767f19372d61af8",
        "service": "checkout",
        "names": ["https://ci.example.com/runs/981"],
        "at": "2026-01-31T11:20:00Z",
    },
    AttributionCorrected: {
        "type": "attribution.corrected",
        "source": "pager.example.com",
        "external_id": "INC-204",
        "service": "checkout",
        "by": "ada@example.com",
        "deployment": ["ci.example.com", "build-4709"],
        "reason": "the certificate came with the release before",
        "at": "2026-02-02T09:00:00Z",
    },
    DecisionFeedback: {
        "type": "decision.feedback",
        "agent": "review-bot",
        "decision_id": "review-88",
        "judgement": "incorrect",
        "judge": "person",
        "by": "ada@example.com",
        "at": "2026-01-31T15:00:00Z",
    },
    Sample: [
        {"service": "checkout", "metric": "error_rate", "unit": "1", "ts": _NOON, "value": 0.01},
        {
            "service": "checkout",
            "metric": "requests_total",
            "kind": "counter",
            "unit": "1",
            "labels": {"region": "eu"},
            "points": [[_NOON_SECONDS, 48211], [_NOON_SECONDS + 10, 48390]],
        },
    ],
    AIDecision: {
        "type": "decision",
        "agent": "review-bot",
        "decision_id": "review-88",
        "decision_type": "code-review",
        "decision": "approve",
        "confidence": 0.83,
        "execution_time": 412.5,
        "model_version": "3",
        "reference": "build-4711",
        "at": _NOON,
    },
    Problem: {
        "type": "problem",
        "problem_id": _PROBLEM,
        "service": "checkout",
        "detector": "high_error_rate",
        "severity": "P1",
        "status": "open",
        "opened_at": _NOON_SECONDS + 60,
        "at": _NOON_SECONDS + 120,
        "why": "error_rate was above 0.05 for 2 windows",
        "series_id": _SERIES,
        "metric": "error_rate",
        "evidence": {"mean": 0.24, "limit": 0.05},
    },
    Muted: {
        "type": "mute",
        "mute_id": "move-of-the-database",
        "service": "checkout",
        "from": _NOON,
        "until": "2026-01-31T14:00:00Z",
        "at": _NOON,
        "by": "maria",
        "reason": "the database is moved",
        "metric": "db_*",
    },
    MuteLifted: {
        "type": "mute.lifted",
        "mute_id": "move-of-the-database",
        "service": "checkout",
        "at": "2026-01-31T13:10:00Z",
        "by": "maria",
        "reason": "it is done",
    },
    DependentProblem: {
        "type": "problem.of.dependent",
        "service": "orders-db",
        "dependent": "checkout",
        "problem_id": _PROBLEM,
        "detector": "high_error_rate",
        "severity": "P1",
        "status": "open",
        "opened_at": _NOON_SECONDS + 60,
        "at": _NOON_SECONDS + 120,
        "version": 1,
    },
    ProblemGrouped: {
        "type": "problem.grouped",
        "service": "checkout",
        "problem_id": _PROBLEM,
        "part_of": _SHARED,
        "version": 1,
        "at": _NOON_SECONDS + 180,
    },
    Verdict: {
        "type": "verdict",
        "proposal_id": _PROPOSAL,
        "proposal_version": 1,
        "service": "checkout",
        "decision": "approve",
        "by": "ada@example.com",
        "at": "2026-01-31T12:05:00Z",
    },
    ExecutionResult: {
        "type": "execution.result",
        "execution_id": _EXECUTION,
        "service": "checkout",
        "status": "succeeded",
        "at": "2026-01-31T12:06:30Z",
    },
    Risk: {
        "type": "risk",
        "deployment_id": deployment_id("ci.example.com", "build-4711"),
        "source": "ci.example.com",
        "external_id": "build-4711",
        "service": "checkout",
        "scope": "payments",
        "probability": 0.31,
        "label": "intervention",
        "model": "bayes-logistic-1",
        "learned_from": 240,
        "at": _NOON_SECONDS,
        "base_log_odds": -1.9,
        "interval": [0.24, 0.39],
        "usual": 0.19,
        "decision": ["ok", "fail"],
        "error_level": 0.1,
        "gates": [{"name": "open_incident", "reason": "incident pager.example.com/9 (P1) is open since 11:20 UTC"}],
        "contributions": [
            {"feature": "la", "value": 420, "log_odds": 1.1, "words": "lines added (420 lines): raises the risk"}
        ],
        "advice": [
            {"feature": "la", "words": "Deploy it in smaller parts: half as many lines added", "probability": 0.24}
        ],
        "track_record": {"judged": 57, "right": 0.81, "base_rate": 0.19},
    },
    Drift: {
        "type": "model.drift",
        "scope": "payments",
        "kind": "missing",
        "feature": "tests_passed_pct",
        "before": 0.02,
        "now": 0.55,
        "why": "share of tests that passed: 55 % of recent deployments lack it, normal were 2 %",
        "at": _NOON_SECONDS,
        "number": 3,
    },
    Proposal: {
        "type": "proposal",
        "proposal_id": _PROPOSAL,
        "problem_id": _PROBLEM,
        "service": "checkout",
        "action": "rollback",
        "severity": "P1",
        "status": "proposed",
        "at": _NOON_SECONDS + 120,
        "expires_at": _NOON_SECONDS + 3720,
        "why": "error_rate rose within 2 minutes of version 2.14.0",
        "parameters": {"to_version": "2.13.2"},
        "evidence": {"mean": 0.24, "limit": 0.05},
    },
    Execution: {
        "type": "execution",
        "execution_id": _EXECUTION,
        "proposal_id": _PROPOSAL,
        "service": "checkout",
        "action": "rollback",
        "parameters": {"to_version": "2.13.2"},
        "at": _NOON_SECONDS + 300,
        "deadline": _NOON_SECONDS + 900,
    },
    DeadLetter: {
        "type": "dead-letter",
        "letter_id": derive_id("dead-letter", "4L6g3nShT-eMCtK--X86sw", "metrics", "2", "1042", "0"),
        "reason": "not_seconds",
        "detail": "ts is 1769860800000: looks like epoch milliseconds or finer; send epoch seconds or RFC 3339",
        "cluster": "4L6g3nShT-eMCtK--X86sw",
        "topic": "metrics",
        "partition": 2,
        "offset": 1042,
        "position": 0,
        "at": _NOON_SECONDS,
        "body": encode_body(b'{"service":"checkout","metric":"error_rate","ts":1769860800000,"value":0.01}'),
        "body_size": 76,
    },
}
