"""One made-up incident, marked synthetic: a deployment after which a service's error rate rises, until people step in.

Its event times are those of the last twelve minutes, so it can be sent much faster than it would happen and is still
recent enough to be acted on. Each play is about a service of its own: a service's watermark only moves forward, and an
incident told again over the same minutes would be nothing but late samples.
"""

from collections.abc import Callable, Iterator
from random import Random

from vigia.events.base import Event
from vigia.events.deployments import ChangeFeatures, Commit, Deployment
from vigia.events.feedback import IncidentOpened, IncidentResolved, Outcome
from vigia.events.samples import Sample

ENVIRONMENT = "synthetic"
SCOPE = "synthetic"
"""A scope of its own, so that no team's model learns from it."""

METRIC = "error_rate"
LABELS = {"synthetic": "true"}

MINUTE = 60.0
SAMPLE_SECONDS = 10.0
ERROR_PERCENT = (0.5, 0.5, 3.0, 12.0, 20.0, 20.0, 20.0, 20.0, 9.0, 1.0, 0.5, 0.5)
"""The error rate in each minute; the deployment starts at the end of the second."""

DEPLOYED, NOTICED, MENDED, JUDGED = 2.0, 5.0, 8.5, 11.5
"""When things happen, in minutes from the start."""

LIVE_PER_SECOND = 4.0
REPEAT_SECONDS = 600.0

Feed = tuple[str, str, Event]


def service_name(run_id: str, play: int) -> str:
    """Return the service of a run's n-th play.

    >>> service_name("3f2a", 1), service_name("3f2a", 2)
    ('checkout-3f2a', 'checkout-3f2a-2')
    """
    return f"checkout-{run_id}" if play == 1 else f"checkout-{run_id}-{play}"


def incident(run_id: str, now: float, play: int = 1) -> list[Feed]:
    """Return the incident as (topic, key, event), in time order, ending with the last full minute before `now`."""
    start = now // MINUTE * MINUTE - len(ERROR_PERCENT) * MINUTE
    service = service_name(run_id, play)
    told = [*_samples(service, start, Random(service)), *_story(f"scenario:{run_id}", service, start)]
    # at equal times the deployment comes before what it does
    return sorted(told, key=lambda feed: (feed[2].occurred_at, feed[0] == "metrics"))


def events(
    run_id: str, clock: Callable[[], float], pause: Callable[[float], bool], *, repeat: bool = True
) -> Iterator[Feed]:
    """Yield the incident at a watchable pace, and again every ten minutes; once and at full speed without `repeat`."""
    play = 1
    while True:
        for feed in incident(run_id, clock(), play):
            yield feed
            if repeat and pause(1 / LIVE_PER_SECOND):
                return
        if not repeat or pause(REPEAT_SECONDS):
            return
        play += 1


def _samples(service: str, start: float, random: Random) -> Iterator[Feed]:
    per_minute = int(MINUTE / SAMPLE_SECONDS)
    for index in range(len(ERROR_PERCENT) * per_minute):
        rate = ERROR_PERCENT[index // per_minute] / 100 * random.uniform(0.9, 1.1)
        sample = Sample(
            service=service,
            environment=ENVIRONMENT,
            metric=METRIC,
            unit="1",
            ts=start + index * SAMPLE_SECONDS,
            value=round(rate, 5),
            labels=LABELS,
        )
        yield "metrics", service, sample


def _story(source: str, service: str, start: float) -> list[Feed]:
    def minute(number: float) -> float:
        return start + number * MINUTE

    change = ChangeFeatures(la=412, ld=37, nf=14, nd=6, ns=3, entropy=2.7, exp=9, tests_passed_pct=96, behind_flag=0)
    commit = Commit(sha=f"{service}-1", committed_at=minute(-90), author="synthetic", features=change)
    started = Deployment(
        source=source,
        external_id=service,
        service=service,
        environment=ENVIRONMENT,
        scope=SCOPE,
        version="2.4.0",
        stage="started",
        at=minute(DEPLOYED) - 20,
        commits=[commit],
        features=change,
    )
    finished = Deployment(
        source=source,
        external_id=service,
        service=service,
        environment=ENVIRONMENT,
        scope=SCOPE,
        version="2.4.0",
        stage="finished",
        status="succeeded",
        at=minute(DEPLOYED),
    )
    opened = IncidentOpened(
        source=source,
        external_id=f"incident-{service}",
        service=service,
        scope=SCOPE,
        environment=ENVIRONMENT,
        severity="P1",
        title="checkout answers with errors after version 2.4.0",
        deployments=[(source, service)],
        at=minute(NOTICED),
    )
    resolved = IncidentResolved(
        source=source,
        external_id=f"incident-{service}",
        service=service,
        scope=SCOPE,
        environment=ENVIRONMENT,
        at=minute(MENDED),
    )
    outcome = Outcome(
        source=source,
        external_id=service,
        service=service,
        scope=SCOPE,
        failed=True,
        label="intervention",
        reason="rolled back by hand (synthetic)",
        by="scenario",
        at=minute(JUDGED),
    )
    told: list[tuple[str, Event]] = [
        ("deployments", started),
        ("deployments", finished),
        ("feedback", opened),
        ("feedback", resolved),
        ("feedback", outcome),
    ]
    return [(topic, SCOPE, event) for topic, event in told]
