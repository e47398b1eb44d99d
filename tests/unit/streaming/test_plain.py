"""The quick way of a plain batch gives what the careful way gives, and takes no batch that needs a closer look."""

import json
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigia import topics
from vigia.stores.base import RawRecord
from vigia.stores.records import Records
from vigia.streaming.batches import ORIGIN_HEADER, TICK_HEADER, Batch
from vigia.streaming.intake import Intake, Taken
from vigia.streaming.partitions import partition_of

NOW = 1_795_000_000.0
HERE = [name for name in (f"svc{number}" for number in range(40)) if partition_of(name.encode(), 4) == 1]
ELSEWHERE = next(name for name in (f"svc{number}" for number in range(40)) if partition_of(name.encode(), 4) != 1)


def record(offset: int, event: object, **fields: object) -> RawRecord:
    value = event if isinstance(event, bytes) else json.dumps(event).encode()
    given = {"key": HERE[0].encode(), "value": value, "headers": (), "timestamp": int(NOW * 1000), **fields}
    return RawRecord(topic="metrics", partition=1, offset=offset, **given)  # type: ignore[arg-type]


def sample(**fields: object) -> dict[str, object]:
    return {"service": HERE[0], "metric": "latency", "ts": NOW - 5, "value": 1.5, **fields}


def batch_of(*records: RawRecord) -> Batch:
    return Batch("metrics", 1, 1, records[0].offset, Records.of(records))


def intake() -> Intake:
    """It knows no key yet: a batch with new ones is plain, too."""
    return Intake(topics.METRICS, lambda _service, _at: "team", 300.0)


def contents(taken: Taken) -> dict[str, object]:
    found = {name: getattr(taken, name) for name in Taken.__dataclass_fields__}
    events = [msgspec.structs.asdict(event) for event in taken.events]
    return found | {"events": events, "batch": (taken.batch.start, list(taken.batch.records))}


plain = st.builds(
    lambda name, ts, value, labels: (name, sample(service=name, ts=ts, value=value, **labels)),
    st.sampled_from(HERE),
    st.floats(NOW - 1e6, NOW + 299) | st.integers(int(NOW) - 1000, int(NOW)),
    st.floats(-1e280, 1e280) | st.integers(-1000, 1000),
    st.sampled_from([{}, {"labels": {"a": "b"}}, {"environment": "test", "unit": "1"}, {"more": [1, {"a": 2}]}]),
)


@given(st.lists(plain, min_size=1, max_size=20), st.lists(st.integers(-5000, 5000), min_size=20, max_size=20))
def test_a_plain_batch_is_the_same_both_ways(events, stamps):
    one = intake()
    records = [
        record(7 + index, event, key=name.encode(), timestamp=int(NOW * 1000) + stamps[index] % 1000)
        for index, (name, event) in enumerate(events)
    ]
    batch = batch_of(*records)
    quick = one._take_plain(batch, 4, "cluster")
    assert quick is not None
    assert contents(quick) == contents(one._take_carefully(batch, 4, "cluster"))


@pytest.mark.parametrize(
    "odd",
    [
        record(8, b""),
        record(8, b"junk"),
        record(8, b"3"),
        record(8, sample(), value=None),
        record(8, sample(), key=None),
        record(8, sample(), key=b"somebody"),
        record(8, sample(service=ELSEWHERE), key=ELSEWHERE.encode()),
        record(8, sample(service="other")),
        record(8, sample(), headers=((TICK_HEADER, b"1"),)),
        record(8, sample(), headers=((ORIGIN_HEADER, b"x"),)),
        record(8, sample(event_id="one")),
        record(8, sample(ts=None, value=None, points=[[NOW, 1.0]])),
        record(8, sample(ts=None)),
        record(8, sample(ts=NOW * 1000)),
        record(8, sample(ts=NOW + 301)),
        record(8, sample(ts=-1.0)),
        record(8, sample(ts="2026-11-24T12:00:00Z")),
        record(8, sample(ts=NOW, points=[[NOW, 1.0]])),
        record(8, sample(value=1.1e280)),
        record(8, sample(value=-1.1e280)),
        record(8, sample(value=None)),
        record(8, [sample(), sample()]),
        record(8, b"%b,%b" % (json.dumps(sample()).encode(), json.dumps(sample()).encode())),
        record(8, b'"' + b"a" * (4 * 1024 * 1024) + b'"'),
    ],
    ids=lambda odd: str(odd.value[:40] if odd.value else odd.value) + str(odd.key) + str(odd.headers),
)
def test_a_batch_with_anything_odd_goes_the_careful_way(odd):
    one = intake()
    batch = batch_of(record(7, sample()), odd, record(9, sample()))
    assert one._take_plain(batch, 4, "") is None
    assert contents(one.take(batch, 4)) == contents(intake()._take_carefully(batch, 4, ""))


def test_a_sample_ahead_of_the_earliest_record_is_looked_at_closely():
    one = intake()
    late = replace(batch_of(record(7, sample())), records=Records.of([record(7, sample(ts=NOW + 299), timestamp=1)]))
    assert one._take_plain(late, 4, "") is None


def test_a_key_that_belongs_here_of_four_partitions_is_looked_at_anew_of_six():
    name = next(each for each in HERE if partition_of(each.encode(), 6) != 1)
    one, batch = intake(), batch_of(record(7, sample(service=name), key=name.encode()))
    for _ in range(2):
        assert (len(one.take(batch, 4).events), len(one.take(batch, 6).moved)) == (1, 1)
