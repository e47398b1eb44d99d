"""`replay`: the events of letters go to their topics again, under their keys; a dry run unless told otherwise.

A letter is marked `replayed` once the broker has acknowledged its event. When that mark fails, the letter stays open,
and a second replay sends the event again: events with an id are then counted once, samples without one twice.
"""

import sys
from collections.abc import Sequence
from typing import NamedTuple

from scripts.letters import DONE, NOT_ALL, UNREACHABLE
from scripts.letters.listing import place_of
from scripts.letters.originals import NoOriginal, original_of
from scripts.letters.safe import as_text, one_line
from scripts.letters.sending import Outgoing, Send
from vigia.app import Stores
from vigia.events.invalid import Invalid
from vigia.settings import KafkaSettings
from vigia.stores.errors import StoreError
from vigia.topics import BY_NAME


class Replay(NamedTuple):
    """What was asked for. `body` replaces the body of the only letter; `again` allows letters that are not open."""

    letter_ids: Sequence[str]
    body: bytes | None
    yes: bool
    again: bool


def replay(stores: Stores, kafka: KafkaSettings, wanted: Replay, send: Send) -> int:
    """Say, or do with `yes`, what was asked for; returns the exit code."""
    events, problems = [], 0
    for letter_id in dict.fromkeys(wanted.letter_ids):
        try:
            events.append(_prepared(stores, letter_id, wanted))
        except NoOriginal as error:
            print(f"{one_line(letter_id)}: cannot be replayed: {error}", file=sys.stderr)
            problems += 1
    for event in events:
        _announce(event, "sending" if wanted.yes else "would send")
    if not wanted.yes:
        print(f"dry run: {len(events)} of {len(events) + problems} would be sent; --yes sends them")
        return NOT_ALL if problems else DONE
    failed = send(kafka, events) if events else {}
    for letter_id, why in failed.items():
        print(f"{letter_id}: not acknowledged by {kafka.bootstrap}: {why}", file=sys.stderr)
    sent = [event.letter_id for event in events if event.letter_id not in failed]
    _mark(stores, sent)
    print(f"{len(sent)} of {len(events) + problems} sent and marked as replayed")
    if failed:
        return UNREACHABLE
    return NOT_ALL if problems else DONE


def _prepared(stores: Stores, letter_id: str, wanted: Replay) -> Outgoing:
    letter = stores.summaries.dead_letter(letter_id)
    if letter is None:
        raise NoOriginal("there is no such letter")
    if letter.status != "open" and not wanted.again:
        raise NoOriginal(f"it was {letter.status} before; --again sends it once more")
    if letter.position < 0:
        raise NoOriginal("it is of no event but of the lane's own doing (a timer); accept it")
    if wanted.body is not None:
        key, body = letter.key or None, wanted.body
    else:
        key, body = original_of(letter, stores.raw_log)
    if not body:
        raise NoOriginal(f"the record at {place_of(letter)} had no value; there is nothing to send: accept it")
    return Outgoing(letter.letter_id, letter.topic, key, body)


def _announce(event: Outgoing, doing: str) -> None:
    key = "no key" if event.key is None else f"key {as_text(event.key[:200])}"
    print(f"{event.letter_id}: {doing} {len(event.body)} bytes to {event.topic} under {key}")
    for item in BY_NAME[event.topic].decode(event.body):
        if isinstance(item, Invalid):
            print(f"  it would be refused again: {item.reason}: {one_line(item.detail[:400])}")


def _mark(stores: Stores, sent: Sequence[str]) -> None:
    if not sent:
        return
    try:
        stores.summaries.mark_dead_letters(sent, "replayed")
    except StoreError:
        print("sent, but not marked as replayed; do not replay these again:", *sent, sep="\n  ", file=sys.stderr)
        raise
