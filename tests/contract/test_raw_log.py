"""What every raw log promises, on each implementation: all records, byte for byte, each once, in order, findable."""

import itertools
import math
import random
import threading
import uuid
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import pytest
from cassandra.cluster import Cluster
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vigia.stores.base import RawBatch, RawEntry, RawLog, RawRecord
from vigia.stores.errors import NoSchema, Unusable
from vigia.stores.raw import open_raw_log
from vigia.stores.raw_format import MAX_RECORD
from vigia.stores.raw_layout import Layout

CLUSTER = "cluster-1"
SMALL = Layout(event_bucket=7, batch_bucket=16, block=8, row_span=5, row_bytes=2_000)
NOON = 1_700_000_000.0 - 1_700_000_000.0 % 86_400 + 43_200
_names = itertools.count()


@pytest.fixture(scope="module", params=["sqlite", pytest.param("cassandra", marks=pytest.mark.stack)])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an empty raw log."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('raw')}/new/raw.db"
        return
    server = request.getfixturevalue("stack")["VIGIA_RAW_LOG_URL"].rpartition("/")[0]
    keyspace = f"vigia_test_{uuid.uuid4().hex}"
    yield f"{server}/{keyspace}"
    drop(server, keyspace)


def drop(server: str, keyspace: str) -> None:
    address = urlsplit(server)
    cluster = Cluster([address.hostname], port=address.port)
    try:
        cluster.connect().execute(f"DROP KEYSPACE IF EXISTS {keyspace}", timeout=60)
    finally:
        cluster.shutdown()


@pytest.fixture(scope="module")
def log(url: str) -> Iterator[RawLog]:
    """A raw log with the sizes of production."""
    yield from opened(url, Layout())


@pytest.fixture(scope="module")
def small(url: str, log: RawLog) -> Iterator[RawLog]:
    """The same log through tiny buckets, blocks and rows, so that a few records cross all their boundaries."""
    yield from opened(url, SMALL)


def opened(url: str, layout: Layout) -> Iterator[RawLog]:
    log = open_raw_log(url, replication_factor=1, layout=layout)
    log.migrate()
    yield log
    log.close()


@pytest.fixture
def topic() -> str:
    """A topic that no other test has used."""
    return new_topic()


def new_topic() -> str:
    return f"topic-{next(_names)}"


def record(
    topic: str,
    offset: int,
    value: bytes | None,
    key: bytes | None = b"key",
    *,
    timestamp: int = 1_700_000_000_123,
    headers: tuple[tuple[str, bytes], ...] = (),
) -> RawRecord:
    return RawRecord(topic, 0, offset, timestamp, key, value, headers)


def batch(records: Sequence[RawRecord], entries: Sequence[RawEntry] = (), *, packed: bool) -> RawBatch:
    return RawBatch(CLUSTER, records[0].topic, 0, records, entries, packed=packed)


def read(log: RawLog, topic: str, first: int = 0, last: int | None = None) -> list[RawRecord]:
    return list(log.read(CLUSTER, topic, 0, first, last))


