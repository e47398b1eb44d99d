"""Refused events as dead letters: a row for people, and a record on `dead-letters` for tools.

A timer that the model fails on becomes one too; its position is `TIMER_POSITION`, since it came from no message.
"""

import msgspec

from vigia.events.dead_letter import MAX_BODY, DeadLetter, encode_body
from vigia.events.effects import Timer
from vigia.events.identity import derive_id
from vigia.events.invalid import Reason
from vigia.stores.base import DeadLetterRow, LaneId
from vigia.streaming.batches import Batch
from vigia.streaming.intake import Refused

MAX_DETAIL = 8_000
"""Characters of detail that a dead letter keeps."""

TIMER_POSITION = -1
"""The position of a timer's dead letter: there is nothing to replay."""


def dead_letter_row(lane: LaneId, cluster_id: str, batch: Batch, refused: Refused) -> DeadLetterRow:
    """Return the row for one refused event; its id is derived from its place and reason, so a repeat gives the same."""
    record = batch.records[refused.record]
    invalid = refused.invalid
    body = invalid.body or record.value or b""
    place = (cluster_id, batch.topic, str(batch.partition), str(record.offset), str(refused.position))
    return DeadLetterRow(
        letter_id=derive_id("dead-letter", *place, invalid.reason),
        lane=lane,
        cluster_id=cluster_id,
        topic=batch.topic,
        offset=record.offset,
        position=refused.position,
        reason=invalid.reason,
        detail=printable(invalid.detail[:MAX_DETAIL])[:MAX_DETAIL],
        at=record.timestamp / 1000,
        key=(record.key or b"")[:MAX_DETAIL],
        body=body[:MAX_BODY],
        body_size=len(body),
        # nobody needs to look at it
        status="accepted" if invalid.unneeded else "open",
    )


def timer_letter_row(lane: LaneId, cluster_id: str, batch: Batch, timer: Timer, why: str) -> DeadLetterRow:
    """Return the row for a timer that was dropped: its body is the timer, its place the record that made it due."""
    record = batch.records[-1]
    body = msgspec.json.encode(timer)
    # the same timer may be set again, and fail again, later
    place = (cluster_id, batch.topic, str(batch.partition), str(record.offset))
    return DeadLetterRow(
        letter_id=derive_id("dead-timer", *place, lane.agent, timer.kind, timer.key, repr(timer.due)),
        lane=lane,
        cluster_id=cluster_id,
        topic=batch.topic,
        offset=record.offset,
        position=TIMER_POSITION,
        reason=Reason.MODEL_ERROR,
        detail=why[-MAX_DETAIL:],
        at=record.timestamp / 1000,
        key=timer.key.encode()[:MAX_DETAIL],
        body=body[:MAX_BODY],
        body_size=len(body),
    )


def dead_letter_event(row: DeadLetterRow) -> DeadLetter:
    """Return the record for `dead-letters`."""
    return DeadLetter(
        letter_id=row.letter_id,
        reason=row.reason,  # type: ignore[arg-type] # a reason's stored form is the reason
        detail=row.detail,
        cluster=row.cluster_id,
        topic=row.topic,
        partition=row.lane.partition,
        offset=row.offset,
        position=row.position,
        at=row.at,
        body=encode_body(row.body),
        body_size=row.body_size,
    )


def printable(text: str) -> str:
    """Return `text` with everything but line breaks escaped that a terminal would act on instead of showing it.

    Details quote what was sent, some in the words of the decoder, which quotes as is.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each == "\n" else repr(each)[1:-1] for each in text)
