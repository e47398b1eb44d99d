"""`vigia mute`: sends a mute or its lift, or lists the mutes that are not over.

The broker's acknowledgement says that the event is on its way; whether it was taken is seen in the list, and a refusal
in the dead letters.
"""

import argparse
import secrets
import sys
import time
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from vigia.cli.delivery.tables import one_line
from vigia.cli.emit.broker import NotAcknowledged, send
from vigia.cli.exits import NEEDS_PERSON, OK, TRANSIENT, UNUSABLE
from vigia.cli.moments import epoch, written
from vigia.cli.reading import bare_table, console, print_json, with_reader
from vigia.events.invalid import InvalidEvent, Reason
from vigia.events.mutes import Muted, MuteLifted
from vigia.events.summaries import MuteSummary
from vigia.settings import SettingsError, load
from vigia.stores.queries.mutes_of import mutes_of
from vigia.stores.queries.reader import Reader
from vigia.topics import MUTES

MOST = 500
"""Most mutes in one answer."""

OF_A_MUTE = {
    "begin": "--from",
    "by": "--by",
    "reason": "--reason",
    "environment": "--environment",
    "metric": "--metric",
    "label": "--label",
    "detector": "--detector",
    "id": "--id",
}
"""The options that say something of a mute, by their names in the parsed arguments."""

UNSET: tuple[object, ...] = (None, [])


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints of the list; `cut` when there are more."""

    mutes: list[MuteSummary]
    cut: bool


def mute(options: argparse.Namespace) -> int:
    """Do what is asked for; returns the exit code."""
    now = time.time()
    passed_over = unfit(options)
    if passed_over:
        print(f"nothing was sent: {passed_over}", file=sys.stderr)
        return UNUSABLE
    if options.length is None and options.lift is None:
        return _list(options, now)
    try:
        event = built(options, now)
        # a checkout's own files may be anybody's
        settings = load(in_own_checkout=False)
        place = send(settings.kafka, MUTES, event, settings.emit.delivery_timeout)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return NEEDS_PERSON
    except InvalidEvent as error:
        print(f"nothing was sent: {one_line(str(error))}", file=sys.stderr)
        return UNUSABLE
    except NotAcknowledged as error:
        print(one_line(str(error)), file=sys.stderr)
        return TRANSIENT
    if options.json:
        print_json({"mute_id": event.mute_id, "acknowledged": place._asdict()})
    elif isinstance(event, Muted):
        print(f"sent: {event.service} to be muted until {written(event.until)} UTC, as {event.mute_id}")
        print("`vigia mute` lists it once it holds; `python -m scripts.dead_letters list` says why if it is refused")
    else:
        print(f"sent: {event.mute_id} of {event.service} to be lifted")
    return OK


def unfit(options: argparse.Namespace) -> str:
    """Return what is wrong when an option was given that what is asked for does not look at; else nothing."""
    if options.length is not None:
        return ""
    looked_at = set() if options.lift is None else {"by", "reason"}
    given = [flag for name, flag in OF_A_MUTE.items() if name not in looked_at and getattr(options, name) not in UNSET]
    if not given:
        return ""
    if options.lift is None:
        return f"{given[0]} is part of a mute: say for how long with --for, or what to lift with --lift"
    return f"{given[0]} is part of a new mute; --lift lifts the whole one with that id"


def built(options: argparse.Namespace, now: float) -> Muted | MuteLifted:
    """Return the event; raises InvalidEvent for what cannot be sent. `now` is in epoch seconds."""
    who: dict[str, Any] = {
        "service": options.service or "",
        "at": now,
        "by": options.by or "",
        "reason": options.reason or "",
    }
    if options.lift is not None:
        return MuteLifted(mute_id=options.lift, **who)
    begin = now if options.begin is None else epoch(options.begin, now)
    if begin + options.length <= now:
        raise InvalidEvent(Reason.BAD_VALUE, f"the mute would have ended at {written(begin + options.length)} UTC")
    return Muted(
        mute_id=options.id or f"mute-{secrets.token_hex(4)}",
        since=begin,
        until=begin + options.length,
        environment="*" if options.environment is None else options.environment,
        metric="*" if options.metric is None else options.metric,
        labels=dict(options.label),
        detectors=tuple(options.detector),
        **who,
    )


def show(answer: Answer, to: Console) -> None:
    """Print the table."""
    if not answer.mutes:
        to.print("nothing is muted by event")
        return
    table = bare_table()
    for name in ("service", "id", "from (UTC)", "until (UTC)", "by", "about", "reason"):
        table.add_column(name, overflow="fold")
    for each in answer.mutes:
        names = (
            each.service,
            each.mute_id,
            written(each.since),
            written(each.until),
            each.by,
            about(each),
            each.reason,
        )
        table.add_row(*(Text(one_line(name)) for name in names))
    to.print(table)
    if answer.cut:
        to.print(f"The {MOST} that end first; there are more: ask for one service.")


def _list(options: argparse.Namespace, now: float) -> int:
    def tell(reader: Reader, _settings: object) -> int:
        found = mutes_of(reader, options.service, now, limit=MOST + 1)
        answer = Answer(mutes=found[:MOST], cut=len(found) > MOST)
        if options.json:
            print_json(answer)
        else:
            show(answer, console())
        return OK

    return with_reader(tell)


def about(mute: MuteSummary) -> str:
    """Return which problems a mute is about, in a few words."""
    parts = (mute.environment, mute.metric, mute.labels, mute.detectors)
    return " ".join(part for part in parts if part not in {"", "*"}) or "all"
