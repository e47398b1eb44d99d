"""The table of bad input: what a sender may get wrong or do in bad faith, and what must become of it.

One table for two tests: the pure step (tests/unit/streaming) and real processes on the real stack (tests/integration).
Every record is keyed and placed as its sender did it.
"""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from tests.support.bad_case import AI_AGENT, SCOPE, Case, Expected, Value, decision, deployment, encoded, sample
from vigia.events.invalid import Reason
from vigia.streaming.batches import CUT_HEADER, ORIGIN_HEADER, TICK_HEADER

CONTROL = "sh\x1b[2Jop\x00"
LONG = "n" * 10_000
DEEP = 100_000


def _fixed(value: bytes | None) -> Value:
    return lambda _: value


def _sample(**fields: Any) -> Value:
    return lambda now: encoded(sample(now, **fields))


def _sample_at(ts: Callable[[float], object]) -> Value:
    return lambda now: encoded(sample(now, ts=ts(now)))


def _deployment(**fields: Any) -> Value:
    return lambda now: encoded(deployment(now, **fields))


def _literal(number: str) -> Value:
    """Return a sample whose value is spelt `number`, which json.dumps would not write."""
    return lambda now: encoded(sample(now, value="@")).replace(b'"@"', number.encode())


OfDeployments = partial(Case, topic="deployments", key=SCOPE.encode(), moves_to=SCOPE)

_TREE = b'{"service": "shop", "metric": "latency", "ts": 1, "value": 1, "extra": '

