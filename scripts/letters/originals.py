"""The original behind a letter: its whole body, and the key it was sent under.

A letter keeps 64 KiB of body and 8,000 bytes of key; what is longer is fetched from the raw log, which has the record.
"""

from typing import NamedTuple

import msgspec

from vigia.events.dead_letter import MAX_BODY
from vigia.stores.base import DeadLetterRow, RawLog
from vigia.streaming.batches import CUT_HEADER
from vigia.streaming.dead_letters import MAX_DETAIL


class Original(NamedTuple):
    """What to send again."""

    key: bytes | None
    body: bytes


class NoOriginal(Exception):
    """The raw log does not have what the letter cut off; the message says why."""


def original_of(letter: DeadLetterRow, raw_log: RawLog) -> Original:
    """Return the whole body and key of a letter's event; asks the raw log only when one was cut. Raises NoOriginal."""
    # Kafka takes an empty key for a key; a record without one was stored alike, and the lane gives both the right key
    key = letter.key or None
    if letter.body_size <= MAX_BODY and len(letter.key) < MAX_DETAIL:
        return Original(key, letter.body)
    place = (letter.cluster_id, letter.topic, letter.lane.partition)
    record = next(iter(raw_log.read(*place, letter.offset, letter.offset)), None)
    if record is None:
        raise NoOriginal(f"the raw log has no record at {'/'.join(map(str, place[1:]))}/{letter.offset}")
    if any(name == CUT_HEADER for name, _ in record.headers):
        raise NoOriginal("the record was too large to be kept whole; its beginning is all there is")
    if letter.body_size <= MAX_BODY:
        return Original(record.key, letter.body)
    return Original(record.key, _event_in(record.value or b"", letter))


def _event_in(value: bytes, letter: DeadLetterRow) -> bytes:
    """Return the letter's event in a record's value: all of it, or the element of an array."""
    if letter.body_size == len(value):
        return value
    try:
        events = msgspec.json.decode(value, type=list[msgspec.Raw])
    except msgspec.ValidationError:
        # one event that was stored in another spelling: times as numbers, known fields only
        return value
    except (msgspec.DecodeError, RecursionError) as error:
        raise NoOriginal(f"the record in the raw log is not the one that the letter was made from: {error}") from error
    if letter.position >= len(events):
        raise NoOriginal(
            f"the record in the raw log has {len(events)} events; the letter is of number {letter.position}"
        )
    return bytes(events[letter.position])
