"""Every topic, one row each: what it carries, under which key, for how long, who writes it and who reads it.

`docs/topics.md` and the access lists are made from these rows. A reader whose name ends in `-agent` runs inside the
worker and writes to what it reads, too: ticks, and records that are sent again under their right key. Topics with
`formats` take other tools' payloads, and what such a payload has for another of them is sent on there.
"""

from vigia.events.ai_decisions import AIDecision
from vigia.events.dead_letter import DeadLetter
from vigia.events.deployed import Deployed
from vigia.events.deployments import Deployment
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
from vigia.events.mutes import Muted, MuteLifted
from vigia.events.problem_links import DependentProblem, ProblemGrouped
from vigia.events.problems import Problem
from vigia.events.remediation import Execution, ExecutionResult, Proposal, Verdict
from vigia.events.risk import Risk
from vigia.events.samples import Sample
from vigia.events.topic import DAY, Topic

PARTITIONS = 4
"""Partitions of every topic: topics that one agent reads together must have the same number."""

FOR_EVER = -1

PRINCIPALS: dict[str, str] = {
    "deployments-agent": "scores deployments and learns from what came of them; runs in the worker",
    "metrics-agent": "aggregates samples and finds problems; runs in the worker",
    "telemetry-agent": "measures AI agents; runs in the worker",
    "remediation-agent": "makes proposals and follows them; runs in the worker",
    "executor": "carries out approved fixes; a process of its own with the rights to do so",
    "ci": "build and delivery tools",
    "webhooks": "the HTTP intake for tools that cannot write to Kafka",
    "monitoring": "collectors of metrics",
    "ai-agents": "automated deciders whose decisions are measured",
    "approvers": "people who may answer proposals and mute services, and the pages they do it in",
    "gates": "deployment gates that ask for the risk",
    "people": "people looking for themselves, and the command line",
    "tools": "dashboards, ticket systems and other programs",
}
"""Everyone who writes or reads, and what they are."""

DEPLOYMENTS = Topic(
    name="deployments",
    key="scope",
    types=(Deployment,),
    partitions=PARTITIONS,
    retention=30 * DAY,
    retention_reason="few records; covers a long outage of the raw log",
    written_by=("ci", "webhooks", "tools", "metrics-agent"),
    read_by=("deployments-agent",),
    purpose="Changes reaching an environment, in stages.",
    formats=True,
)

FEEDBACK = Topic(
    name="feedback",
    key="scope",
    types=(
        Outcome,
        IncidentOpened,
        IncidentResolved,
        PipelineRun,
        ChangeMerged,
        AttributionCorrected,
        DecisionFeedback,
    ),
    partitions=PARTITIONS,
    retention=30 * DAY,
    retention_reason="as deployments, whose lane it shares",
    written_by=("ci", "webhooks", "tools", "people", "metrics-agent"),
    read_by=("deployments-agent",),
    purpose="What came of deployments, incidents, corrections, and judgements on AI decisions.",
    formats=True,
)

METRICS = Topic(
    name="metrics",
    key="service",
    types=(Sample,),
    partitions=PARTITIONS,
    retention=3 * DAY,
    retention_reason="most of all bytes; a weekend's outage, and the raw log has what is older",
    written_by=("monitoring", "webhooks", "metrics-agent", "deployments-agent"),
    read_by=("metrics-agent",),
    purpose="Samples of metrics, single or packed; each worker's own figures among them, as the service `vigia`.",
    formats=True,
)

MUTES = Topic(
    name="mutes",
    key="service",
    types=(Muted, MuteLifted),
    partitions=PARTITIONS,
    retention=30 * DAY,
    retention_reason="few records; covers a long outage of the raw log",
    written_by=("approvers",),
    read_by=("metrics-agent",),
    purpose="People keep problems of a service from opening for a while, and lift that again.",
)

AI_DECISIONS = Topic(
    name="ai-decisions",
    key="agent",
    types=(AIDecision, DecisionFeedback),
    partitions=PARTITIONS,
    retention=14 * DAY,
    retention_reason="covers an outage of two weeks",
    written_by=("ai-agents", "deployments-agent", "remediation-agent"),
    read_by=("telemetry-agent",),
    purpose="Decisions of AI agents, Vigia's own among them, and the judgements on them (sent on from feedback).",
)

PROBLEMS = Topic(
    name="problems",
    key="service",
    types=(Problem,),
    partitions=PARTITIONS,
    retention=14 * DAY,
    retention_reason="a problem older than two weeks is not acted on",
    written_by=("metrics-agent", "remediation-agent"),
    read_by=("remediation-agent", "people", "tools"),
    purpose="What detectors found, with evidence, and when it was over.",
)

PROBLEM_LINKS = Topic(
    name="problem-links",
    key="service",
    types=(DependentProblem, ProblemGrouped),
    partitions=PARTITIONS,
    retention=14 * DAY,
    retention_reason="as problems, whose lane it shares",
    written_by=("remediation-agent",),
    read_by=("remediation-agent",),
    purpose="What lanes tell each other of problems that may have one cause.",
)

