"""Feedback: what came of deployments, their runs and changes, incidents, corrections, and judgements on AI decisions.

All are keyed by scope. A decision's feedback travels here too and is sent on to `ai-decisions`, where its decision is.
"""

from typing import Literal

import msgspec

from vigia.events.base import DEFAULT_ENVIRONMENT, EventStruct, set_frozen
from vigia.events.deployments import check_runs, deployment_id
from vigia.events.identity import derive_id
from vigia.events.invalid import InvalidEvent, Reason
from vigia.events.names import check_name, check_optional_name, check_text
from vigia.events.times import Time, epoch_seconds

Label = Literal["intervention", "ci_status", "defect"]
"""What a failure label means: needed intervention in production, CI said so, or later found to have brought a defect.
"""

RunStatus = Literal["queued", "running", "succeeded", "failed", "cancelled", "unknown"]
"""How far a pipeline run is. Only `succeeded` and `failed` say something of what it deployed."""

Severity = Literal["P0", "P1", "P2", "P3"]
Judgement = Literal["correct", "incorrect", "partly"]
Judge = Literal["person", "outcome"]

OWN_SENDER = "vigia"
"""The sender of what Vigia itself says: what follows from a pipeline's run, what an outcome says of a risk score."""


class _Feedback(EventStruct, tag_field="type", frozen=True, kw_only=True):
    """Fields that every feedback has: `scope` (or `service`, from which the catalog knows it) and `at`."""

    at: Time
    scope: str = ""
    service: str = ""
    event_id: str = ""
    sender: str = ""
    """Who says it, by a name that `config/feedback.toml` may know; where it is absent the `source` is."""
    signature: str = ""
    """`sha256=` and the HMAC of the rest with a key of the sender's; see `docs/feedback.md`."""

    def __post_init__(self) -> None:
        for field in self.__struct_fields__:
            value = getattr(self, field)
            if isinstance(value, str) and field not in {"at", "since", "reason", "title"}:
                check_optional_name(value, field)
        for field in ("reason", "title"):
            check_text(getattr(self, field, ""), field)
        if not self.scope and not self.service:
            raise InvalidEvent(Reason.MISSING_FIELD, "feedback needs `scope` or `service`")
        set_frozen(self, "at", epoch_seconds(self.at, "at"))

    @property
    def occurred_at(self) -> float:
        """When it was found or said."""
        return self.at


class Outcome(_Feedback, tag="deployment.outcome", frozen=True, kw_only=True):
    """What came of a deployment, by one kind of label; a later one of the same kind replaces it.

    It must be sent under the scope of its deployment: under another it waits for a deployment that is told there.
    `since` is when it came to be so, at most `at`; absent, it is the time of the first that says so without another
    between.
    """

    source: str
    external_id: str
    failed: bool
    label: Label
    reason: str = ""
    by: str = ""
    since: Time | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_name(self.source, "source")
        check_name(self.external_id, "external_id")
        if self.since is not None:
            set_frozen(self, "since", epoch_seconds(self.since, "since"))
            if self.since > self.at:
                raise InvalidEvent(Reason.BAD_VALUE, "`since` lies after `at`")

    @property
    def deployment_id(self) -> str:
        """The deployment it is about."""
        return deployment_id(self.source, self.external_id)

    @property
    def identity(self) -> str:
        """The sender's id, or one from deployment, label kind, answer and time."""
        return self.event_id or derive_id(
            "outcome", self.source, self.external_id, self.label, str(self.failed), repr(self.at)
        )


class IncidentOpened(_Feedback, tag="incident.opened", frozen=True, kw_only=True):
    """Something is broken for users; `deployments` name what caused it, when that is known.

    All that is said of an incident must be sent under one scope: told under two it is two incidents.
    """

    source: str
    external_id: str
    severity: Severity = "P2"
    environment: str = DEFAULT_ENVIRONMENT
    title: str = ""
    deployments: list[tuple[str, str]] = msgspec.field(default_factory=list)
    """Deployments that are said to have caused it, as (source, external id)."""
    links: list[str] = msgspec.field(default_factory=list)
    """Addresses of tickets and dashboards."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_name(self.source, "source")
        check_name(self.external_id, "external_id")
        if len(self.deployments) > 100 or len(self.links) > 100:  # noqa: PLR2004 - a bound against abuse
            raise InvalidEvent(Reason.TOO_LARGE, "at most 100 deployments and 100 links in one incident")
        for source, external_id in self.deployments:
            check_name(source, "deployments[].source")
            check_name(external_id, "deployments[].external_id")
        for link in self.links:
            check_text(link, "links[]")

    @property
    def incident_id(self) -> str:
        """The incident's id."""
        return incident_id(self.source, self.external_id)

    @property
    def identity(self) -> str:
        """The sender's id, or one from the incident and the time: an incident may be opened again."""
        return self.event_id or derive_id("incident-opened", self.source, self.external_id, repr(self.at))


