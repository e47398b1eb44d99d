"""Fetched bytes become records: header names of any bytes, and what cannot be read is named and loses nothing else."""

import struct
from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from tests.support.raw_batches import (
    ATTRIBUTES_AT,
    GZIP,
    LZ4,
    NONE,
    RECORDS_AT,
    SNAPPY,
    ZSTD,
    Plain,
    RawName,
    damaged,
    record_batch,
    resealed,
)
from vigia.stores.base import RawRecord
from vigia.streaming.record_parsing import (
    FetchedBatches,
    FetchedRecords,
    FetchResult,
    TolerantBatch,
    UnreadableError,
    install,
)

TP = TopicPartition("metrics", 3)
VALUE = b'{"service": "shop"}' * 20
ODD = Plain(VALUE, headers=((RawName(b"caf\xe9"), b"1"), ("trace", None)))
GOOD = Plain(VALUE, headers=(("é", b"\xff"),))
CODECS = [NONE, GZIP, SNAPPY, LZ4, ZSTD]


def fetched(data: bytes, offset: int = 0) -> FetchedRecords:
    return FetchedRecords(TP, FetchedBatches(data), None, offset, None, None, True, READ_COMMITTED)


def read(data: bytes, offset: int = 0) -> list[tuple[int, Any]]:
    """Offset and headers of each record of a fetch from `offset` on."""
    return [(record.offset, record.headers) for record in fetched(data, offset).take(None)]


odd_headers = (("caf\\xe9", b"1"), ("trace", None))
good_headers = (("é", b"\xff"),)


@pytest.mark.parametrize("codec", CODECS)
def test_a_header_name_that_is_not_utf8_is_spelt_with_escapes_and_nothing_else_changes(codec):
    data = record_batch([GOOD, ODD, GOOD], 0, codec) + record_batch([GOOD], 3, codec)
    assert read(data) == [(0, good_headers), (1, odd_headers), (2, good_headers), (3, good_headers)]
    odd = fetched(data).take(None)[1]
    assert (odd.key, odd.value, odd.timestamp) == (b"shop", VALUE, 1_000)


def test_several_such_batches_in_a_fetch_are_all_read_once_and_in_order():
    batches = [record_batch([ODD if number % 2 else GOOD] * 2, 2 * number) for number in range(6)]
    assert [offset for offset, _ in read(b"".join(batches))] == list(range(12))
    assert [offset for offset, _ in read(b"".join(batches[1:]), 3)] == list(range(3, 12))


def test_a_batch_of_the_broker_s_time_keeps_it():
    def log_append_time(batch: bytearray) -> None:
        batch[ATTRIBUTES_AT + 1] |= 8
        struct.pack_into(">q", batch, 35, 5_000)  # the latest timestamp, which is the broker's

    (odd,) = fetched(resealed(record_batch([ODD]), log_append_time)).take(None)
    assert odd.timestamp == 5_000


def test_what_an_aborted_transaction_wrote_stays_out():
    def of_producer_7(batch: bytearray) -> None:
        batch[ATTRIBUTES_AT + 1] |= 0x10
        struct.pack_into(">q", batch, 43, 7)

    aborted = resealed(record_batch([ODD, ODD]), of_producer_7)
    data = aborted + record_batch([ODD], 2)
    records = FetchedRecords(TP, FetchedBatches(data), [(7, 0)], 0, None, None, True, READ_COMMITTED)
    assert records.take(None).offsets == [2]


names = st.text(max_size=8)
optional = st.none() | st.binary(max_size=40)
plain = st.builds(Plain, optional, optional, st.lists(st.tuples(names, optional), max_size=3).map(tuple))


@given(st.lists(plain, min_size=1, max_size=8), st.sampled_from(CODECS), st.integers(0, 2**60))
def test_the_tolerant_parser_reads_what_the_usual_one_reads(records, codec, base):
    data = record_batch(records, base, codec)
    fields = ("offset", "timestamp", "timestamp_type", "key", "value", "headers")
    usual, tolerant = (
        [[getattr(record, name) for name in fields] for record in batch]
        for batch in (MemoryRecords(data).next_batch(), TolerantBatch(data))
    )
    assert tolerant == usual
    assert len(tolerant) == len(records)


@given(st.lists(st.binary(max_size=6), min_size=1, max_size=5))
def test_any_header_name_is_read_as_text_that_is_utf8(raw):
    data = record_batch([Plain(VALUE, headers=[(RawName(name), None) for name in raw])])
    ((_, headers),) = read(data)
    assert [name for name, _ in headers] == [name.decode(errors="backslashreplace") for name in raw]
    assert all(name.encode() for name, _ in headers if name)