DEPLOYED = Topic(
    name="deployed",
    key="service",
    types=(Deployed,),
    partitions=PARTITIONS,
    retention=14 * DAY,
    retention_reason="as problems, whose lane it shares",
    written_by=("deployments-agent",),
    read_by=("remediation-agent",),
    purpose="Deployments that have ended, for the lanes that propose fixes of their services' problems.",
)

VERDICTS = Topic(
    name="verdicts",
    key="service",
    types=(Verdict,),
    partitions=PARTITIONS,
    retention=14 * DAY,
    retention_reason="as problems, whose lane it shares; who approved what is kept in audit",
    written_by=("approvers",),
    read_by=("remediation-agent",),
    purpose="People's answers to proposals.",
)

EXECUTION_RESULTS = Topic(
    name="execution-results",
    key="service",
    types=(ExecutionResult,),
    partitions=PARTITIONS,
    retention=14 * DAY,
    retention_reason="as problems, whose lane it shares",
    written_by=("executor",),
    read_by=("remediation-agent",),
    purpose="What the executor reports of each execution.",
)

RISK = Topic(
    name="risk",
    key="service",
    types=(Risk,),
    partitions=PARTITIONS,
    retention=30 * DAY,
    retention_reason="a gate asks within hours; not compacted, since a service has many deployments under its key",
    written_by=("deployments-agent",),
    read_by=("ci", "gates", "people", "tools"),
    purpose="The probability that a deployment fails, and why.",
)

DRIFT = Topic(
    name="drift",
    key="scope",
    types=(Drift,),
    partitions=PARTITIONS,
    retention=90 * DAY,
    retention_reason="few records; somebody who wonders why scores changed looks back a quarter",
    written_by=("deployments-agent",),
    read_by=("people", "tools"),
    purpose="Alarms: a risk model is more often wrong than it says, or what it is told of deployments has changed.",
)

APPROVALS = Topic(
    name="approvals",
    key="service",
    types=(Proposal,),
    partitions=PARTITIONS,
    retention=30 * DAY,
    retention_reason="proposals lapse after hours; a month shows what was offered lately",
    written_by=("remediation-agent",),
    read_by=("approvers", "people", "tools"),
    purpose="Proposals that wait for a verdict, and each change of their status.",
)

EXECUTIONS = Topic(
    name="executions",
    key="service",
    types=(Execution,),
    partitions=PARTITIONS,
    retention=1 * DAY,
    retention_reason="an order has a deadline; an executor that was away longer must not find it at all",
    written_by=("remediation-agent",),
    read_by=("executor",),
    purpose="Orders to carry out the action of an approved proposal.",
)

REMEDIATIONS = Topic(
    name="remediations",
    key="service",
    types=(),
    partitions=PARTITIONS,
    retention=90 * DAY,
    retention_reason="a quarter, for reviews",
    written_by=("remediation-agent",),
    read_by=("people", "tools"),
    purpose="What was done about a problem and whether it helped.",
)

VERDICT_REFUSALS = Topic(
    name="verdict-refusals",
    key="service",
    types=(),
    partitions=PARTITIONS,
    retention=30 * DAY,
    retention_reason="somebody who wonders where an answer went asks within days",
    written_by=("remediation-agent",),
    read_by=("approvers", "people", "tools"),
    purpose="Verdicts that did not count, and why.",
)

AUDIT = Topic(
    name="audit",
    key="service",
    types=(),
    partitions=PARTITIONS,
    retention=FOR_EVER,
    retention_reason="who decided and did what is never deleted; few records",
    written_by=("deployments-agent", "metrics-agent", "telemetry-agent", "remediation-agent", "executor"),
    read_by=("people", "tools"),
    purpose="Who decided and did what.",
)

CDEVENTS = Topic(
    name="cdevents",
    key="service",
    types=(),
    partitions=PARTITIONS,
    retention=14 * DAY,
    retention_reason="a feed for other tools, which keep what they need",
    written_by=("deployments-agent", "metrics-agent", "remediation-agent"),
    read_by=("tools",),
    purpose="What Vigia knows, in the CDEvents format.",
)

DEAD_LETTERS = Topic(
    name="dead-letters",
    # the topic it came from: what cannot be decoded has no service
    key="topic",
    types=(DeadLetter,),
    partitions=PARTITIONS,
    retention=30 * DAY,
    retention_reason="time for a person to look, mend the sender and replay; the originals stay in the raw log",
    written_by=("deployments-agent", "metrics-agent", "telemetry-agent", "remediation-agent"),
    read_by=("people", "tools"),
    purpose="Events that were refused: why, and where the original lies.",
)

TOPICS: tuple[Topic, ...] = (
    DEPLOYMENTS,
    FEEDBACK,
    METRICS,
    MUTES,
    AI_DECISIONS,
    PROBLEMS,
    PROBLEM_LINKS,
    DEPLOYED,
    VERDICTS,
    EXECUTION_RESULTS,
    RISK,
    DRIFT,
    APPROVALS,
    EXECUTIONS,
    REMEDIATIONS,
    VERDICT_REFUSALS,
    AUDIT,
    CDEVENTS,
    DEAD_LETTERS,
)

BY_NAME: dict[str, Topic] = {topic.name: topic for topic in TOPICS}
