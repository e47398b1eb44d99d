"""The way from a problem to a fix: proposal, verdict, execution, execution result.

Only a person (or a standing approval with an author and an expiry) gives a verdict; silence is not one.
"""

from typing import Literal

import msgspec

from vigia.events.base import DEFAULT_ENVIRONMENT, EventStruct, set_frozen
from vigia.events.deployed import Ended
from vigia.events.deployments import Kind
from vigia.events.feedback import Severity
from vigia.events.identity import derive_id
from vigia.events.names import check_name, check_optional_name, check_text
from vigia.events.times import Time, epoch_seconds

ProposalStatus = Literal["proposed", "approved", "denied", "expired", "withdrawn"]
Decision = Literal["approve", "deny"]
ExecutionStatus = Literal["succeeded", "failed", "refused", "timed_out"]


class DeploymentBefore(EventStruct, frozen=True, kw_only=True):
    """The latest deployment of a service to an environment that had ended when a problem opened there, whatever it did
    and however it ended. That it came before does not say that it is the cause.
    """

    deployment_id: str
    source: str
    external_id: str
    at: Time
    """When it ended."""
    seconds_before: float
    """How long before the problem opened."""
    status: Ended
    kind: Kind = "deployment"
    version: str = ""
    commit: str = ""


class Proposal(EventStruct, tag_field="type", tag="proposal", frozen=True, kw_only=True):
    """A fix offered for a problem, to those who may approve it.

    `proposal_id` is derived from the problem and the action. `expires_at` is when it lapses without a verdict, which
    counts as no answer. `version` grows with each change of `status`; readers ignore a lower one.
    """

    proposal_id: str
    problem_id: str
    service: str
    action: str
    severity: Severity
    status: ProposalStatus
    at: Time
    expires_at: Time
    why: str
    environment: str = DEFAULT_ENVIRONMENT
    parameters: dict[str, str] = msgspec.field(default_factory=dict)
    evidence: dict[str, float] = msgspec.field(default_factory=dict)
    deployment: DeploymentBefore | None = None
    """As it was known when the fix was first proposed; later versions repeat it. Absent where none is known."""
    version: int = 1

    @property
    def identity(self) -> str:
        """The proposal and the version of its status."""
        return f"{self.proposal_id}-{self.version}"

    @property
    def occurred_at(self) -> float:
        """When this version came to be."""
        return self.at


class Verdict(EventStruct, tag_field="type", tag="verdict", frozen=True, kw_only=True):
    """A person's answer to one version of a proposal."""

    proposal_id: str
    proposal_version: int
    service: str
    decision: Decision
    by: str
    at: Time
    reason: str = ""
    event_id: str = ""

    def __post_init__(self) -> None:
        for field in ("proposal_id", "service", "by"):
            check_name(getattr(self, field), field)
        check_optional_name(self.event_id, "event_id")
        check_text(self.reason, "reason")
        set_frozen(self, "at", epoch_seconds(self.at, "at"))

    @property
    def identity(self) -> str:
        """The sender's id, or one a person's answer to a version."""
        return self.event_id or derive_id(
            "verdict", self.proposal_id, str(self.proposal_version), self.by, self.decision
        )

    @property
    def occurred_at(self) -> float:
        """When it was given."""
        return self.at


class Execution(EventStruct, tag_field="type", tag="execution", frozen=True, kw_only=True):
    """An order to the executor: carry out the action of an approved proposal, once, before the deadline."""

    execution_id: str
    proposal_id: str
    service: str
    action: str
    at: Time
    deadline: Time
    environment: str = DEFAULT_ENVIRONMENT
    parameters: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def identity(self) -> str:
        """The execution's id."""
        return self.execution_id

    @property
    def occurred_at(self) -> float:
        """When it was ordered."""
        return self.at


class ExecutionResult(EventStruct, tag_field="type", tag="execution.result", frozen=True, kw_only=True):
    """What the executor reports of one execution; whether it helped is decided later, from the metrics."""

    execution_id: str
    service: str
    status: ExecutionStatus
    at: Time
    detail: str = ""

    def __post_init__(self) -> None:
        check_name(self.execution_id, "execution_id")
        check_name(self.service, "service")
        check_text(self.detail, "detail")
        set_frozen(self, "at", epoch_seconds(self.at, "at"))

    @property
    def identity(self) -> str:
        """One result an execution and status."""
        return derive_id("execution-result", self.execution_id, self.status)

    @property
    def occurred_at(self) -> float:
        """When it ended."""
        return self.at
