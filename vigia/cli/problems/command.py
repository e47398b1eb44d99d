"""`vigia problems`: reads the problems of a span, and prints a table or JSON."""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterator

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from vigia.app.files import read_detectors
from vigia.cli.delivery.tables import one_line
from vigia.cli.exits import NEEDS_PERSON, OK
from vigia.cli.moments import span_between, written
from vigia.cli.mute.command import about
from vigia.cli.problems.configured import configured_mutes
from vigia.cli.problems.silence import no_data_since
from vigia.cli.reading import console, print_json, with_reader
from vigia.cli.run.tables import HEADING, SEVERITY_STYLES, duration
from vigia.events.summaries import MuteSummary, ProblemSummary
from vigia.settings import Settings
from vigia.stores.queries.groups_of import groups_of
from vigia.stores.queries.mutes_of import mutes_of
from vigia.stores.queries.problems_of import problems_of
from vigia.stores.queries.proposals_of import proposals_of
from vigia.stores.queries.reader import Reader

WEEK = 7 * 86_400
MOST = 500
"""Most problems in one answer."""

WIDE = 120
"""Columns from which on there is room for the reasons in the table; below, they follow it."""

STATUS_STYLES = {"open": "bold", "resolved": "green", "stale": "dim"}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints; `cut` when there are more. Without `since` it is about all that are open.

    `part_of` says, by problem id, which are taken for consequences of another one, and `after` how long after which
    deployment one opened, where that was known when its fix was proposed; `muted` are the mutes that hold now,
    since what they are about opens no problem: those that people sent, then those of the detectors' file, which have no
    `mute_id`. `no_data_since` says, by problem id, of which open ones the series has sent nothing for a while: whether
    they are over is not known.
    """

    since: float | None
    until: float | None
    problems: list[ProblemSummary]
    part_of: dict[str, str]
    muted: list[MuteSummary]
    cut: bool
    after: dict[str, str] = msgspec.field(default_factory=dict)
    no_data_since: dict[str, float] = msgspec.field(default_factory=dict)


def problems(options: argparse.Namespace) -> int:
    """Print what is asked for; returns the exit code."""
    now = time.time()
    start: float | None = None
    end: float | None = None
    try:
        if not options.open or options.since or options.until:
            start, end = span_between(options.since, options.until, now, WEEK)
    except ValueError as error:
        print(error, file=sys.stderr)
        return NEEDS_PERSON

    def tell(reader: Reader, settings: Settings) -> int:
        window = settings.metrics.window
        answer = read(reader, options.service, now, window, only_open=options.open, start=start, end=end)
        answer.muted.extend(configured_mutes(read_detectors(settings.detectors).mute, options.service, now))
        if options.json:
            print_json(answer)
        else:
            show(answer, options.service, console(), now)
        return OK

    return with_reader(tell)


def read(
    reader: Reader,
    service: str | None,
    now: float,
    window: int,
    *,
    only_open: bool,
    start: float | None,
    end: float | None,
) -> Answer:
    """Return the problems, those that were opened last first; `window` is a window's length in seconds."""
    found = problems_of(
        reader,
        service,
        status="open" if only_open else None,
        opened_before=end,
        over_after=start,
        limit=MOST + 1,
    )
    shown = found[:MOST]
    part_of = groups_of(reader, (each.problem_id for each in shown))
    proposals = proposals_of(reader, (each.problem_id for each in shown))
    muted = [each for each in mutes_of(reader, service, now, limit=MOST) if each.since <= now]
    return Answer(
        since=start,
        until=end,
        problems=shown,
        part_of=part_of,
        after={problem_id: each.after for problem_id, each in proposals.items() if each.after is not None},
        muted=muted,
        cut=len(found) > MOST,
        no_data_since=no_data_since(reader, shown, now, window),
    )


def reason(answer: Answer, problem: ProblemSummary) -> str:
    """Return why there is a problem, what is not known of it, and after which deployment it opened where that is."""
    since = answer.no_data_since.get(problem.problem_id)
    unknown = "" if since is None else f"No data since {written(since)} UTC: whether it is over is not known. "
    after = answer.after.get(problem.problem_id)
    return unknown + (f"{problem.why} It opened {after}." if after else problem.why)


def show(answer: Answer, service: str | None, console: Console, now: float) -> None:
    """Print the table, and what is muted."""
    of = f" of {one_line(service)}" if service else ""
    when = (
        ""
        if answer.since is None or answer.until is None
        else f", {written(answer.since)} to {written(answer.until)} UTC"
    )
    console.print(f"[bold]Problems{escape(of)}[/]{when}")
    for mute in answer.muted:
        said = "" if mute.mute_id else " (by configuration)"
        what = (
            f"muted until {written(mute.until)} UTC: {about(mute)} of {mute.service}, by {mute.by}: {mute.reason}{said}"
        )
        console.print(Text(one_line(what), style="yellow"))
    if not answer.problems:
        console.print("none")
        return
    beside = console.width >= WIDE
    table = Table(box=None, header_style=HEADING, padding=(0, 1, 0, 0), pad_edge=False, caption_justify="left")
    for name in ("severity", "status", "opened", "lasted"):
        table.add_column(name, no_wrap=True, justify="right" if name == "lasted" else "left")
    for name in ("service", "detector"):
        table.add_column(name, no_wrap=beside, overflow="fold")
    if beside:
        table.add_column("why", overflow="fold")
    for each, part in _in_order(answer):
        end = now if each.status == "open" else each.at
        table.add_row(
            Text(each.severity, style=SEVERITY_STYLES.get(each.severity, "")),
            Text(each.status, style=STATUS_STYLES.get(each.status, "")),
            written(each.opened_at),
            duration(end - each.opened_at),
            ("└ " if part else "") + escape(one_line(f"{each.service} ({each.environment})")),
            escape(one_line(each.detector)),
            *([escape(one_line(reason(answer, each)))] if beside else []),
        )
    if answer.cut:
        table.caption = f"The latest {MOST}; there are more: ask for a shorter span or one service."
    console.print(table)
    if not beside:
        for each, _ in _in_order(answer):
            console.print(Text(one_line(f"{each.service}, {each.detector}: {reason(answer, each)}")))


def _in_order(answer: Answer) -> Iterator[tuple[ProblemSummary, bool]]:
    """Return the problems in their order, those that are part of another one right after it, and whether they are."""
    shown = {each.problem_id for each in answer.problems}
    parts: defaultdict[str, list[ProblemSummary]] = defaultdict(list)
    for each in answer.problems:
        parts[answer.part_of.get(each.problem_id, "")].append(each)
    for each in answer.problems:
        if answer.part_of.get(each.problem_id) in shown:
            continue
        yield each, False
        for part in parts[each.problem_id]:
            yield part, True
