"""What lanes tell each other of problems that may have one cause: on its own topic, for nobody else.

The lane of a service tells the lane of each thing that the service depends on; that one tells back which problems it
takes for consequences of one cause.
"""

from vigia.events.base import DEFAULT_ENVIRONMENT, EventStruct, set_frozen
from vigia.events.feedback import Severity
from vigia.events.names import check_name
from vigia.events.problems import ProblemStatus
from vigia.events.times import Time, epoch_seconds

PROBLEM_LINKS = "problem-links"
"""The topic that these events are published on."""


class DependentProblem(EventStruct, tag_field="type", tag="problem.of.dependent", frozen=True, kw_only=True):
    """A service that depends on `service` has a problem, or had one that is over."""

    service: str
    """What `dependent` depends on."""
    dependent: str
    problem_id: str
    detector: str
    severity: Severity
    status: ProblemStatus
    opened_at: Time
    at: Time
    version: int
    environment: str = DEFAULT_ENVIRONMENT

    def __post_init__(self) -> None:
        for field in ("service", "dependent", "problem_id", "detector", "environment"):
            check_name(getattr(self, field), field)
        set_frozen(self, "opened_at", epoch_seconds(self.opened_at, "opened_at"))
        set_frozen(self, "at", epoch_seconds(self.at, "at"))

    @property
    def identity(self) -> str:
        """The version of the problem, as this dependency is told of it."""
        return f"{self.problem_id}-{self.version}"

    @property
    def occurred_at(self) -> float:
        """The end of the window that made this version."""
        return self.at


class ProblemGrouped(EventStruct, tag_field="type", tag="problem.grouped", frozen=True, kw_only=True):
    """A problem of `service` is taken for a consequence of another one, or is so no more though it is not over."""

    service: str
    problem_id: str
    part_of: str
    """The problem with the common cause."""
    version: int
    """Of that problem."""
    at: Time
    released: bool = False
    environment: str = DEFAULT_ENVIRONMENT

    def __post_init__(self) -> None:
        for field in ("service", "problem_id", "part_of", "environment"):
            check_name(getattr(self, field), field)
        set_frozen(self, "at", epoch_seconds(self.at, "at"))

    @property
    def identity(self) -> str:
        """The problem, and the version of the common one that took it in or let it go."""
        return f"{self.problem_id}-{self.part_of}-{self.version}"

    @property
    def occurred_at(self) -> float:
        """When that was decided."""
        return self.at
