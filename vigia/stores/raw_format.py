"""The packed row: the bytes in which the raw log keeps many records of one partition as one value.

A packed row is one version byte and one zstd frame with size and checksum; inside lies one msgpack array of columns
(offsets, times, keys as a dictionary, sizes, values end to end). Columns instead of records, because a batch is encoded
in the hot path: no Python code runs per record. What surprises: a frame is refused before it is decompressed when it
says it is larger than `MAX_UNPACKED`, or does not say how large it is.
"""

import threading
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise, repeat
from operator import lt
from typing import NamedTuple

import msgspec
import zstandard

from vigia.stores.base import RawRecord, Record
from vigia.stores.errors import Unusable
from vigia.stores.records import Records

VERSION = 1
"""The first byte of a packed row. Readers know all versions ever written."""

LEVEL = 1
"""zstd's level: on telemetry 2 and 3 take longer and save nothing."""

MAX_RECORD = 8 * 1024 * 1024
"""Largest record (key, value, headers; in bytes) that the raw log keeps; Cassandra refuses mutations above 16 MiB."""

MAX_UNPACKED = 4 * MAX_RECORD
"""Largest decompressed row in bytes."""

_NULL = -1


class CorruptRow(Unusable):
    """A stored row is not what was written: its bytes are damaged, or of a version that this release does not know."""


class PackedRow(NamedTuple):
    """Records of one partition in one value."""

    first_offset: int
    last_offset: int
    record_count: int
    body: bytes


class _Columns(msgspec.Struct, array_like=True, frozen=True):
    first: int
    offsets: list[int] | None
    """Distance of each offset to `first`; None when they are consecutive."""
    time: int
    """The earliest time, so that no distance is negative, nor too large for msgpack."""
    times: list[int]
    keys: list[bytes | None]
    """Each different key once."""
    key_codes: list[int]
    sizes: list[int]
    """Bytes of each value; -1 is a null value, which is not the same as an empty one."""
    headers: dict[int, list[tuple[str, bytes | None]]]
    """By index, only of the records that have any."""
    values: bytes


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Columns)


class _Codec(threading.local):
    """zstd's contexts are costly to make and not to be shared between threads."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True, write_content_size=True)
        self.decompressor = zstandard.ZstdDecompressor()


_codec = _Codec()


def pack(records: Sequence[Record]) -> PackedRow:
    """Return `records`, of one partition and with rising offsets, as one row. Raises ValueError for other input."""
    columns = Records.of(records)
    offsets = columns.offsets
    first = offsets[0] if offsets else 0
    consecutive = bool(offsets) and offsets == list(range(first, first + len(offsets)))
    if not consecutive and not (offsets and all(map(lt, offsets, offsets[1:]))):
        raise ValueError("a packed row needs at least one record, and offsets that rise")
    time = min(columns.timestamps)
    codes = {key: code for code, key in enumerate(dict.fromkeys(columns.keys))}
    sizes, values = _joined(columns.values)
    packed = _Columns(
        first,
        None if consecutive else [offset - first for offset in offsets],
        time,
        [at - time for at in columns.timestamps],
        list(codes),
        list(map(codes.__getitem__, columns.keys)),
        sizes,
        {index: list(found) for index, found in enumerate(columns.headers or ()) if found},
        values,
    )
    return PackedRow(first, offsets[-1], len(offsets), compress(_encoder.encode(packed)))


def _joined(values: Sequence[bytes | None]) -> tuple[list[int], bytes]:
    """Return the size of each value and all of them end to end."""
    try:
        # null values are rare, and looking for them takes longer than the rest
        return list(map(len, values)), b"".join(values)  # type: ignore[arg-type]
    except TypeError:
        return [_NULL if value is None else len(value) for value in values], b"".join(filter(None, values))


def unpack(topic: str, partition: int, row: PackedRow) -> Iterator[RawRecord]:
    """Return the records of a row in order. Raises CorruptRow for anything that `pack` cannot have written."""
    place = f"the packed row {topic}/{partition} {row.first_offset}..{row.last_offset}"
    try:
        columns = _decoder.decode(decompress(row.body))
        return _records(topic, partition, columns, row)
    except (msgspec.MsgspecError, ValueError) as error:
        raise CorruptRow(f"{place} does not hold records: {error}") from error
    except CorruptRow as error:
        raise CorruptRow(f"{place}: {error}") from error


def _records(topic: str, partition: int, columns: _Columns, row: PackedRow) -> Iterator[RawRecord]:
    count = len(columns.sizes)
    distances = range(count) if columns.offsets is None else columns.offsets
    if not count or not {count} == {row.record_count, len(distances), len(columns.times), len(columns.key_codes)}:
        raise ValueError("its columns differ in length")
    offsets = [columns.first + distance for distance in distances]
    if (offsets[0], offsets[-1]) != (row.first_offset, row.last_offset) or not all(map(lt, offsets, offsets[1:])):
        raise ValueError("its offsets are not those of its place")
    if min(columns.sizes) < _NULL or not 0 <= min(columns.key_codes) <= max(columns.key_codes) < len(columns.keys):
        raise ValueError("a size or key code lies outside its range")
    values = columns.values
    ends = list(accumulate((max(size, 0) for size in columns.sizes), initial=0))
    if ends[-1] != len(values):
        raise ValueError("its sizes do not add up to its values")
    cut: list[bytes | None] = [values[start:end] for start, end in pairwise(ends)]
    if _NULL in columns.sizes:
        cut = [None if size == _NULL else value for size, value in zip(columns.sizes, cut, strict=True)]
    time = columns.time
    keys = columns.keys
    headers = columns.headers
    return map(
        RawRecord,
        repeat(topic),
        repeat(partition),
        offsets,
        [time + distance for distance in columns.times],
        [keys[code] for code in columns.key_codes],
        cut,
        [tuple(headers.get(index, ())) for index in range(count)] if headers else repeat(()),
    )


def compress(content: bytes) -> bytes:
    """Return `content` compressed, with version, size and checksum."""
    return bytes([VERSION]) + _codec.compressor.compress(content)


def decompress(body: bytes) -> bytes:
    """Return what `compress` was given; raises CorruptRow for anything else."""
    if body[:1] != bytes([VERSION]):
        raise CorruptRow(f"it is of version {body[0] if body else 'none'}; this release reads version {VERSION}")
    frame = memoryview(body)[1:]
    try:
        parameters = zstandard.get_frame_parameters(frame)
        if not parameters.has_checksum or parameters.content_size > MAX_UNPACKED:
            raise CorruptRow(f"its frame has no checksum, or claims more than {MAX_UNPACKED} bytes")
        return _codec.decompressor.decompress(frame, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise CorruptRow(f"it is damaged: {error}") from error