class IncidentResolved(_Feedback, tag="incident.resolved", frozen=True, kw_only=True):
    """Users are no longer affected."""

    source: str
    external_id: str
    environment: str = DEFAULT_ENVIRONMENT

    def __post_init__(self) -> None:
        super().__post_init__()
        check_name(self.source, "source")
        check_name(self.external_id, "external_id")

    @property
    def incident_id(self) -> str:
        """The incident's id."""
        return incident_id(self.source, self.external_id)

    @property
    def identity(self) -> str:
        """The sender's id, or one from the incident and the time: an incident may be reopened and resolved again."""
        return self.event_id or derive_id("incident-resolved", self.source, self.external_id, repr(self.at))


class PipelineRun(_Feedback, tag="pipeline.run", frozen=True, kw_only=True):
    """A run of a pipeline: its end is the `ci_status` outcome of the deployments that name it among their `runs`.

    It must be sent under the scope of its deployments. Of several ends of one `pipeline` (a run that was tried again,
    or several runs under one name) the latest counts; of several pipelines under one name, a failed one.
    """

    source: str
    external_id: str
    status: RunStatus
    names: list[str]
    """What deployments know it by: unique everywhere, such as the address of the run."""
    pipeline: str = ""
    """What it is a run of, as `source` knows it; runs that do not say so are of one pipeline."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_name(self.source, "source")
        check_name(self.external_id, "external_id")
        check_runs(self.names, "names")

    @property
    def identity(self) -> str:
        """The sender's id, or one from the run, its status and the time."""
        return self.event_id or derive_id("pipeline-run", self.source, self.external_id, self.status, repr(self.at))


class ChangeMerged(_Feedback, tag="change.merged", frozen=True, kw_only=True):
    """A change was merged: a commit of the deployments that name it among their `runs`, and when they were planned.

    It must be sent under the scope of its deployments.
    """

    source: str
    external_id: str
    """The change's id or commit."""
    names: list[str]
    """What deployments know it by; as of a `PipelineRun`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_name(self.source, "source")
        check_name(self.external_id, "external_id")
        check_runs(self.names, "names")

    @property
    def identity(self) -> str:
        """The sender's id, or one from the change and the time."""
        return self.event_id or derive_id("change-merged", self.source, self.external_id, repr(self.at))


class AttributionCorrected(_Feedback, tag="attribution.corrected", frozen=True, kw_only=True):
    """A person says which deployment caused an incident, or that none did (`deployment` absent)."""

    source: str
    external_id: str
    by: str
    deployment: tuple[str, str] | None = None
    """The deployment that caused the incident, as (source, external id)."""
    reason: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_name(self.source, "source")
        check_name(self.external_id, "external_id")
        check_name(self.by, "by")
        if self.deployment is not None:
            check_name(self.deployment[0], "deployment.source")
            check_name(self.deployment[1], "deployment.external_id")

    @property
    def incident_id(self) -> str:
        """The incident's id."""
        return incident_id(self.source, self.external_id)

    @property
    def identity(self) -> str:
        """The sender's id, or one from incident, person and time."""
        return self.event_id or derive_id("attribution", self.source, self.external_id, self.by, repr(self.at))


class DecisionFeedback(_Feedback, tag="decision.feedback", frozen=True, kw_only=True):
    """A judgement on an AI agent's decision, by a person or from an outcome."""

    agent: str
    decision_id: str
    judgement: Judgement
    judge: Judge
    by: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        # feedback on decisions is keyed by the AI agent in the end, so neither scope nor service is needed
        if not self.scope and not self.service:
            set_frozen(self, "scope", "unassigned")
        super().__post_init__()
        check_name(self.agent, "agent")
        check_name(self.decision_id, "decision_id")

    @property
    def identity(self) -> str:
        """The sender's id, or one from decision, judge and time."""
        return self.event_id or derive_id(
            "decision-feedback", self.agent, self.decision_id, self.judge, self.by, repr(self.at)
        )


Feedback = (
    Outcome | IncidentOpened | IncidentResolved | PipelineRun | ChangeMerged | AttributionCorrected | DecisionFeedback
)


def sender_of(event: Feedback) -> str:
    """Return who says it: its `sender`, else its `source`; empty for a judgement that names none."""
    return event.sender or str(getattr(event, "source", ""))


def incident_id(source: str, external_id: str) -> str:
    """Return the id of the incident that `source` calls `external_id`."""
    return derive_id("incident", source, external_id)
