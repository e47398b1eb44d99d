"""The packed row: what goes in comes out, and whatever else comes in is refused with a reason and without harm."""

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from vigia.stores.base import RawRecord
from vigia.stores.raw_format import MAX_UNPACKED, VERSION, CorruptRow, PackedRow, compress, decompress, pack, unpack

INT64 = st.integers(-(2**63), 2**63 - 1)
HEADERS = st.lists(st.tuples(st.text(max_size=5), st.binary(max_size=5)), max_size=2).map(tuple)
CONTENTS = st.tuples(INT64, st.none() | st.binary(max_size=8), st.none() | st.binary(max_size=40), HEADERS)


def record(offset, timestamp=0, key=b"k", value=b"v", headers=()):
    return RawRecord("metrics", 3, offset, timestamp, key, value, headers)


@given(st.dictionaries(st.integers(0, 2**63 - 1), CONTENTS, min_size=1))
def test_any_records_come_back(contents):
    records = [record(offset, *contents[offset]) for offset in sorted(contents)]
    row = pack(records)
    assert row[:3] == (records[0].offset, records[-1].offset, len(records))
    assert list(unpack("metrics", 3, row)) == records


def test_the_same_records_give_the_same_bytes():
    records = [record(offset, 7, b"a" if offset % 2 else b"b") for offset in range(100)]
    assert pack(records) == pack(list(records))


@pytest.mark.parametrize("offsets", [[], [1, 1], [2, 1]])
def test_records_out_of_order_are_refused(offsets):
    with pytest.raises(ValueError, match="rise"):
        pack([record(offset) for offset in offsets])


@pytest.mark.parametrize("index", range(0, 400, 7))
def test_a_changed_byte_is_noticed(index):
    row = pack([record(offset, offset * 31, value=b"%x" % hash((offset, 1))) for offset in range(200)])
    body = bytearray(row.body)
    body[index] ^= 0x41
    with pytest.raises(CorruptRow, match=r"metrics/3 0\.\.199"):
        list(unpack("metrics", 3, row._replace(body=bytes(body))))


@pytest.mark.parametrize("size", [0, 1, 5, 30])
def test_a_row_cut_short_is_noticed(size):
    row = pack([record(offset) for offset in range(20)])
    with pytest.raises(CorruptRow):
        list(unpack("metrics", 3, row._replace(body=row.body[:size])))


@pytest.mark.parametrize("change", [{"first_offset": 1}, {"last_offset": 20}, {"record_count": 19}])
def test_a_row_in_another_row_s_place_is_noticed(change):
    row = pack([record(offset) for offset in range(20)])
    with pytest.raises(CorruptRow):
        list(unpack("metrics", 3, row._replace(**change)))


def test_a_version_of_the_future_is_named():
    with pytest.raises(CorruptRow, match=r"version 9.*version 1"):
        decompress(b"\x09" + compress(b"x")[1:])


def test_a_bomb_is_refused_before_it_is_unpacked():
    bomb = zstandard.ZstdCompressor(write_checksum=True).compress(bytes(MAX_UNPACKED + 1))
    assert len(bomb) < 10_000
    with pytest.raises(CorruptRow, match="claims more"):
        decompress(bytes([VERSION]) + bomb)


@pytest.mark.parametrize(
    "compressor",
    [
        zstandard.ZstdCompressor(write_content_size=False, write_checksum=True),
        zstandard.ZstdCompressor(write_content_size=True, write_checksum=False),
    ],
    ids=["of unknown size", "without checksum"],
)
def test_a_frame_that_cannot_be_trusted_is_refused(compressor):
    with pytest.raises(CorruptRow):
        decompress(bytes([VERSION]) + compressor.compress(b"x" * 100))


def test_bytes_behind_the_frame_are_refused():
    with pytest.raises(CorruptRow):
        decompress(compress(b"x") + b"more")


GOOD: list[object] = [7, None, 0, [0, 0], [b"k"], [0, 0], [1, 1], {}, b"ab"]


def columns(**changes):
    names = ["first", "offsets", "time", "times", "keys", "key_codes", "sizes", "headers", "values"]
    return [changes.get(name, value) for name, value in zip(names, GOOD, strict=True)]


def unpacked(content):
    return list(unpack("metrics", 3, PackedRow(7, 8, 2, compress(msgspec.msgpack.encode(content)))))


def test_the_hand_made_row_is_good_when_nothing_is_wrong_with_it():
    assert [one.value for one in unpacked(columns())] == [b"a", b"b"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        "text",
        [],
        columns(first="7"),
        columns(first=8),
        columns(offsets=[0]),
        columns(offsets=[1, 0]),
        columns(offsets=[0, 2]),
        columns(times=[0]),
        columns(key_codes=[0]),
        columns(key_codes=[0, 1]),
        columns(key_codes=[-1, 0]),
        columns(sizes=[1, 2]),
        columns(sizes=[3, -2]),
        columns(sizes=[2]),
        columns(sizes=[], times=[], key_codes=[], values=b""),
        columns(values=b"abc"),
        columns(headers={0: [("a",)]}),
        columns(headers=7),
    ],
)
def test_columns_that_do_not_fit_together_are_refused(content):
    with pytest.raises(CorruptRow, match=r"metrics/3 7\.\.8"):
        unpacked(content)
