"""`vigia feedback`: reads the contradictions of a span and the surpluses of senders, and prints tables or JSON."""

import argparse
import sys
from datetime import UTC, datetime

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vigia.cli.delivery.tables import one_line
from vigia.cli.exits import NEEDS_PERSON, OK
from vigia.cli.moments import written
from vigia.cli.reading import bare_table, console, print_json, with_span
from vigia.cli.span import DAY, Span
from vigia.events.summaries import ContradictionSummary, SenderSurplusSummary
from vigia.settings import Settings
from vigia.stores.queries.contradictions import contradictions, contradictions_by_sender
from vigia.stores.queries.reader import Reader
from vigia.stores.queries.surpluses import surpluses

MOST = 1000


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints. `by_sender` counts all contradictions of the span, of which the latest are listed."""

    since: int
    until: int
    by_sender: dict[str, int]
    contradictions: list[ContradictionSummary]
    surpluses: list[SenderSurplusSummary]


def feedback(options: argparse.Namespace) -> int:
    """Print what is asked for; returns the exit code."""
    if not 1 <= options.limit <= MOST:
        print(f"--limit is {options.limit}: it must be from 1 to {MOST}", file=sys.stderr)
        return NEEDS_PERSON

    def tell(reader: Reader, _settings: Settings, span: Span) -> int:
        answer = read(reader, options.service, span, options.limit)
        if options.json:
            print_json(answer)
        else:
            show(answer, span, console())
        return OK

    return with_span(options, tell)


def read(reader: Reader, service: str | None, span: Span, limit: int) -> Answer:
    """Return what the span holds, at most `limit` of each list."""
    return Answer(
        since=span.since,
        until=span.until,
        by_sender=contradictions_by_sender(reader, span.since, span.until, service=service),
        contradictions=contradictions(reader, span.since, span.until, service=service, limit=limit),
        surpluses=surpluses(reader, span.since // DAY, span.until // DAY, limit=limit),
    )


def show(answer: Answer, span: Span, to: Console) -> None:
    """Print the tables."""
    to.print(Text(f"Labels that contradict what was said before, {span.words()}", style="bold"))
    if not answer.contradictions:
        to.print("none")
    else:
        to.print(_senders(answer.by_sender))
        to.print(_contradictions(answer.contradictions))
    if answer.surpluses:
        to.print(Text("\nSenders beyond their limits", style="bold"))
        to.print(_surpluses(answer.surpluses))


def _senders(counts: dict[str, int]) -> Table:
    table = _table("sender", "contradictions")
    for sender, count in counts.items():
        table.add_row(Text(one_line(sender) or "-"), f"{count:,}")
    return table


def _contradictions(rows: list[ContradictionSummary]) -> Table:
    table = _table("found (UTC)", "about", "label", "sender", "says", "after", "had said", "stands")
    for each in rows:
        about = f"{each.service}: {each.external_id}" if each.service else f"{each.source}: {each.external_id}"
        table.add_row(
            written(each.told_at),
            Text(one_line(about)),
            each.label,
            Text(one_line(each.sender) or "-"),
            each.said,
            Text(one_line(each.other_sender) or "-"),
            each.other,
            Text(each.stands, style="bold"),
        )
    return table


def _surpluses(rows: list[SenderSurplusSummary]) -> Table:
    table = _table("day", "sender", "of", "a day", "refused")
    for each in rows:
        day = datetime.fromtimestamp(each.day * DAY, UTC).strftime("%Y-%m-%d")
        of = f"{each.counted_by} {each.record_key}"
        table.add_row(day, Text(one_line(each.sender)), Text(one_line(of)), f"{each.a_day:,}", f"{each.surplus:,}")
    return table


def _table(*names: str) -> Table:
    table = bare_table()
    for name in names:
        right = name in {"contradictions", "a day", "refused"}
        table.add_column(name, overflow="fold", justify="right" if right else "left")
    return table
