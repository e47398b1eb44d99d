"""Problems: a detector's finding with its evidence."""

from typing import Literal

import msgspec

from vigia.events.base import DEFAULT_ENVIRONMENT, EventStruct, set_frozen
from vigia.events.feedback import Severity
from vigia.events.names import check_name, check_text
from vigia.events.times import Time, epoch_seconds

ProblemStatus = Literal["open", "resolved", "stale"]


class Problem(EventStruct, tag_field="type", tag="problem", frozen=True, kw_only=True):
    """A detector found something wrong with a service, or found that it is over.

    `problem_id` is derived from (series, detector, how many this detector had opened there). `version` grows with
    each change of `status`; readers ignore a lower one. Of a `stale` problem too little is known to act on it: it was
    found in a backlog, too late, or it was open and its series has sent nothing for so long that nobody knows whether
    it is over. `evidence` holds the numbers that the detector decided by, `why` the sentence for people.
    """

    problem_id: str
    service: str
    detector: str
    severity: Severity
    status: ProblemStatus
    opened_at: Time
    at: Time
    why: str
    series_id: str
    metric: str
    environment: str = DEFAULT_ENVIRONMENT
    labels: str = ""
    evidence: dict[str, float] = msgspec.field(default_factory=dict)
    services: tuple[str, ...] = ()
    """Of a `shared_dependency`: the services whose problems it stands for, by name, at most a hundred."""
    version: int = 1

    def __post_init__(self) -> None:
        for field in ("problem_id", "service", "detector", "series_id", "metric", "environment"):
            check_name(getattr(self, field), field)
        for service in self.services:
            check_name(service, "services")
        check_text(self.why, "why")
        set_frozen(self, "opened_at", epoch_seconds(self.opened_at, "opened_at"))
        set_frozen(self, "at", epoch_seconds(self.at, "at"))

    @property
    def identity(self) -> str:
        """The problem and the version of its status."""
        return f"{self.problem_id}-{self.version}"

    @property
    def occurred_at(self) -> float:
        """The end of the window that made this version."""
        return self.at
