"""The picture of `vigia metrics`: a service's series, problems and deployments on one axis of time."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import dates
from matplotlib.figure import Figure

from vigia.cli.metrics.figures import Point, SeriesFigures
from vigia.cli.metrics.tables import level_of
from vigia.events.summaries import ProblemSummary
from vigia.models.detectors.config import DetectorConfig
from vigia.models.detectors.limits import limits_of

if TYPE_CHECKING:
    from vigia.cli.metrics.command import Answer

MOST = 12
"""Most series in one picture: those with problems first, then those with the most samples."""

WIDTH, HEIGHT = 12.0, 1.9
"""Inches; the height is that of one series."""

LINE, BAND, DEPLOYED = "#1f5fa8", "#1f5fa8", "#6a6a6a"
SEVERITIES = {"P0": "#b2182b", "P1": "#d6604d", "P2": "#e69f00", "P3": "#f2d06b"}
NAMES_SHOWN = 12
"""Most deployments whose versions are written; the lines of all are there."""


def draw(answer: "Answer", detectors: DetectorConfig, path: Path) -> None:
    """Write the picture; the name's suffix says of which kind. Raises OSError."""
    with_problems = {each.series_id for each in answer.problems}
    ranked = sorted(answer.series, key=lambda each: (each.series.series_id not in with_problems, -each.total.count))
    shown = sorted(ranked[:MOST], key=lambda each: (each.series.environment, each.series.metric, each.series.labels))
    figure = Figure(figsize=(WIDTH, 1.2 + HEIGHT * len(shown)), layout="constrained")
    axes = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    for axis, each in zip(axes, shown, strict=True):
        _series(axis, each, answer)
        _limits(axis, each, detectors)
        for problem in answer.problems:
            if problem.series_id == each.series.series_id:
                _problem(axis, problem, answer)
    _deployments(axes, answer)
    axes[-1].set_xlim(_time(answer.since), _time(answer.until))
    locator = dates.AutoDateLocator(tz=UTC)  # type: ignore[no-untyped-call] # matplotlib's
    axes[-1].xaxis.set_major_locator(locator)
    axes[-1].xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz=UTC))  # type: ignore[no-untyped-call] # as above
    left_out = f", {len(shown)} of {len(answer.series)} series" if len(shown) < len(answer.series) else ""
    left_out += f"; not all: there are more {' and '.join(answer.cut)}" if answer.cut else ""
    figure.suptitle(
        f"{answer.service}: one point a {answer.level} (times in UTC{left_out})", fontsize=11, x=0.01, ha="left"
    )
    figure.savefig(path, dpi=110)


def _series(axis: Any, each: SeriesFigures, answer: "Answer") -> None:
    """The mean as a line, least to largest as a light band, up to the 95th percentile a darker one; gaps are gaps."""
    for run in _without_gaps(each.points, answer.length):
        middles = [_time(point.start + answer.length / 2) for point in run]
        levels = [level_of(point.figures) for point in run]
        values = [float("nan") if level is None else level for level in levels]
        axis.plot(middles, values, color=LINE, linewidth=1.4, marker="o" if len(run) == 1 else None, markersize=3)
        if each.series.kind == "gauge":
            low, high = [point.figures.min for point in run], [point.figures.max for point in run]
            p50 = [point.figures.p50 or 0.0 for point in run]
            p95 = [point.figures.p95 or 0.0 for point in run]
            axis.fill_between(middles, low, high, color=BAND, alpha=0.10, linewidth=0)
            axis.fill_between(middles, p50, p95, color=BAND, alpha=0.22, linewidth=0)
    series = each.series
    unit = f" [{series.unit}{'/s' if series.kind == 'counter' else ''}]" if series.unit else ""
    what = "rate" if series.kind == "counter" else "mean, p50 to p95, least to largest"
    axis.set_title(
        f"{series.metric}{unit} {series.labels} {series.environment} ({what})", fontsize=8.5, loc="left", pad=3
    )
    axis.tick_params(labelsize=8)
    axis.grid(visible=True, color="#e4e4e4", linewidth=0.6)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def _without_gaps(points: list[Point], length: int) -> list[list[Point]]:
    runs: list[list[Point]] = []
    for point in points:
        if runs and point.start == runs[-1][-1].start + length:
            runs[-1].append(point)
        else:
            runs.append([point])
    return runs


def _limits(axis: Any, each: SeriesFigures, detectors: DetectorConfig) -> None:
    """The limits of the detectors; those far above the values would flatten them, and are only written."""
    drawn = max(point.figures.max if each.series.kind == "gauge" else 0.0 for point in each.points)
    least = min(point.figures.min for point in each.points)
    far = []
    for limit in limits_of(detectors, each.series):
        if limit.value <= drawn + 2 * max(drawn - least, 0.2 * abs(drawn)):
            axis.axhline(limit.value, color="#b2182b", linewidth=0.9, linestyle=(0, (5, 3)))
            axis.annotate(
                f"{limit.name} {limit.value:g}",
                (0.003, limit.value),
                xycoords=("axes fraction", "data"),
                fontsize=7,
                color="#b2182b",
                va="bottom",
            )
        else:
            far.append(f"{limit.name} {limit.value:g}")
    if far:
        axis.annotate(
            f"limits above: {', '.join(far)}",
            (0.997, 0.96),
            xycoords="axes fraction",
            fontsize=7,
            color="#b2182b",
            ha="right",
            va="top",
        )


def _problem(axis: Any, problem: ProblemSummary, answer: "Answer") -> None:
    colour = SEVERITIES.get(problem.severity, SEVERITIES["P3"])
    begin = max(problem.opened_at, answer.since)
    end = answer.until if problem.status == "open" else min(problem.at, answer.until)
    axis.axvspan(_time(begin), _time(max(end, begin + answer.length / 4)), color=colour, alpha=0.25, linewidth=0)
    axis.annotate(
        f"{problem.severity} {problem.detector}{'' if problem.status == 'resolved' else f' ({problem.status})'}",
        (_time(begin), 0.97),
        xycoords=("data", "axes fraction"),
        fontsize=7,
        color="#7f1020",
        va="top",
        annotation_clip=True,
    )


def _deployments(axes: Any, answer: "Answer") -> None:
    """A line through all series at the latest stage of each deployment, red when it is known to have failed."""
    for number, each in enumerate(answer.deployments):
        at = each.finished_at or each.started_at or each.planned_at
        if at is None:
            continue
        colour = SEVERITIES["P0"] if each.outcome == "failed" else DEPLOYED
        for axis in axes:
            axis.axvline(_time(at), color=colour, linewidth=0.9, linestyle=":")
        if number < NAMES_SHOWN:
            axes[0].annotate(
                (each.version or each.external_id)[:12],
                (_time(at), 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(2, -2),
                textcoords="offset points",
                fontsize=6.5,
                color=colour,
                rotation=90,
                va="top",
            )


def _time(epoch: float) -> Any:
    return datetime.fromtimestamp(epoch, UTC)