def junk(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


ODD_RECORDS = {
    "null value": (None, b"k"),
    "empty value": (b"", b"k"),
    "null key": (b"{}", None),
    "empty key": (b"{}", b""),
    "both null": (None, None),
    "binary": (b"\xff\xfe\x00\x80", b"\x00\xff"),
    "text with nulls and newlines": ("\x00a\r\n\x00\u2028\ufeff\U0001f600\uffff".encode(), b"k"),
    "surrogates in UTF-8": (b"\xed\xa0\x80", b"k"),
    "an array": (b' [ {"a": 1} ,\n{"b":"\\u0000"}, 3 ]\n', b"k"),
    "an array of one": (b'[{"a": 1}]', b"k"),
    "an empty array": (b"[]", b"k"),
    "a broken array": (b'[{"a": 1}, {', b"k"),
    "deep nesting": (b"[" * 100_000, b"k"),
    "900 kB of junk": (junk(900_000), b"k"),
    "900 kB of text": (b"x" * 900_000, b"k"),
}


@pytest.mark.parametrize("packed", [False, True], ids=["rows", "batches"])
@pytest.mark.parametrize("with_entries", [False, True], ids=["no entries", "entries"])
@pytest.mark.parametrize("what", ODD_RECORDS)
def test_any_record_comes_back_byte_for_byte(log, topic, what, packed, with_entries):
    value, key = ODD_RECORDS[what]
    written = [record(topic, 5, value, key)]
    entries = [RawEntry(5, position, "svc", NOON, f"id-{position}") for position in range(2)] if with_entries else []
    log.append(batch(written, entries, packed=packed))
    assert read(log, topic) == written


@pytest.mark.parametrize("packed", [False, True], ids=["rows", "batches"])
@pytest.mark.parametrize("timestamp", [-1, 0, 1_700_000_000_123, 1_700_000_000_123_456, 2**63 - 1, -(2**63)])
def test_any_kafka_time_comes_back(log, topic, timestamp, packed):
    written = [record(topic, 0, b"{}", timestamp=timestamp), record(topic, 1, b"{}", timestamp=17)]
    log.append(batch(written, packed=packed))
    assert read(log, topic) == written


@pytest.mark.parametrize("packed", [False, True], ids=["rows", "batches"])
def test_headers_keep_their_order_their_repeats_and_their_bytes(log, topic, packed):
    headers = (("b", b"\xff"), ("a", b""), ("b", b"2"), ("", b"no name"), ("\u00fc", b"3"))
    written = [record(topic, 0, b"{}"), record(topic, 1, b"{}", headers=headers), record(topic, 2, b"{}")]
    log.append(batch(written, packed=packed))
    assert read(log, topic) == written


@pytest.mark.parametrize("packed", [False, True], ids=["rows", "batches"])
def test_a_batch_of_10000_records_with_holes_comes_back(log, topic, packed):
    offsets = sorted(random.Random(2).sample(range(1_000, 40_000), 10_000))
    written = [record(topic, offset, b'{"n": %d}' % offset, b"key-%d" % (offset % 9)) for offset in offsets]
    log.append(batch(written, packed=packed))
    assert read(log, topic) == written
    assert read(log, topic, 20_000, 20_100) == [one for one in written if 20_000 <= one.offset <= 20_100]


def test_the_largest_record_comes_back_and_a_larger_one_is_refused_with_advice(log, topic):
    largest = record(topic, 0, junk(MAX_RECORD - 100))
    log.append(batch([largest], packed=True))
    assert read(log, topic) == [largest]
    for packed in (False, True):
        with pytest.raises(Unusable, match=r"max\.message\.bytes"):
            log.append(batch([record(topic, 1, junk(MAX_RECORD))], packed=packed))


def test_nothing_is_read_where_nothing_was_written(log, topic):
    assert read(log, topic) == []
    log.append(batch([record(topic, 10, b"{}")], packed=True))
    assert list(log.read("cluster-2", topic, 0, 0)) == []
    assert list(log.read(CLUSTER, topic, 1, 0)) == []
    assert read(log, topic, 11) == read(log, topic, 0, 9) == read(log, topic, 10, 9) == []


@st.composite
def appended_logs(draw):
    """A partition's records, and the batches in which they are appended: overlapping, repeated, in any order."""
    offsets = sorted(draw(st.sets(st.integers(0, 60), min_size=1, max_size=40)))
    contents = st.sampled_from([None, b"", b'{"a": 1}', b"[1, 2]", b"\xff", b"x" * 700])
    keys = st.sampled_from([None, b"", b"a", b"b"])
    records = [(offset, draw(contents), draw(keys)) for offset in offsets]
    cuts = st.tuples(st.integers(0, len(records) - 1), st.integers(1, len(records)), st.booleans())
    slices = draw(st.lists(cuts, max_size=8))
    # these cover everything once; the others overlap them
    edges = sorted({0, len(records), *draw(st.lists(st.integers(0, len(records)), max_size=5))})
    slices += [(start, stop - start, draw(st.booleans())) for start, stop in itertools.pairwise(edges)]
    return records, draw(st.permutations(slices))


@settings(max_examples=60)
@given(appended_logs(), st.integers(0, 62), st.none() | st.integers(0, 62))
@example(([(15, b"a", None), (16, b"b", None)], [(0, 2, True)]), 16, None)
def test_however_a_log_is_cut_and_repeated_it_reads_back_once_in_order(small, appended, first, last):
    contents, slices = appended
    topic = new_topic()
    records = [record(topic, *content) for content in contents]
    for start, count, packed in slices:
        part = records[start : start + count]
        entries = [RawEntry(one.offset, 0, "svc", NOON, "") for one in part if one.value]
        small.append(batch(part, entries, packed=packed))
    assert read(small, topic) == records
    end = 62 if last is None else last
    assert read(small, topic, first, last) == [one for one in records if first <= one.offset <= end]


@pytest.mark.parametrize("packed", [False, True], ids=["rows", "batches"])
def test_reading_may_start_at_any_offset_around_the_boundaries(small, topic, packed):
    written = [record(topic, offset, b"{}") for offset in range(40)]
    for start in (0, 3, 14, 15, 31):
        small.append(batch(written[start : start + 16], packed=packed))
    for first in range(41):
        assert [one.offset for one in read(small, topic, first)] == list(range(first, 40))


def test_appending_the_same_again_changes_nothing(small, topic):
    written = [record(topic, offset, b"{}", b"svc-repeat") for offset in range(20)]
    entries = [RawEntry(offset, 0, "svc-repeat", NOON, str(offset)) for offset in range(20)]
    for _ in range(3):
        small.append(batch(written, entries, packed=False))
        small.append(batch(written, entries[:1], packed=True))
    assert read(small, topic) == written
    assert {one.offset for one in small.find("svc-repeat", NOON, NOON + 1)} == set(range(20))


def test_threads_may_append_at_the_same_time(small):
    topics = [new_topic() for _ in range(4)]
    written = {topic: [record(topic, offset, b"%d" % offset) for offset in range(200)] for topic in topics}

    def append(topic: str, packed: bool) -> None:
        for start in range(0, 200, 10):
            small.append(batch(written[topic][start : start + 10], packed=packed))

    threads = [threading.Thread(target=append, args=(topic, index % 2 == 0)) for index, topic in enumerate(topics)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(read(small, topic) == written[topic] for topic in topics)


def test_a_log_may_be_read_through_another_connection_while_it_is_read_here(url, small, topic):
    written = [record(topic, offset, b"{}") for offset in range(30)]
    small.append(batch(written[:20], packed=True))
    reading = small.read(CLUSTER, topic, 0, 0)
    assert next(reading) == written[0]
    small.append(batch(written[20:], packed=True))
    (other,) = [open_raw_log(url, replication_factor=1, layout=SMALL)]
    assert list(other.read(CLUSTER, topic, 0, 0)) == written
    other.close()
    assert list(reading)[:19] == written[1:20]


class TestFindingRecordsKeptInRows:
    def test_gives_those_with_an_event_of_the_service_in_the_time_asked_for(self, small, topic):
        service = f"svc-{topic}"
        written = [record(topic, offset, b"{}") for offset in range(20)]
        times = [NOON + 0.0001 * offset for offset in range(20)]
        entries = [RawEntry(offset, 0, service, at, "") for offset, at in enumerate(times)]
        entries[3] = RawEntry(3, 0, "another", times[3], "")
        small.append(batch(written, entries, packed=False))
        found = list(small.find(service, times[2], times[9]))
        assert found == [written[offset] for offset in (2, 4, 5, 6, 7, 8)]
        assert list(small.find(service, times[9], times[9])) == []

    def test_spans_days_and_orders_by_event_time(self, small, topic):
        service = f"svc-{topic}"
        written = [record(topic, offset, b"{}") for offset in range(4)]
        times = [NOON + 86_400 * 40, 0.0, NOON, 32_503_679_999.9]
        entries = [RawEntry(offset, 0, service, at, "") for offset, at in enumerate(times)]
        small.append(batch(written, entries, packed=False))
        assert [one.offset for one in small.find(service, 0, 32_503_680_000)] == [1, 2, 0, 3]
        assert [one.offset for one in small.find(service, NOON, NOON + 86_400 * 40)] == [2]

    def test_gives_a_record_with_several_events_once_and_whole(self, small, topic):
        service = f"svc-{topic}"
        written = [record(topic, 0, b'[{"n": 0}, {"n": 1}, {"n": 2}]')]
        entries = [RawEntry(0, position, service, NOON + position, "") for position in (0, 2)]
        small.append(batch(written, entries, packed=False))
        assert list(small.find(service, NOON, NOON + 10)) == written
        assert list(small.find(service, NOON + 2, NOON + 3)) == written

    def test_finds_an_event_of_an_array_too_long_to_be_split(self, log, topic):
        service = f"svc-{topic}"
        written = [record(topic, 0, b"[" + b"1," * 10_000 + b"1]")]
        log.append(batch(written, [RawEntry(0, 7, service, NOON, "")], packed=False))
        assert list(log.find(service, NOON, NOON + 1)) == read(log, topic) == written


class TestFindingRecordsKeptInBatches:
    def test_gives_those_keyed_by_the_service_or_naming_it(self, small, topic):
        service = f"svc-\u00fc-{topic}"
        values = [
            (b"1", service.encode()),
            (b'{"service":"%s"}' % service.encode(), None),
            (b'[{}, {"service":"svc-\\u00fc-%s"}]' % topic.encode(), b"other"),
            (b'{"service":"%s-2"}' % service.encode(), f"{service}-2".encode()),
            (None, b"other"),
        ]
        written = [record(topic, 30 + index, value, key) for index, (value, key) in enumerate(values)]
        small.append(batch(written, [RawEntry(30, 0, service, NOON, "")], packed=True))
        assert list(small.find(service, NOON, NOON + 60)) == written[:3]

    def test_looks_by_the_hour(self, small, topic):
        service = f"svc-{topic}"
        written = [record(topic, offset, b"{}", service.encode()) for offset in range(4)]
        small.append(batch(written, [RawEntry(0, 0, service, NOON, "")], packed=True))
        assert list(small.find(service, NOON + 3_599, NOON + 3_600)) == written
        assert list(small.find(service, NOON + 3_600, NOON + 7_200)) == []
        assert list(small.find(service, NOON - 3_600, NOON)) == []
        assert list(small.find(service, -math.inf, math.inf)) == written

    def test_finds_all_of_a_row_that_lies_in_two_blocks(self, small, topic):
        service = f"svc-{topic}"
        written = [record(topic, offset, b"{}", service.encode()) for offset in range(6, 10)]
        small.append(batch(written, [RawEntry(6, 0, service, NOON, "")], packed=True))
        assert list(small.find(service, NOON, NOON + 1)) == written

    def test_gives_records_of_overlapping_rows_and_blocks_once(self, small, topic):
        service = f"svc-{topic}"
        written = [record(topic, offset, b"{}", service.encode()) for offset in range(60)]
        for start in (0, 7, 20, 33, 44):
            part = written[start : start + 20]
            small.append(batch(part, [RawEntry(part[0].offset, 0, service, NOON, "")], packed=True))
        assert list(small.find(service, NOON, NOON + 1)) == written


def test_migrating_again_changes_nothing(url, small, topic):
    written = [record(topic, 0, b"{}")]
    small.append(batch(written, packed=True))
    other = open_raw_log(url, replication_factor=1)
    other.migrate()
    assert read(other, topic) == written
    other.close()


def test_a_log_that_was_never_migrated_says_so(url):
    missing = open_raw_log(f"{url[:-8]}_missing", replication_factor=1)
    attempts = [
        missing.check,
        lambda: missing.append(batch([record("t", 0, b"{}")], packed=True)),
        lambda: list(missing.read(CLUSTER, "t", 0, 0)),
        lambda: list(missing.find("svc", 0, 1)),
    ]
    for attempt in attempts:
        with pytest.raises(NoSchema, match="migration"):
            attempt()
    missing.close()


def test_a_checked_log_warns_of_what_weakens_it(log):
    assert log.check()


def test_a_closed_log_may_be_used_again(url, topic):
    log = open_raw_log(url, replication_factor=1)
    log.append(batch([record(topic, 0, b"{}")], packed=True))
    log.close()
    log.close()
    assert len(read(log, topic)) == 1
    log.close()
