"""What the delivery metrics are made from: the question, and the facts that the summaries' database answers it with.

Queries return these, `vigia.models.dora` makes a report of them. All times are epoch seconds, windows are
[since, until).
"""

from collections.abc import Sequence
from math import inf
from typing import Literal

import msgspec

Of = Literal["all", "service", "team", "organisation"]


class Membership(msgspec.Struct, frozen=True):
    """A team, and from when until when it belonged to what is asked for."""

    scope: str
    since: float = -inf
    until: float = inf


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Whose deliveries, and when. `memberships` are the teams of an organisation; a team or a service is its `name`."""

    of: Of
    name: str
    since: float
    until: float
    environments: tuple[str, ...]
    """Those that count as production."""
    attribution_window: float
    """Seconds before an incident in which a deployment may have caused it, where nobody says what did."""
    memberships: tuple[Membership, ...] = ()

    def has(self, scope: str, service: str, at: float) -> bool:
        """Return whether a deployment at that time is among those asked for."""
        if self.of == "service":
            return service == self.name
        if self.of == "team":
            return scope == self.name
        return self.of == "all" or any(
            each.scope == scope and each.since <= at < each.until for each in self.memberships
        )


class DeliveryCount(msgspec.Struct, frozen=True):
    """How many deployments of one day (since 1970) are alike."""

    day: int
    environment: str
    excluded: str
    intervention: int | None
    listed: bool
    """Whether they came with their commits."""
    count: int


class DayMedian(msgspec.Struct, frozen=True):
    """The lower median of a day's lead times (seconds), and of how many."""

    day: int
    n: int
    median: float


class LeadTimes(msgspec.Struct, frozen=True):
    """The lead times of the commits delivered in the window, as far as they are asked for."""

    n: int
    ranked: dict[int, float]
    """Lead times (seconds) by rank: 1 is the shortest."""
    excluded: dict[str, int]
    days: Sequence[DayMedian] = ()


class Cause(msgspec.Struct, frozen=True):
    """A deployment that may belong to an incident."""

    deployment_id: str
    scope: str
    service: str
    environment: str
    at: float
    exposed_at: float | None
    excluded: str
    intervention: int | None


class Incident(msgspec.Struct, frozen=True):
    """An incident."""

    incident_id: str
    scope: str
    service: str
    environment: str
    opened_at: float
    resolved_at: float | None

    @property
    def key(self) -> tuple[str, str]:
        """What identifies it."""
        return self.incident_id, self.scope


class Statement(msgspec.Struct, frozen=True):
    """What somebody said caused an incident; `cause` is None where the deployment is unknown, or none was meant."""

    statement_id: str
    kind: str
    deployment_id: str
    at: float
    by: str
    reason: str
    cause: Cause | None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that a report is made from."""

    question: Question
    counts: Sequence[DeliveryCount]
    earliest: float | None
    """The first delivery ever of what is asked for, in production."""
    lead_times: LeadTimes
    incidents: Sequence[Incident]
    nearby: dict[tuple[str, str], list[Cause]]
    """Deployments of the same service and environment that began within the attribution window before or after the
    incident was opened, by incident."""
    statements: dict[tuple[str, str], list[Statement]]
    """By incident."""
    resolving: Sequence[Cause]
    """Deployments in the window that were said to be made for an incident."""
    never_opened: int
    """Incidents resolved in the window of which nobody told when they began."""