METRICS_CASES = (
    Case("text that is not JSON", _fixed(b"temperature: 12"), Expected(Reason.NOT_JSON, "malformed")),
    Case("half a message", _fixed(b'{"service": "shop", "met'), Expected(Reason.NOT_JSON, "truncated")),
    Case("bytes that are not UTF-8", _fixed(b'{"service": "caf\xe9"}'), Expected(Reason.NOT_JSON, "utf-8")),
    Case("a byte order mark", _fixed(b"\xef\xbb\xbf{}"), Expected(Reason.NOT_JSON)),
    Case(
        "half a surrogate pair",
        _fixed(b'{"service": "\\ud800 without its other half"}'),
        Expected(Reason.NOT_JSON, "surrogate"),
    ),
    Case("a number as text", _sample(value="12"), Expected(Reason.WRONG_TYPE, "`$.value`")),
    Case("a list as service", _sample(service=["shop"]), Expected(Reason.WRONG_TYPE, "`$.service`")),
    Case("a bare number", _fixed(b"17"), Expected(Reason.WRONG_TYPE, "object")),
    Case("no metric", _sample(metric=None), Expected(Reason.MISSING_FIELD, "`metric`")),
    Case("no value", _sample(value=None), Expected(Reason.MISSING_FIELD, "`value`")),
    Case("NaN", _literal("NaN"), Expected(Reason.NOT_FINITE, "NaN")),
    Case("Infinity", _literal("Infinity"), Expected(Reason.NOT_FINITE, "Infinity")),
    Case("-Infinity", _literal("-Infinity"), Expected(Reason.NOT_FINITE, "Infinity")),
    Case("1e999", _literal("1e999"), Expected(Reason.NOT_FINITE, "out of range")),
    Case("a magnitude that overflows sums", _literal("1e300"), Expected(Reason.BAD_VALUE, "1e+280")),
    Case("epoch milliseconds", _sample_at(lambda now: now * 1000), Expected(Reason.NOT_SECONDS, "epoch milliseconds")),
    Case("an hour ahead", _sample_at(lambda now: now + 3600), Expected(Reason.FUTURE, "ahead of its arrival")),
    Case("a negative time", _sample_at(lambda _: -5), Expected(Reason.NEGATIVE_TIME, "before 1970")),
    Case("a time without offset", _sample_at(lambda _: "2026-01-31T12:00:00"), Expected(Reason.BAD_TIME, "RFC 3339")),
    Case("a year late", _sample_at(lambda now: now - 365 * 86_400), Expected(Reason.TOO_OLD, "latest of shop")),
    Case("an empty value", _fixed(b""), Expected(Reason.EMPTY, "no value")),
    Case("a null value", _fixed(None), Expected(Reason.EMPTY, "no value")),
    Case("an empty array", _fixed(b"[]"), Expected(Reason.EMPTY, "no events")),
    Case("900 kB of junk", _fixed(Random(1).randbytes(900_000)), Expected(Reason.NOT_JSON)),
    Case("900 kB of text", _fixed(b'"' + b"a" * 900_000 + b'"'), Expected(Reason.WRONG_TYPE, "object")),
    Case("100,000 open brackets", _fixed(b"[" * DEEP), Expected(Reason.TOO_DEEP, "nested")),
    Case("a tree of arrays", _fixed(_TREE + b"[" * DEEP + b"]" * DEEP + b"}"), Expected(Reason.TOO_DEEP, "nested")),
    Case("a tree of objects", _fixed(_TREE + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}"), Expected(Reason.TOO_DEEP)),
    Case("20,000 points", _sample(ts=None, value=None, points=[[1, 1]] * 20_000), Expected(Reason.TOO_LARGE, "10000")),
    Case("20,000 events", _fixed(b"[" + b",".join([b"1"] * 20_000) + b"]"), Expected(Reason.TOO_LARGE, "10000")),
    Case("value and points", _sample(points=[[1, 1]]), Expected(Reason.BAD_VALUE, "not both")),
    Case("an unknown kind", _sample(kind="histogram"), Expected(Reason.BAD_VALUE, "histogram")),
    Case("17 labels", _sample(labels={f"l{i}": "x" for i in range(17)}), Expected(Reason.TOO_LARGE, "17 labels")),
    Case(
        "a known id with other content",
        _sample(event_id="one", value=2),
        Expected(Reason.CONFLICTING_ID, "one", applied=1),
        first=_sample(event_id="one", value=1),
    ),
    Case(
        "a known id with control characters and other content",
        _sample(event_id="\x1b[2J" * 1000, value=2),
        Expected(Reason.CONFLICTING_ID, "other content", applied=1),
        first=_sample(event_id="\x1b[2J" * 1000, value=1),
    ),
    Case(
        "control characters in its name and key",
        _sample(service=CONTROL),
        Expected(Reason.BAD_NAME, "control"),
        key=CONTROL.encode(),
    ),
    Case("control characters in its name", _sample(service=CONTROL), Expected(Reason.BAD_NAME, "control")),
    Case("control characters in a label", _sample(labels={"a": "\x07"}), Expected(Reason.BAD_NAME, "label a")),
    Case("a name of 10 kB", _sample(service=LONG), Expected(Reason.BAD_NAME, "10000 characters")),
    Case(
        "a name of 10 kB as key",
        _sample(service=LONG),
        Expected(Reason.BAD_NAME, "10000 characters"),
        key=LONG.encode(),
    ),
    Case("an empty name", _sample(service=""), Expected(Reason.BAD_NAME, "empty"), key=b""),
    Case("another's key", _sample(), Expected(moved=1), key=b"somebody"),
    Case("no key", _sample(), Expected(moved=1), key=None),
    Case("a key that is not UTF-8", _sample(), Expected(moved=1), key=b"shop\xff\xfe"),
    Case(
        "the right key in another spelling",
        _sample(service="café"),
        Expected(moved=1),
        key="cafe\u0301".encode(),
        moves_to="café",
    ),
    Case("another's partition", _sample(), Expected(moved=1), misplaced=True),
    Case(
        "one bad element of three",
        lambda now: b"[%b, {}, %b]" % (encoded(sample(now, metric="a")), encoded(sample(now, metric="b"))),
        Expected(Reason.MISSING_FIELD, "`service`", position=1, applied=2),
    ),
    Case(
        "one element of another service",
        lambda now: b"[%b, %b]" % (encoded(sample(now, service="bar")), encoded(sample(now))),
        Expected(applied=1, moved=1),
        moves_to="bar",
    ),
    Case(
        "junk that calls itself a tick",
        _fixed(b"junk"),
        Expected(Reason.NOT_JSON),
        headers=((TICK_HEADER, b"\xff" * 100),),
    ),
    Case("a sample that calls itself a tick", _sample(), Expected(applied=1), headers=((TICK_HEADER, b"1"),)),
    Case("a tick that says nothing", _fixed(b""), Expected(Reason.EMPTY), headers=((TICK_HEADER, None),)),
    Case(
        "a sample that calls itself cut",
        _sample(),
        Expected(Reason.TOO_LARGE, "at most"),
        headers=((CUT_HEADER, b"\xff\x1b" * 500),),
    ),
    Case(
        "another's partition, sent on before",
        _sample(),
        Expected(Reason.WRONG_PARTITION, "sent on once already"),
        misplaced=True,
        headers=((ORIGIN_HEADER, b"metrics/\x1b[31m\xff/1"),),
    ),
    Case(
        "another's key, sent on before",
        _sample(),
        Expected(Reason.WRONG_PARTITION, "somebody"),
        key=b"somebody",
        headers=((ORIGIN_HEADER, b"x" * 10_000),),
    ),
    Case("1,000 headers", _sample(), Expected(applied=1), headers=tuple((f"h{i}", b"\x00\xff") for i in range(1000))),
    Case(
        "headers without values or names",
        _sample(),
        Expected(applied=1),
        headers=(("", None), ("", b""), ("é\n", None)),
    ),
)

DEPLOYMENTS_CASES = (
    OfDeployments("an unknown type", _deployment(type="rollout"), Expected(Reason.UNKNOWN_TYPE, "deployment")),
    # a topic of one type needs no tag to tell types apart; a wrong tag is refused all the same
    OfDeployments("no type", _deployment(type=None, external_id="untyped"), Expected(applied=1)),
    OfDeployments("a type that is a number", _deployment(type=7), Expected(Reason.WRONG_TYPE, "`$.type`")),
    OfDeployments(
        "control characters in its service", _deployment(service=CONTROL), Expected(Reason.BAD_NAME, "service")
    ),
    OfDeployments("a service of 10 kB", _deployment(service=LONG), Expected(Reason.BAD_NAME, "10000 characters")),
    OfDeployments(
        "a status that is not finished", _deployment(status="failed"), Expected(Reason.BAD_VALUE, "finished")
    ),
    OfDeployments("a negative feature", _deployment(features={"la": -1}), Expected(Reason.BAD_VALUE, "features.la")),
    OfDeployments(
        "2,000 commits", _deployment(commits=[{"sha": "a"}] * 2000), Expected(Reason.TOO_LARGE, "2000 commits")
    ),
    OfDeployments("a null for deployments", _fixed(None), Expected(Reason.EMPTY, "no value")),
    OfDeployments("junk for deployments", _fixed(Random(2).randbytes(900_000)), Expected(Reason.NOT_JSON)),
    OfDeployments("NULs for deployments", _fixed(b'{"type": "\x00"}'), Expected(Reason.NOT_JSON)),
    OfDeployments("deep deployments", _fixed(b'{"a":' * DEEP), Expected(Reason.TOO_DEEP, "nested")),
    OfDeployments(
        "a known stage with other content",
        _deployment(external_id="twice", version="2"),
        Expected(Reason.CONFLICTING_ID, "other content", applied=1),
        first=_deployment(external_id="twice", version="1"),
    ),
    OfDeployments("a deployment under its service", _deployment(external_id="moved"), Expected(moved=1), key=b"shop"),
    OfDeployments(
        "a service that the catalog does not know",
        _deployment(external_id="unknown", service="unheard-of", scope=None),
        Expected(moved=1),
        key=b"unheard-of",
        moves_to="unassigned",
    ),
)
OTHER_CASES = (
    Case(
        "feedback without a type",
        lambda now: encoded({"scope": SCOPE, "at": now}),
        Expected(Reason.MISSING_FIELD, "this topic carries attribution.corrected"),
        topic="feedback",
        key=SCOPE.encode(),
    ),
    Case(
        "feedback of an unknown type",
        lambda now: encoded({"type": "rumour\x1b[1m", "scope": SCOPE, "at": now}),
        Expected(Reason.UNKNOWN_TYPE, "incident.opened"),
        topic="feedback",
        key=SCOPE.encode(),
    ),
    Case(
        "a confidence of 2",
        lambda now: encoded(decision(now, confidence=2)),
        Expected(Reason.BAD_VALUE, "confidence"),
        topic="ai-decisions",
        key=AI_AGENT.encode(),
    ),
)


CASES: tuple[Case, ...] = (*METRICS_CASES, *DEPLOYMENTS_CASES, *OTHER_CASES)
