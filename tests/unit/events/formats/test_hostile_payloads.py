"""Whatever comes from outside, translating it never raises, and what it gives is events or reasons."""

import json
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.events.formats.payloads import (
    alert,
    cdevent,
    cloudevent,
    encoded,
    github_deployment,
    github_run,
    github_status,
    notification,
)
from vigia.events.base import Event
from vigia.events.formats import environments, translate, workloads
from vigia.events.invalid import Invalid
from vigia.topics import DEPLOYMENTS, FEEDBACK, METRICS

LABELS = ["alertname", "severity", *workloads.LABELS, *environments.LABELS]
AT = "2026-05-15T15:22:00Z"
PAYLOADS = [
    cdevent(),
    cdevent("incident.detected", content={"service": {"id": "shop"}}),
    cdevent("pipelinerun.finished", "0.4.1", {"outcome": "success"}),
    cloudevent(cdevent()),
    cloudevent({"type": "deployment", "source": "ci", "external_id": "1", "service": "s", "stage": "started", "at": 1}),
    github_deployment(run=900),
    github_status("success", AT, 1),
    github_run(),
    notification(alert(), alert("resolved", ended=AT, pod="2")),
]
JUNK: list[Any] = [
    None,
    True,
    -1,
    0,
    1e300,
    10**40,
    "",
    "\x00",
    "a\ud800"[:1],
    "x" * 5_000,
    "0001-01-01T00:00:00Z",
    [],
    [[]],
    {},
    {"id": 1},
]


def paths(value, path=()):
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        yield from paths(inner, (*path, name))


WORDS = sorted({str(name) for payload in PAYLOADS for path in paths(payload) for name in path})
TEXTS = st.one_of(
    st.sampled_from(
        [*WORDS, AT, "0001-01-01T00:00:00Z", "4", "1.0", "0.5.0", "created", "completed", "firing", "resolved"]
    ),
    st.text(max_size=20),
)
ANY_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=8)),
    max_leaves=40,
)
TOPS = (
    *("sender", "repository", "action", "deployment", "deployment_status", "workflow", "workflow_run"),
    *("alerts", "groupKey", "version", "status", "context", "subject", "customData", "object_kind", "project"),
    *("specversion", "id", "source", "type", "data", "data_base64", "datacontenttype", "metric"),
)
SHAPES = st.fixed_dictionaries({}, optional=dict.fromkeys(TOPS, ANY_JSON))
"""Objects that have names of the formats at their top, and anything below."""

HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            ["ce_specversion", "ce_id", "ce_type", "ce_", "content-type", "X-GitHub-Event", "X-Gitlab-Event", "other"]
        ),
        st.sampled_from([None, b"", b"1.0", b"\xff", b"application/cloudevents+json", b"deployment", b"x" * 9_000]),
    ),
    max_size=4,
)


PLACES = [(payload, path) for payload in PAYLOADS for path in paths(payload)]


def spoilt(payload, path, junk):
    copy = json.loads(json.dumps(payload))
    inner = copy
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = junk
    return copy


def check(value, headers=(), received_at=None):
    for topic in (DEPLOYMENTS, FEEDBACK, METRICS):
        found = topic.decode(value, headers, received_at)
        assert found
        assert all(isinstance(item, Event | Invalid) for item in found)


def test_each_field_may_be_anything():
    for (payload, path), junk in product(PLACES, JUNK):
        check(encoded(spoilt(payload, path, junk)), [])


@settings(max_examples=300)
@given(st.sampled_from(PLACES), st.sampled_from(JUNK), HEADERS)
def test_any_field_may_be_anything(place, junk, headers):
    payload, path = place
    check(encoded(spoilt(payload, path, junk)), headers)


@settings(max_examples=500, deadline=None)
@given(st.one_of(ANY_JSON, SHAPES), HEADERS, st.sampled_from([None, 0.0, 1.8e9]))
def test_any_json_is_events_or_reasons(value, headers, received_at):
    check(encoded(value), headers, received_at)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(LABELS), st.text(max_size=30), min_size=1), st.sampled_from([None, *JUNK]))
def test_any_labels_are_events_or_reasons(labels, junk):
    check(encoded(notification(alert() | {"labels": labels, "endsAt": junk, "status": "resolved"})), (), 1.8e9)


@given(st.sampled_from(PLACES), st.integers(0, 5_000))
def test_a_payload_may_end_anywhere(place, length):
    check(encoded(place[0])[:length])


@pytest.mark.parametrize("payload", PAYLOADS)
def test_deep_nesting_is_refused(payload):
    for deep in (b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000):
        check(encoded(payload)[:-1] + b', "extra": ' + deep + b"}")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_fields_that_nobody_knows_change_nothing(payload):
    assert translate(encoded(payload | {"new": {"deep": [1, "\x00"]}})) == translate(encoded(payload))