@given(
    st.lists(st.lists(plain, min_size=1, max_size=5), min_size=1, max_size=4),
    st.lists(st.integers(1, 7), min_size=20, max_size=20),
    st.integers(0, 5),
)
def test_a_fetch_given_out_in_pieces_of_any_size_is_the_whole_and_each_piece_says_where_the_next_begins(
    batches, limits, start
):
    log: list[tuple[int, bytes]] = []
    base = 0
    for batch in batches:
        log.append((base + len(batch), record_batch(batch, base)))
        base += len(batch) + 1  # compaction has left a hole

    def from_offset(offset: int) -> FetchedRecords:
        # a broker sends no batch that ends before
        return fetched(b"".join(data for end, data in log if end > offset), offset)

    whole = [record for _, data in log for record in MemoryRecords(data).next_batch() if record.offset >= start]
    records = from_offset(start)
    got: list[Any] = []
    for limit in limits:
        piece = records.take(limit)
        assert len(piece) == min(limit, len(whole) - len(got))
        got += piece
        # when a seek drops what is left, it is fetched again from here
        again = from_offset(records.next_fetch_offset).take(None)
        assert again.offsets == [one.offset for one in whole[len(got) :]]
    assert got == [
        RawRecord("metrics", 3, one.offset, one.timestamp, one.key, one.value, tuple(one.headers)) for one in whole
    ]


def test_records_that_do_not_rise_are_left_out_as_aiokafka_does():
    def repeat_first_offset(batch: bytearray) -> None:
        # the second record's offset, as a varint, comes before the lengths of key and value
        batch[batch.index(b"secnd") - 3] = 0

    data = resealed(
        record_batch([Plain(b"first", None), Plain(b"secnd", None), Plain(b"third", None)]), repeat_first_offset
    )
    assert [record.value for record in fetched(data).take(None)] == [b"first", b"third"]


# ---------------------------------------------------------------------------------------------------------- unreadable


def cut(batch: bytearray) -> None:
    del batch[-8:]
    struct.pack_into(">i", batch, 8, len(batch) - 12)


def codec_7(batch: bytearray) -> None:
    batch[ATTRIBUTES_AT + 1] |= 7


def nonsense(batch: bytearray) -> None:
    batch[RECORDS_AT : RECORDS_AT + 2] = b"\x01\x01"


UNREADABLE = {
    "a checksum that does not fit": (damaged(record_batch([GOOD], 2)), "Invalid CRC"),
    "an unknown codec": (resealed(record_batch([GOOD], 2), codec_7), "UnsupportedCodecError"),
    "records that make no sense": (resealed(record_batch([GOOD], 2), nonsense), "CorruptRecordException"),
    **{
        f"cut short in codec {codec}": (resealed(record_batch([GOOD] * 3, 2, codec), cut), "Error")
        for codec in (GZIP, SNAPPY, LZ4, ZSTD)
    },
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_named_after_what_lies_before_it_was_delivered(name):
    bad, says = UNREADABLE[name]
    data = record_batch([GOOD, GOOD]) + bad + record_batch([GOOD], 9)
    records = fetched(data)
    assert records.take(None).offsets == [0, 1]
    # where the next fetch begins
    assert records.next_fetch_offset == 2
    with pytest.raises(UnreadableError, match=r"topic metrics, partition 3, offset 2 cannot be read: ") as raised:
        read(bad + record_batch([GOOD], 9), 2)
    assert raised.value.place == ("metrics", 3, 2)
    assert says in str(raised.value)


def test_a_record_that_makes_no_sense_in_the_middle_of_a_batch_loses_none_before_it():
    def shorten_third(batch: bytearray) -> None:
        third = batch.index(b"third")
        batch[third - 1] = 2 * 60  # the length of the value, as a varint

    records = [Plain(b"first"), Plain(b"secnd"), Plain(b"third")]
    data = resealed(record_batch(records), shorten_third)
    assert [offset for offset, _ in read(data)] == [0, 1]
    with pytest.raises(UnreadableError, match="offset 2"):
        read(data, 2)


def test_one_in_the_middle_of_a_batch_with_an_odd_name_loses_none_either():
    def shorten_third(batch: bytearray) -> None:
        batch[batch.index(b"third") - 1] = 2 * 60

    records = [Plain(b"first"), Plain(b"secnd", headers=ODD.headers), Plain(b"third")]
    data = resealed(record_batch(records), shorten_third)
    assert [offset for offset, _ in read(data)] == [0, 1]
    with pytest.raises(UnreadableError, match="offset 2"):
        read(data, 2)


def test_running_out_of_memory_is_no_damage(monkeypatch):
    class Full(FetchedBatches):
        def has_next(self) -> bool:
            raise MemoryError

    records = FetchedRecords(TP, Full(b""), None, 0, None, None, True, READ_COMMITTED)
    with pytest.raises(MemoryError):
        records.take(None)


def test_aiokafka_s_fetcher_takes_its_classes_from_where_they_are_put(monkeypatch):
    for name in ("MemoryRecords", "PartitionRecords", "FetchResult"):
        monkeypatch.setattr(fetcher, name, getattr(fetcher, name))
        assert name in fetcher.Fetcher._proc_fetch_request.__code__.co_names
    assert "FetchResult" in fetcher.Fetcher.fetched_records.__code__.co_names
    install()
    assert (fetcher.MemoryRecords, fetcher.PartitionRecords, fetcher.FetchResult) == (
        FetchedBatches,
        FetchedRecords,
        FetchResult,
    )
