"""The five metrics equal a plain recount, whatever happened, in whichever order it was told, and however often."""

from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.models.dora.conftest import DAY, NOON
from tests.unit.models.dora.recount import recount
from vigia.events.deployments import Commit, Deployment
from vigia.events.dora_facts import Membership
from vigia.events.feedback import AttributionCorrected, IncidentOpened, IncidentResolved, Outcome

TEAMS = {"web": "shop", "till": "shop", "bank": "pay"}
HOUR = 3600.0

hours = st.integers(-72, 72).map(lambda number: NOON + number * HOUR)
numbers = st.sampled_from("1234567")
services = st.sampled_from(sorted(TEAMS))
shas = st.sampled_from("abcdef")


def of_service(number):
    """The service of a deployment or incident: its events agree on the team, as the catalog makes sure."""
    return sorted(TEAMS)[int(number) % 3]


@st.composite
def deployment(draw):
    number, stage = draw(numbers), draw(st.sampled_from(["planned", "started", "finished", "finished"]))
    service = of_service(number)
    if service != "bank" and draw(st.integers(0, 9)) == 0:
        service = draw(st.sampled_from(["web", "till"]))
    return Deployment(
        source="ci",
        external_id=number,
        service=service,
        scope=TEAMS[service],
        stage=stage,
        status=draw(st.sampled_from(["succeeded", "succeeded", "failed", "cancelled"])) if stage == "finished" else "",
        at=draw(hours),
        environment=draw(st.sampled_from(["production"] * 5 + ["staging"])),
        kind=draw(st.sampled_from(["deployment"] * 7 + ["rollback", "removal"])),
        commits=[Commit(sha=sha, committed_at=draw(st.none() | hours)) for sha in draw(st.sets(shas, max_size=2))],
        resolves=[("pager", each) for each in draw(st.sets(numbers, max_size=1))] if draw(st.booleans()) else [],
        event_id=draw(st.uuids()).hex,
    )


@st.composite
def incident(draw, at=hours):
    number = draw(numbers)
    service = of_service(number)
    common = {
        "source": "pager",
        "external_id": number,
        "scope": TEAMS[service],
        "service": service,
        "at": draw(at),
        "event_id": draw(st.uuids()).hex,
    }
    link = ("ci", draw(st.sampled_from("123456789")))
    which = draw(st.integers(0, 5))
    if which <= 2:
        return IncidentOpened(**common, deployments=[link] if draw(st.integers(0, 3)) == 0 else [])
    if which <= 4:
        return IncidentResolved(**common)
    return AttributionCorrected(**common, by="ada", deployment=draw(st.none() | st.just(link)))


@st.composite
def outcome(draw):
    number = draw(numbers)
    return Outcome(
        source="ci",
        external_id=number,
        scope=TEAMS[of_service(number)],
        at=draw(hours),
        failed=draw(st.booleans()),
        label=draw(st.sampled_from(["intervention", "intervention", "ci_status"])),
        event_id=draw(st.uuids()).hex,
    )


def apart(events):
    """Let no two people say different things of one incident or deployment at the very same moment."""
    ticks = count()
    return [
        msgspec.structs.replace(event, at=event.at + next(ticks) / 64)
        if isinstance(event, Outcome | AttributionCorrected)
        else event
        for event in events
    ]


histories = st.lists(deployment() | deployment() | incident() | outcome(), max_size=30).map(apart)
QUESTIONS: list[tuple[dict[str, Any], Callable[[str, str], bool]]] = [
    ({}, lambda scope, service: True),
    ({"of": "service", "name": "web"}, lambda scope, service: service == "web"),
    ({"of": "team", "name": "shop"}, lambda scope, service: scope == "shop"),
    (
        {"of": "organisation", "name": "acme", "memberships": (Membership("pay"),)},
        lambda scope, service: scope == "pay",
    ),
]


@pytest.mark.timeout(300)
@settings(max_examples=40)
@given(data=st.data())
def test_the_metrics_equal_a_plain_recount_in_every_order_of_arrival_with_repeats(deliveries, data):
    events = data.draw(histories)
    arrivals = data.draw(st.permutations(events + events[: data.draw(st.integers(0, len(events)))]))
    deliveries.tell(arrivals)
    since = NOON + data.draw(st.sampled_from([-90, -24, -0.5, 3])) * HOUR
    until = since + data.draw(st.sampled_from([6, 24, 100, 200])) * HOUR
    for asked, whether in QUESTIONS:
        window = data.draw(st.sampled_from([2 * HOUR, DAY, 3 * DAY]))
        found = deliveries.ask(since=since, until=until, attribution_window=window, **asked)
        check(found, recount(events, whether, since, until, window))


def check(found, expected):
    lead, frequency, recovery, fail_rate, rework = found.metrics
    assert lead.n == len(expected["lead"])
    assert lead.value == pytest.approx(at_share(expected["lead"], 0.5), abs=1e-6)
    assert lead.p90 == pytest.approx(at_share(expected["lead"], 0.9), abs=1e-6)
    assert Counter(lead.excluded) == expected["lead_out"]
    assert frequency.n == rework.n == expected["deliveries"]
    assert (fail_rate.count, fail_rate.n, rework.count) == (expected["failed"], expected["of"], expected["rework"])
    assert recovery.n == len(expected["recoveries"])
    assert recovery.value == at_share(expected["recoveries"], 0.5)
    said = {reason: number for reason, number in recovery.excluded.items() if reason != "no_incident"}
    assert said == expected["incidents_out"]
    assert sum(day.deployments for day in found.days) == expected["deliveries"]
    assert sum(day.failed for day in found.days) == expected["failed"]
    assert sum(day.commits for day in found.days) == len(expected["lead"])
    for metric in found.metrics:
        assert metric.value is None or metric.low is None or metric.low <= metric.value <= metric.high
        assert bool(metric.why_empty) == (metric.n == 0)


def at_share(values, share):
    """The smallest value that at least this share of all do not exceed."""
    return next((value for place, value in enumerate(sorted(values), 1) if place >= share * len(values) - 1e-9), None)
