"""The tables of `vigia metrics`: one line a series with its course, and the windows when there is one series alone."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from vigia.cli.delivery.tables import one_line
from vigia.cli.metrics.figures import Figures, Point, SeriesFigures
from vigia.cli.moments import written
from vigia.cli.run.tables import HEADING

if TYPE_CHECKING:
    from vigia.cli.metrics.command import Answer

BARS = "▁▂▃▄▅▆▇█"
COURSE = 24
"""Characters of a course."""

ROWS = 48
"""Most windows that are listed, the latest."""

NOTHING = Text("-", style="dim")
WORDS = {"window": "windows", "hour": "hours", "day": "days"}


def show(answer: "Answer", console: Console) -> None:
    """Print the answer."""
    length = f" of {answer.length} s" if answer.level == "window" else ""
    span = f"{written(answer.since)} to {written(answer.until)} UTC, {WORDS[answer.level]}{length}"
    console.print(f"[bold]{escape(one_line(answer.service))}[/], {span}")
    if answer.cut:
        console.print(Text(not_all(answer), style="yellow"))
    if not answer.series:
        console.print(escape(one_line(answer.empty)))
        return
    console.print()
    console.print(_series(answer))
    if len(answer.series) == 1:
        console.print()
        console.print(_points(answer, answer.series[0]))
    open_ones = [each for each in answer.problems if each.status == "open"]
    number_of = len(answer.problems)
    more = "more than " if "problems" in answer.cut else ""
    told = f"{more}{number_of} problem{'' if number_of == 1 else 's'} in this span, {len(open_ones)} open"
    if more:
        told += f" among the latest {number_of}"
    console.print(Text(f"{told}: vigia problems {one_line(answer.service)}", style="yellow" if open_ones else "dim"))


def not_all(answer: "Answer") -> str:
    """Return in words that the answer is cut, and of what there is more."""
    told = f"This is not all: there are more {' and '.join(answer.cut)}"
    return f"{told}. Ask for a shorter span, one --metric or --environment, or a coarser --level."


def _series(answer: "Answer") -> Table:
    table = _table(["series", "unit"], ["samples", "missing", "mean", "min", "p50", "p95", "p99", "max", "rate/s"])
    table.add_column("course", no_wrap=True)
    for each in answer.series:
        series, total = each.series, each.total
        name = Text(one_line(series.metric))
        name.append(f" {one_line(series.labels)}" if series.labels else "", style="cyan")
        name.append(f" {one_line(series.environment)}", style="dim")
        table.add_row(
            name,
            escape(one_line(series.unit)),
            f"{total.count:,}",
            Text(f"{each.missing:,}", style="yellow" if each.missing else "dim"),
            *_numbers(total),
            course(each.points, answer.since, answer.until),
        )
    table.caption = "missing: without a sample, between the first and the last one with; rate: of counters alone."
    return table


def _points(answer: "Answer", of: SeriesFigures) -> Table:
    shown = of.points[-ROWS:]
    table = _table([WORDS[answer.level]], ["samples", "late", "mean", "min", "p50", "p95", "p99", "max", "rate/s"])
    before: int | None = None
    for point in shown:
        if before is not None and point.start > before + answer.length:
            table.add_row(Text("no samples", style="dim"))
        before = point.start
        late = Text(f"{point.late:,}", style="yellow" if point.late else "dim")
        table.add_row(written(point.start), f"{point.figures.count:,}", late, *_numbers(point.figures))
    if len(of.points) > len(shown):
        table.caption = f"The latest {len(shown)} of {len(of.points)}; --json has all."
    return table


def course(points: Sequence[Point], since: float, until: float) -> str:
    """Return the means or rates over a span as bars from the least to the largest one; blank where there is none."""
    cells: list[list[float]] = [[] for _ in range(COURSE)]
    for point in points:
        value = level_of(point.figures)
        if value is not None:
            place = int((point.start - since) / (until - since) * COURSE)
            cells[min(max(place, 0), COURSE - 1)].append(value)
    means = [sum(cell) / len(cell) if cell else None for cell in cells]
    there = [mean for mean in means if mean is not None]
    if not there:
        return ""
    low, high = min(there), max(there)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(" " if mean is None else BARS[round((mean - low) * scale)] for mean in means)


def level_of(figures: Figures) -> float | None:
    """Return what a window is drawn by: the mean of a gauge, the rate of a counter."""
    return figures.rate if figures.mean is None else figures.mean


def number(value: float | None) -> str | Text:
    """Return a figure as people read it.

    >>> number(1234567.0), number(0.00012345), number(12.0)
    ('1,234,567', '0.0001234', '12')
    """
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if 10_000 <= abs(value) < 1e12 else f"{value:.4g}"  # noqa: PLR2004 - four digits


def _numbers(figures: Figures) -> list[str | Text]:
    values = (figures.mean, figures.min, figures.p50, figures.p95, figures.p99, figures.max, figures.rate)
    return [number(value) for value in values]


def _table(names: Sequence[str], numbers: Sequence[str]) -> Table:
    table = Table(box=None, header_style=HEADING, padding=(0, 1, 0, 0), pad_edge=False, caption_justify="left")
    for name in names:
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table
