"""Records that no store could keep: they are cut, marked, and refused, instead of stopping their lane for good.

What surprises: the broker's limit is on what was compressed, so a record of a megabyte there can be a gigabyte here.
"""

from collections.abc import Collection
from dataclasses import replace

from vigia.events.dead_letter import MAX_BODY
from vigia.events.invalid import Invalid, Reason
from vigia.stores.base import RawRecord, Record
from vigia.stores.records import Records
from vigia.streaming.batches import CUT_HEADER, Batch, header

MAX_VALUE = 4 * 1024 * 1024
"""Largest value of a record, in bytes."""

MAX_REST = 1024 * 1024
"""Most bytes of a record's key, and of its headers; with a value they are what the raw log can keep."""

MAX_KEY_KEPT = 1024
"""Bytes of a key that are left of a record that is cut."""


def is_large(record: Record) -> bool:
    """Return whether a record is larger than any that is kept."""
    value, key = record.value, record.key
    return (
        (value is not None and len(value) > MAX_VALUE)
        or (key is not None and len(key) > MAX_REST)
        or (bool(record.headers) and _headers_size(record) > MAX_REST)
    )


def cut(batch: Batch, large: Collection[int]) -> Batch:
    """Return the batch with the records at these indexes cut: their beginning is kept, and their sizes in a header."""
    records = list(batch.records)
    for index in large:
        record = records[index]
        sizes = f"{len(record.value or b'')},{len(record.key or b'')},{_headers_size(record)}"
        records[index] = RawRecord(
            record.topic,
            record.partition,
            record.offset,
            record.timestamp,
            None if record.key is None else record.key[:MAX_KEY_KEPT],
            # one byte more than a dead letter keeps, so that the letter shows that something is missing
            None if record.value is None else record.value[: MAX_BODY + 1],
            ((CUT_HEADER, sizes.encode()),),
        )
    return replace(batch, records=Records.of(records))


def too_large(record: Record) -> Invalid | None:
    """Return why a record that was cut is refused; None for all others.

    The header decides, not the size: read back from the raw log, the record is to be refused for the same reason.
    """
    sizes = header(record, CUT_HEADER) if record.headers else None
    if sizes is None:
        return None
    return Invalid(
        Reason.TOO_LARGE,
        f"the record's value, key and headers have {sizes.decode(errors='replace')[:60]} bytes, decompressed; at most "
        f"{MAX_VALUE}, {MAX_REST} and {MAX_REST} are allowed, and only its beginning was kept",
    )


def _headers_size(record: Record) -> int:
    return sum(len(name) + len(value or b"") for name, value in record.headers)
