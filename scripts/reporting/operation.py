"""How long Vigia itself takes, as far as its stores know, and which problems are open."""

from datetime import UTC, datetime

from scripts.reporting.findings import Findings
from scripts.reporting.markup import Markup, element, figure, table
from scripts.reporting.plot import Plot, ticks
from vigia.cli.metrics.command import Answer
from vigia.cli.metrics.figures import SeriesFigures
from vigia.cli.problems.command import MOST, reason
from vigia.cli.run.tables import duration

LANE = "lane=deployments/"
"""Begins the labels of the lanes that score deployments."""

SIZE, HEIGHT = 460.0, 230.0

NOT_KNOWN = (
    "How long a deployment waits for its risk is not known for each: a row says when its event happened and what its "
    "score was, not when that was published. What workers measure of themselves tells most of it: a record waits for "
    "its step, the step scores it and commits, and the score is published right after. The whole way can be measured "
    "from outside, by the time that vigia emit deployment --gate takes."
)


def latency(found: Findings) -> Markup:
    """Return the section about latency."""
    return element(
        "section",
        element("h2", "Latency: from event to risk"),
        element("p", NOT_KNOWN, class_="note"),
        element("div", *(_lanes(each, found) for each in found.lanes), class_="pairs"),
        id="latency",
    )


def problems(found: Findings) -> Markup:
    """Return the section about problems."""
    answer = found.problems
    if not answer.problems:
        told = element("p", "No problem is open.", class_="empty")
    else:
        rows = (
            (
                each.severity,
                _when(each.opened_at),
                duration(max(0.0, found.now - each.opened_at)),
                f"{each.service} ({each.environment})",
                each.detector,
                reason(answer, each),
            )
            for each in answer.problems
        )
        heads = ("severity", "opened (UTC)", "for", "service", "detector", "why")
        told = table(f"The latest {MOST} open problems" if answer.cut else "Open problems", heads, rows, numbers=(2,))
    return element("section", element("h2", "Open problems"), told, id="problems")


def _lanes(answer: Answer, found: Findings) -> Markup:
    waits = answer is found.lanes[1]
    title = "The oldest record's wait" if waits else "Time of a step"
    series = [each for each in answer.series if each.series.labels.startswith(LANE)]
    if not series:
        why = answer.empty or "no figure of a lane that scores deployments came in this span"
        return figure(None, None, title=title, empty=f"{why[0].upper()}{why[1:]}.")
    return _drawn(series, answer, title)


def _drawn(series: list[SeriesFigures], answer: Answer, title: str) -> Markup:
    means = [[(p.start + answer.length / 2, p.figures.mean or 0.0) for p in each.points] for each in series]
    top = ticks(max(value for points in means for _, value in points))
    plot = Plot(SIZE, HEIGHT, (answer.since, answer.until), (0.0, top[-1]))
    plot.rows([(each, f"{each * 1000:g} ms" if top[-1] < 1 else f"{each:g} s") for each in top])
    for points in means:
        plot.line(points, "course")
        for x, value in points:
            plot.dot(x, value, "small", f"{_when(x)}: {value:.3g} s", radius=2.5)
    width = answer.until - answer.since
    plot.columns(
        [(answer.since + width * (n + 0.5) / 4, _axis(answer.since + width * (n + 0.5) / 4, width)) for n in range(4)]
    )
    plot.names("time (UTC)")
    rows = (
        (
            each.series.labels,
            f"{each.total.count:,}",
            *map(_seconds, (each.total.mean, each.total.p50, each.total.p95, each.total.p99, each.total.max)),
        )
        for each in series
    )
    heads = ("lane", "samples", "mean", "p50", "p95", "p99", "longest")
    numbers = table(f"{title}, over the span", heads, rows, numbers=range(1, 7))
    note = f"Mean of each {answer.level}, one line a lane of the deployments agent."
    return figure(plot.made(f"Lines: {title}"), numbers, note, title=title)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"


def _axis(at: float, width: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):{'%d %b' if width > 3 * 86_400 else '%d %b %H:%M'}}".lstrip("0")


def _when(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"
