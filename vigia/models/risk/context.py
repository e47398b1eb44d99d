"""What a scope keeps of its own past, to know more of a deployment than its event says.

All of it is bounded: of services, authors, deployments in flight and incidents the least recently used are let go. Old
counts fade by event time, each counting half after `HALF_LIFE`. What was not yet known at a deployment cannot be in
here, since it is asked before the deployment is put in.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from vigia.events.deployments import Deployment
from vigia.events.identity import derive_id
from vigia.events.summaries import IncidentSummary

DAY = 86_400.0
HALF_LIFE = 30 * DAY
"""Seconds after which an event counts half."""

WEEK_SHARE = 7 * DAY * 0.6931471805599453 / HALF_LIFE
"""What one a week adds up to in the long run is 1 / this: a faded count times this is a rate a week."""

IN_FLIGHT = DAY
"""Seconds after which a deployment that never finished is not in flight any more."""

SKEW = 300.0
"""Seconds by which the clocks of senders may differ."""

PRIOR_RATE, PRIOR_WEIGHT = 0.2, 2.5
"""One in five fails, as in the recorded projects; it weighs as much as this many deployments."""

MAX_SERVICES = 64
MAX_AUTHORS = 256
MAX_AUTHORS_EACH = 8
"""Authors of one deployment that are looked at, the first ones."""
MAX_IN_FLIGHT = 32
MAX_INCIDENTS = 16

T = TypeVar("T")


class Faded(msgspec.Struct, array_like=True):
    """A count as of `at` (epoch seconds); events that come late count in full."""

    count: float = 0.0
    at: float = 0.0

    def now(self, at: float) -> float:
        """Return the count as of `at`.

        >>> Faded(2.0, 0.0).now(HALF_LIFE)
        1.0
        """
        since = at - self.at
        return self.count * math.exp2(-since / HALF_LIFE) if since > 0.0 else self.count

    def add(self, at: float) -> None:
        """Count one more event."""
        self.count, self.at = self.now(at) + 1.0, max(at, self.at)


class Past(msgspec.Struct, array_like=True):
    """Deployments of a service or an author, and those among them that are known to have failed."""

    deployed: Faded = msgspec.field(default_factory=Faded)
    failed: Faded = msgspec.field(default_factory=Faded)

    def rate(self, at: float) -> float:
        """Return the share that failed, smoothed, in [0, 1]."""
        return _share(self.failed.now(at), self.deployed.now(at))


class Incident(msgspec.Struct, array_like=True, frozen=True):
    """What gates must know of an incident; `name` is for people."""

    name: str
    environment: str
    severity: str
    opened: float
    resolved: float | None


class Service(msgspec.Struct, array_like=True):
    """What the scope knows of one of its services."""

    past: Past = msgspec.field(default_factory=Past)
    latest: float | None = None
    """When it was last deployed (event time)."""
    in_flight: dict[str, float] = msgspec.field(default_factory=dict)
    """Deployments that have started and not finished, and since when."""
    incidents: dict[str, Incident] = msgspec.field(default_factory=dict)
    judged: int = 0
    right: int = 0
    failures: int = 0
    """Scored deployments whose outcome is known, on how many the plain answer was right, how many failed."""


class Context(msgspec.Struct, array_like=True):
    """What the scope keeps; dicts are in the order of use."""

    deployed: Faded = msgspec.field(default_factory=Faded)
    services: dict[str, Service] = msgspec.field(default_factory=dict)
    authors: dict[str, Past] = msgspec.field(default_factory=dict)
    """By a digest: names of people stay out of the state."""


def authors_of(event: Deployment) -> tuple[str, ...]:
    """Return the digests of a deployment's authors."""
    names = dict.fromkeys(commit.author for commit in event.commits if commit.author)
    return tuple(derive_id("author", name)[:16] for name in list(names)[:MAX_AUTHORS_EACH])


