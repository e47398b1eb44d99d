"""Summary rows: what models write for people and pages to read. One Struct is one table of the summaries' database.

A field is a column of the same name. `store/sql/tables.py` maps each Struct to its table, and a test holds them
together. The lane that owns a row's key is the only writer of the row. They are one file since they are one list, to be
read as the description of the database.
"""

from typing import ClassVar

import msgspec


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the summary rows; `primary_key` names the fields that identify a row."""

    primary_key: ClassVar[tuple[str, ...]]


class SeriesSummary(Summary, frozen=True, kw_only=True):
    """One row a series: what its id stands for."""

    primary_key: ClassVar = ("series_id",)
    series_id: str
    service: str
    environment: str
    metric: str
    labels: str
    """`name=value` pairs, sorted, joined by commas."""
    kind: str
    unit: str
    first_seen: float
    """Event time of the first sample, in epoch seconds."""


class WindowRow(Summary, frozen=True, kw_only=True):
    """What a window [start, start + length) of a series holds, of any length; there is none for a span without samples.

    `start` is in epoch seconds, a multiple of the length.
    """

    primary_key: ClassVar = ("series_id", "start")
    series_id: str
    start: int
    count: int
    sum: float
    min: float
    max: float
    sketch: bytes
    """Encoded quantile sketch with 1 % relative error; see `vigia/models/windows/totals.py`."""
    late: int
    """How many of `count` came after their window had closed."""


class WindowSummary(WindowRow, frozen=True, kw_only=True):
    """One row a closed window, corrected by late samples within retention."""


class HourSummary(WindowRow, frozen=True, kw_only=True):
    """One row an hour: its windows merged when it is over, and again when late samples have corrected them."""


class DaySummary(WindowRow, frozen=True, kw_only=True):
    """One row a day (UTC): its hours merged, as hours are of windows."""


class KeptSummary(Summary, frozen=True, kw_only=True):
    """One row a service: from when on its windows, hours and days are kept, in epoch seconds of their starts.

    Older ones may be deleted at any time, and nothing that is kept depends on them.
    """

    primary_key: ClassVar = ("service",)
    service: str
    windows_from: int
    hours_from: int
    days_from: int


class DeploymentSummary(Summary, frozen=True, kw_only=True):
    """One row a deployment and scope, over all its events and outcomes.

    The scope is part of the key because it decides the lane: a deployment that is told of under two scopes (its service
    changed teams meanwhile, or a sender is wrong) has a row in each, and none of the two lanes writes the other's.
    """

    primary_key: ClassVar = ("deployment_id", "scope")
    deployment_id: str
    source: str
    external_id: str
    scope: str
    service: str
    environment: str
    version: str
    stage: str
    """The latest stage reached: planned, started, finished."""
    status: str
    planned_at: float | None
    started_at: float | None
    finished_at: float | None
    risk: float | None
    """The probability given at its first stage, in [0, 1]."""
    model: str
    outcome: str
    """`failed`, `succeeded`, or empty while none is known."""
    outcome_label: str
    outcome_at: float | None
    commits: int
    kind: str = "deployment"
    """What it did: deployment, rollback, publication, removal."""


class IncidentSummary(Summary, frozen=True, kw_only=True):
    """One row an incident and scope; see `DeploymentSummary`."""

    primary_key: ClassVar = ("incident_id", "scope")
    incident_id: str
    source: str
    external_id: str
    scope: str
    service: str
    environment: str
    severity: str
    title: str
    opened_at: float | None
    resolved_at: float | None


class DeliverySummary(Summary, frozen=True, kw_only=True):
    """One row a deployment and scope: what the delivery metrics count of it, or why they do not count it.

    Which environments are production is decided when it is read.
    """

    primary_key: ClassVar = ("deployment_id", "scope")
    deployment_id: str
    scope: str
    service: str
    environment: str
    at: float
    """When it was finished, else when it reached its latest stage (epoch seconds)."""
    day: int
    """The day of `at`, since 1970 in UTC: what deployments are counted by."""
    exposed_at: float | None
    """From when it may have touched users; None for what brings no change, or was not finished."""
    excluded: str
    """Why it is no delivery (`vigia/events/dora.py` has the reasons), or empty."""
    intervention: int | None
    """Whether people or tools said that it needed intervention: 1, 0, or None while nobody did."""
    listed: int
    """Whether it came with its commits: 1 or 0."""
    exposed_day: int | None
    """The day of `exposed_at`, since 1970: incidents look for deployments on a few days."""


class DeliveredCommitSummary(Summary, frozen=True, kw_only=True):
    """One row a commit, service and environment: when it first ran there, whichever deployments brought it."""

    primary_key: ClassVar = ("commit_id",)
    commit_id: str
    """Derived from scope, service, environment and sha."""
    scope: str
    service: str
    environment: str
    sha: str
    deployment_id: str
    """The first deployment that brought it; empty while none has."""
    delivered_at: float | None
    committed_at: float | None
    lead_time: float | None
    """Seconds from commit to delivery, where both are known and in this order."""
    lead_class: int | None
    """The class of the lead time (`vigia.events.dora.lead_class`): quantiles are found by counting classes."""
    carriers: str
    """JSON: of each deployment that listed it [id, when it was delivered or null, when the commit was made or null]."""


class AttributionSummary(Summary, frozen=True, kw_only=True):
    """One row each time somebody says how an incident and a deployment belong together. Rows are never replaced: a
    correction stands beside what it corrects.
    """

    primary_key: ClassVar = ("attribution_id", "scope")
    attribution_id: str
    scope: str
    incident_id: str
    deployment_id: str
    """Empty where a correction says that no deployment caused the incident."""
    kind: str
    """linked (the incident names its cause), corrected (a person does), resolves (the deployment names the incident
    that it was made for).
    """
    at: float
    """When it was said (epoch seconds)."""
    by: str
    reason: str


class ProblemSummary(Summary, frozen=True, kw_only=True):
    """One row a problem, in its latest version."""

    primary_key: ClassVar = ("problem_id",)
    problem_id: str
    service: str
    environment: str
    series_id: str
    metric: str
    detector: str
    severity: str
    status: str
    opened_at: float
    at: float
    why: str
    version: int


class ProblemGroupSummary(Summary, frozen=True, kw_only=True):
    """One row for each problem that is, or was, taken for a consequence of another one."""

    primary_key: ClassVar = ("problem_id", "part_of")
    problem_id: str
    part_of: str
    """The problem with the common cause."""
    service: str
    """Of the first of them."""
    at: float
    """When it was decided."""
    released: int
    """1: it stands for itself again; it was not over when too few others were left."""
    version: int
    """Of the other problem, by which it was decided."""


class MuteSummary(Summary, frozen=True, kw_only=True):
    """One row a mute that a person sent as an event; it stays when the mute is over."""

    primary_key: ClassVar = ("service", "mute_id")
    service: str
    mute_id: str
    environment: str
    """A pattern, as `metric` is."""
    metric: str
    labels: str
    """`name=pattern` pairs, sorted, joined by commas."""
    detectors: str
    """Joined by commas; empty for all."""
    since: float
    until: float
    """When it ends (epoch seconds): earlier than was wanted if it was lifted, and before `since` if it never began."""
    by: str
    reason: str
    lifted_by: str
    """Empty unless somebody lifted it before its end."""


class ProposalSummary(Summary, frozen=True, kw_only=True):
    """One row a proposal, in its latest version."""

    primary_key: ClassVar = ("proposal_id",)
    proposal_id: str
    problem_id: str
    service: str
    environment: str
    action: str
    severity: str
    status: str
    at: float
    expires_at: float
    why: str
    version: int
    deployment_id: str | None = None
    """The deployment before its problem, where one was known when it was first proposed."""
    after: str | None = None
    """How long after which deployment the problem opened, in a few words."""


class AIDecisionSummary(Summary, frozen=True, kw_only=True):
    """One row a decision of an AI agent."""

    primary_key: ClassVar = ("agent", "decision_id")
    agent: str
    decision_id: str
    decision_type: str
    decision: str
    at: float
    confidence: float | None
    execution_time: float | None
    """Milliseconds."""
    model_version: str
    reference: str


class AIDecisionTally(Summary, frozen=True, kw_only=True):
    """Counts of an AI agent's decisions of one type, day and bin of confidence, as far as `judge` has judged them.

    All columns behind the key add up over any rows. Sums are whole numbers, so that no order and no correction changes
    their last bit. A feedback counts on the day of its decision.
    """

    primary_key: ClassVar = ("start", "agent", "decision_type", "bin", "judge")
    start: int
    """Of the day (UTC) in which the decisions were made: epoch seconds."""
    agent: str
    decision_type: str
    bin: int
    """The bin of confidence, from 0 to 19; -1 for decisions without one."""
    judge: str
    """Who has judged: `all` counts every decision, judged or not; `person` and `outcome` those they have judged; `any`
    those that either has, a person's word over an outcome's; `both` those that both have, `correct` where they agree.
    """
    decisions: int
    correct: int
    partly: int
    confidence: int
    """The sum of confidences, in billionths."""
    squared_error: int
    """The sum of (confidence - 1 if correct else 0)^2, in billionths."""


class AIDecisionTimes(Summary, frozen=True, kw_only=True):
    """How long an AI agent's decisions of one type and day took, those that say so; rows are merged by adding up."""

    primary_key: ClassVar = ("start", "agent", "decision_type")
    start: int
    """As in `AIDecisionTally`."""
    agent: str
    decision_type: str
    count: int
    total: int
    """Microseconds."""
    sketch: bytes
    """Encoded quantile sketch of milliseconds, with 1 % relative error."""


