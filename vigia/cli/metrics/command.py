"""`vigia metrics`: reads a span of a service's series, and prints tables or JSON, or draws a picture."""

import argparse
import sys
import time
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import msgspec

from vigia.app.files import read_detectors
from vigia.cli.exits import NEEDS_PERSON, OK
from vigia.cli.metrics.figures import SeriesFigures, figures_of
from vigia.cli.metrics.levels import Level, level_for, rows_at
from vigia.cli.metrics.tables import show
from vigia.cli.moments import span_between
from vigia.cli.reading import console, print_json, with_reader
from vigia.events.summaries import DeploymentSummary, ProblemSummary, SeriesSummary
from vigia.models.windows.config import DAY, HOUR
from vigia.settings import Settings
from vigia.stores.queries.deployments_between import deployments_between
from vigia.stores.queries.problems_of import problems_of
from vigia.stores.queries.reader import Reader
from vigia.stores.queries.series_of import series_of, services_with_series

PICTURES = {".png", ".svg"}

MOST_SERIES, MOST_PROBLEMS, MOST_DEPLOYMENTS = 1_000, 500, 500
"""Most of each in one answer."""

Cut = Literal["series", "samples", "problems", "deployments"]

LIKE = 5
"""Most services named that are called something like an unknown one."""


@dataclass(frozen=True)
class Asked:
    """What is asked for; times in epoch seconds."""

    service: str
    environment: str | None
    metric: str | None
    start: float
    end: float
    level: Level


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints; `length` is that of a window, hour or day in seconds."""

    service: str
    since: float
    until: float
    level: Level
    length: int
    series: list[SeriesFigures]
    problems: list[ProblemSummary]
    deployments: list[DeploymentSummary]
    empty: str
    """Why there are no series; nothing where there are."""
    cut: list[Cut]
    """Of what there is more than the answer has. With `samples`, series lack some of theirs, or all."""


def metrics(options: argparse.Namespace) -> int:
    """Print what is asked for; returns the exit code."""
    try:
        start, end = span_between(options.since, options.until, time.time(), DAY)
    except ValueError as error:
        print(error, file=sys.stderr)
        return NEEDS_PERSON
    if options.picture is not None and options.picture.suffix not in PICTURES:
        print(f"{options.picture}: a picture's name ends with .png or .svg", file=sys.stderr)
        return NEEDS_PERSON
    asked = Asked(
        options.service, options.environment, options.metric, start, end, options.level or level_for(end - start)
    )
    return with_reader(lambda reader, settings: _tell(reader, settings, asked, options))


def read(reader: Reader, settings: Settings, asked: Asked) -> Answer:
    """Return the answer; series without samples in the span are left out."""
    length = {"window": settings.metrics.window, "hour": HOUR, "day": DAY}[asked.level]
    # one more than the most, to see whether there is more
    all_named = series_of(reader, asked.service, asked.environment, asked.metric, limit=MOST_SERIES + 1)
    named = all_named[:MOST_SERIES]
    start = asked.start // length * length
    rows, rows_cut = rows_at(reader, asked.level, {each.series_id: start for each in named}, asked.end)
    found = [figures_of(each, rows[each.series_id], length) for each in named if rows.get(each.series_id)]
    problems = problems_of(reader, asked.service, opened_before=asked.end, over_after=start, limit=MOST_PROBLEMS + 1)
    deployments = deployments_between(reader, asked.service, start, asked.end, limit=MOST_DEPLOYMENTS + 1)
    cuts: dict[Cut, bool] = {
        "series": len(all_named) > MOST_SERIES,
        "samples": rows_cut,
        "problems": len(problems) > MOST_PROBLEMS,
        "deployments": len(deployments) > MOST_DEPLOYMENTS,
    }
    return Answer(
        service=asked.service,
        since=start,
        until=asked.end,
        level=asked.level,
        length=length,
        series=found,
        problems=problems[:MOST_PROBLEMS],
        deployments=deployments[:MOST_DEPLOYMENTS],
        empty="" if found else _why_empty(reader, asked, named),
        cut=[what for what, is_so in cuts.items() if is_so],
    )


def _tell(reader: Reader, settings: Settings, asked: Asked, options: argparse.Namespace) -> int:
    answer = read(reader, settings, asked)
    if options.json:
        print_json(answer)
    else:
        show(answer, console())
    if options.picture is not None and not answer.series:
        print(f"{options.picture} was not drawn: there are no series to draw", file=sys.stderr)
        return NEEDS_PERSON
    if options.picture is not None:
        # matplotlib takes a second to import
        from vigia.cli.metrics.picture import draw  # noqa: PLC0415

        try:
            draw(answer, read_detectors(settings.detectors), options.picture)
        except OSError as error:
            print(f"the picture cannot be written: {error}", file=sys.stderr)
            return NEEDS_PERSON
        print(f"{options.picture} has the picture", file=sys.stderr)
    return OK


def _why_empty(reader: Reader, asked: Asked, named: list[SeriesSummary]) -> str:
    if named:
        return (
            f"{len(named)} series are known, and none has samples in this span; the last of --level {asked.level} "
            "may be older or deleted: try --since 30d"
        )
    if asked.metric is not None or asked.environment is not None:
        others = series_of(reader, asked.service)
        if others:
            names = sorted({f"{each.metric} ({each.environment})" for each in others})
            return f"no such series; {asked.service} has {', '.join(names[:20])}"
    return (
        f"no sample of the service {asked.service!r} has ever come in: they are sent to the topic metrics"
        f"{_like(asked.service, services_with_series(reader))}"
    )


def _like(service: str, known: list[str]) -> str:
    """Return which services are called something like it, to be said after a sentence."""
    begins = [name for name in known if name.startswith(service)]
    like = list(dict.fromkeys([*begins, *get_close_matches(service, known)]))[:LIKE]
    return f"; there are {', '.join(like)}" if like else ""