def seen(context: Context, event: Deployment, at: float, authors: Sequence[str]) -> dict[str, float]:
    """Return the features that the past knows, by name; `at` is the time (epoch seconds) to look back from."""
    found: dict[str, float] = {}
    if context.deployed.count:
        found["team_velocity"] = round(context.deployed.now(at) * WEEK_SHARE, 3)
    rates = [context.authors[author].rate(at) for author in authors if author in context.authors]
    if rates:
        found["author_failure_rate"] = sum(rates) / len(rates)
    service = context.services.get(event.service)
    if service is None:
        return found
    if service.latest is not None:
        failed = service.past.failed.now(at)
        found["previous_failures"] = round(failed, 3)
        found["service_failure_rate"] = _share(failed, service.past.deployed.now(at))
        found["since_last_deployment"] = max(at - service.latest, 0.0)
    flights, own = service.in_flight, event.deployment_id if service.in_flight else ""
    found["in_flight"] = float(sum(key != own and at - since < IN_FLIGHT for key, since in flights.items()))
    found["open_incident"] = float(bool(service.incidents and open_incidents(service, event.environment, at)))
    return found


def open_incidents(service: Service, environment: str, at: float) -> list[Incident]:
    """Return the incidents of which no end is known and that were open at `at`, the longest open first."""
    held = (each for each in service.incidents.values() if each.environment == environment and each.resolved is None)
    return sorted((each for each in held if each.opened <= at + SKEW), key=lambda each: each.opened)


def deployed(context: Context, service: str, at: float, authors: Iterable[str]) -> None:
    """Put a deployment in, once it has been scored."""
    context.deployed.add(at)
    one = service_of(context, service)
    one.past.deployed.add(at)
    one.latest = at if one.latest is None else max(at, one.latest)
    for author in authors:
        _used(context.authors, author, Past, MAX_AUTHORS).deployed.add(at)


def failed(context: Context, service: str, at: float, authors: Iterable[str]) -> None:
    """Put in that a deployment failed, as became known at `at`."""
    service_of(context, service).past.failed.add(at)
    for author in authors:
        _used(context.authors, author, Past, MAX_AUTHORS).failed.add(at)


def flies(context: Context, service: str, deployment_id: str, since: float | None) -> None:
    """Put in since when a deployment is under way; None: it is not."""
    if since is None:
        if service in context.services:
            context.services[service].in_flight.pop(deployment_id, None)
        return
    in_flight = service_of(context, service).in_flight
    in_flight[deployment_id] = since
    if len(in_flight) > MAX_IN_FLIGHT:
        del in_flight[min(in_flight, key=lambda each: (in_flight[each], each))]


def put_incident(context: Context, row: IncidentSummary) -> None:
    """Put in what is known of an incident now; the resolved ones go first when there are too many, then the oldest."""
    if not row.service or row.opened_at is None:
        return
    name = f"{row.source}/{row.external_id}"
    incidents = service_of(context, row.service).incidents
    incidents[row.incident_id] = Incident(name, row.environment, row.severity, row.opened_at, row.resolved_at)
    if len(incidents) > MAX_INCIDENTS:
        del incidents[min(incidents, key=lambda each: _worth(incidents, each))]


def judge(context: Context, service: str, *, right: bool, failed: bool) -> None:
    """Count a deployment whose outcome became known."""
    one = service_of(context, service)
    one.judged, one.right, one.failures = one.judged + 1, one.right + right, one.failures + failed


def judge_again(context: Context, service: str, *, right: bool) -> None:
    """Count that a deployment that was counted as clean has failed after all; `right`: failure had been said."""
    one = service_of(context, service)
    # a service that was let go in between has no count that could be corrected
    if one.judged > one.failures:
        one.failures += 1
        one.right = min(max(one.right + (1 if right else -1), 0), one.judged)


def service_of(context: Context, name: str) -> Service:
    """Return what is kept of a service, which becomes the most recently used."""
    return _used(context.services, name, Service, MAX_SERVICES)


def _share(failed: float, deployed: float) -> float:
    return min((failed + PRIOR_RATE * PRIOR_WEIGHT) / (deployed + PRIOR_WEIGHT), 1.0)


def _used(kept: dict[str, T], name: str, kind: type[T], most: int) -> T:
    one = kept.pop(name, None)
    if one is None:
        one = kind()
    kept[name] = one
    if len(kept) > most:
        del kept[next(iter(kept))]
    return one


def _worth(incidents: Mapping[str, Incident], key: str) -> tuple[bool, float, str]:
    one = incidents[key]
    return one.resolved is None, one.opened, key