class ContradictionSummary(Summary, frozen=True, kw_only=True):
    """One row a label that says otherwise than what was said before of the same deployment or AI decision, in the order
    of arrival.
    """

    primary_key: ClassVar = ("contradiction_id", "record_key")
    contradiction_id: str
    """Derived from what is said of what, and the id of the event that says it."""
    record_key: str
    """The team, or the AI agent."""
    kind: str
    """outcome (of a deployment) or judgement (on an AI decision)."""
    source: str
    """What names the deployment, or the AI agent."""
    external_id: str
    """The deployment's name there, or the decision's."""
    service: str
    """Empty where it is not known."""
    label: str
    """Of which kind both are: a kind of failure, or of judge."""
    sender: str
    """Who says otherwise."""
    said: str
    at: float
    """When that was said (epoch seconds), as `other_at` is."""
    other_sender: str
    """Who had said something before."""
    other: str
    other_at: float
    stands: str
    """What counts in reports from then on: what was said last by its own time."""
    told_at: float
    """The Kafka time at which it was found (epoch seconds)."""


class SenderSurplusSummary(Summary, frozen=True, kw_only=True):
    """One row a day on which a sender's entry said more than it may: how much was refused for it."""

    primary_key: ClassVar = ("day", "counted_by", "record_key", "sender")
    day: int
    """Since 1970, in UTC, by the records' Kafka time."""
    counted_by: str
    """Of what it was counted: `scope` or `agent`."""
    record_key: str
    """The team or AI agent."""
    sender: str
    """The entry in the rules, as dead letters name it."""
    a_day: int
    surplus: int


class VerdictSummary(Summary, frozen=True, kw_only=True):
    """One row a person's answer to a proposal, as received; nothing acts on it yet."""

    primary_key: ClassVar = ("verdict_id",)
    verdict_id: str
    proposal_id: str
    proposal_version: int
    service: str
    decision: str
    by: str
    at: float
    reason: str


SUMMARIES: tuple[type[Summary], ...] = (
    SeriesSummary,
    WindowSummary,
    HourSummary,
    DaySummary,
    KeptSummary,
    DeploymentSummary,
    IncidentSummary,
    ProblemSummary,
    ProblemGroupSummary,
    MuteSummary,
    ProposalSummary,
    AIDecisionSummary,
    AIDecisionTally,
    AIDecisionTimes,
    VerdictSummary,
    DeliverySummary,
    DeliveredCommitSummary,
    AttributionSummary,
    SenderSurplusSummary,
    ContradictionSummary,
)
"""Every summary table, in the order in which a step writes them."""
