"""The delivery metrics: what they are over the span, over time, day by day, and what was left out and why."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from math import ceil

from scripts.reporting.findings import Findings
from scripts.reporting.markup import Child, Markup, element, figure, joined, table
from scripts.reporting.plot import Plot, ticks
from vigia.cli.delivery.tables import DAY, HOUR, NAMES, duration, interval_text, reasons_of, value_text
from vigia.events.dora import MEANINGS
from vigia.models.dora.days import Day
from vigia.models.dora.report import DoraReport, Metric

NARROW, WIDE, HEIGHT = 460.0, 940.0, 230.0
ABOVE = 8.0
"""Pixels above a plot at which levels stand."""

BARS = 120
"""Most bars of a picture."""

HEADROOM = 2.5
"""How far above the greatest value intervals are drawn, as a multiple of it."""

CROWDED = 8
"""Periods from which only every other is named."""


def section(found: Findings) -> Markup:
    """Return the section."""
    report = found.delivery
    return element(
        "section",
        element("h2", "Delivery"),
        element("div", *(_card(each, report) for each in report.metrics), class_="cards"),
        _why_empty(report),
        _days(found),
        element("h3", "Over time"),
        element(
            "p",
            f"A point for each {_words(found.period)}, with its interval of 95 %. Above it the level by the report of "
            f"{report.year}: E elite, H high, M medium, L low.",
            class_="note",
        ),
        element("div", *(_over_time(found, place) for place in range(len(report.metrics))), class_="pairs"),
        _left_out(report),
        _levels(report),
        id="delivery",
    )


def _words(days: int) -> str:
    return {1: "day", 7: "week", 28: "four weeks"}.get(days, f"{days} days")


def _card(metric: Metric, report: DoraReport) -> Markup:
    level = next((each for each in metric.levels if each.table == str(report.year)), None)
    own = next((each for each in metric.levels if each.table == "own"), None)
    interval = interval_text(metric)
    facts: list[Child] = [
        element("p", f"95 %: {interval}") if interval else None,
        element("p", f"9 in 10 within {duration(metric.p90)}") if metric.p90 is not None else None,
        element(
            "p",
            f"{metric.count:,} of {metric.n:,} {metric.of}"
            if metric.count is not None
            else f"{metric.n:,} {metric.of}",
        ),
    ]
    return element(
        "div",
        element("h3", _title(metric.name)),
        element("p", "no value" if metric.value is None else value_text(metric, metric.value), class_="value"),
        element("p", " or ".join(level.names), class_=f"level {level.names[0]}") if level else None,
        element("p", f"own table: {own.names[0]}") if own else None,
        *facts,
        class_="card",
    )


def _why_empty(report: DoraReport) -> Markup | None:
    reasons = reasons_of(report.metrics)
    if not reasons:
        return None
    items = (element("li", element("b", ", ".join(names)), f": {why}.") for why, names in reasons.items())
    return element("div", element("h3", "Why is this empty?"), element("ul", *items), class_="empty")


def _days(found: Findings) -> Markup:
    title = "Deployments day by day"
    counted = [each for each in found.delivery.days if each.deployments or each.failed or each.excluded]
    if not counted:
        return figure(None, None, title=title, empty=_empty_of(found.delivery, "deployment_frequency"))
    first = date.fromisoformat(_day(found.span.since))
    width = ceil(found.span.days / BARS)
    bars = [[0, 0, 0] for _ in range(ceil(found.span.days / width))]
    for each in counted:
        held = bars[(date.fromisoformat(each.day) - first).days // width]
        held[0] += each.deployments
        held[1] += each.failed
        held[2] += each.excluded
    top = ticks(max(made + left_out for made, _, left_out in bars))
    plot = Plot(WIDE, HEIGHT, (0.0, float(found.span.days)), (0.0, top[-1]))
    plot.rows([(each, f"{each:,g}") for each in top if each.is_integer()])
    for place, (made, failed, left_out) in enumerate(bars):
        begin, end = float(place * width), float(min((place + 1) * width, found.span.days))
        plot.bar(0, made, begin, end, "made")
        plot.bar(made, made + left_out, begin, end, "faint")
        plot.bar(0, failed, begin, end, "bad")
    plot.columns([(place + 0.5, _short(found.span.since + place * DAY)) for place in _spread(found.span.days, 9)])
    plot.names("day (UTC)" if width == 1 else f"{width} days a bar (UTC)")
    total, failed, left_out = (sum(each) for each in zip(*bars, strict=True))
    note = joined(
        [
            element("span", "", class_="key made"),
            f" {total:,} deployments to production, of which ",
            element("span", "", class_="key bad"),
            f" {failed:,} failed; above them ",
            element("span", "", class_="key faint"),
            f" {left_out:,} that are left out",
        ]
    )
    return figure(plot.made(f"Bars: {title}"), _day_table(counted), note, title=title)


def _day_table(days: Iterable[Day]) -> Markup:
    rows = (
        (each.day, f"{each.deployments:,}", f"{each.failed:,}", f"{each.rework:,}", f"{each.excluded:,}")
        for each in days
    )
    heads = ("day", "deployments", "failed", "rework", "left out")
    return table("Days on which something was deployed", heads, rows, numbers=range(1, 5))


def _over_time(found: Findings, place: int) -> Markup:
    whole = found.delivery.metrics[place]
    title = _title(whole.name)
    metrics = [(each, each.metrics[place]) for each in found.periods]
    values = [metric.value for _, metric in metrics if metric.value is not None]
    if not values or not any(metric.n for _, metric in metrics):
        return figure(None, None, title=title, empty=_empty_of(found.delivery, whole.name))
    # an interval far above all values would flatten them: it is cut there, and the table has it
    high, most = max(metric.high or 0.0 for _, metric in metrics), max(values)
    top = max(most, min(high, HEADROOM * most)) if most else high
    unit = _unit(whole, top)
    steps = ticks(top / unit[0])
    plot = Plot(NARROW, HEIGHT, (0.0, float(len(metrics))), (0.0, steps[-1] * unit[0]))
    plot.rows([(each * unit[0], f"{each:g}{unit[1]}") for each in steps])
    for number, (_, metric) in enumerate(metrics):
        _point(plot, number + 0.5, metric, found.delivery.year)
    every = 2 if len(metrics) > CROWDED else 1
    plot.columns([(n + 0.5, _short(each.since)) for n, (each, _) in enumerate(metrics) if n % every == 0])
    plot.names(f"{_words(found.period)} from (UTC)")
    return figure(plot.made(f"Points: {title} over time"), _period_table(metrics, found.delivery.year), title=title)


def _point(plot: Plot, x: float, metric: Metric, year: int) -> None:
    if metric.value is None:
        plot.write(plot.x(x), plot.bottom - 4, "none")
        return
    level = _level(metric, year)
    if metric.low is not None and metric.high is not None:
        plot.whisker(x, metric.low, metric.high)
    words = f"{value_text(metric, metric.value)}, n {metric.n:,}{f', {level}' if level else ''}"
    plot.dot(x, metric.value, level.partition(" ")[0], words)
    if level:
        plot.write(plot.x(x), plot.top - ABOVE, level[0].upper(), kind=f"mark {level.partition(' ')[0]}")


def _period_table(metrics: list[tuple[DoraReport, Metric]], year: int) -> Markup:
    rows = (
        (
            _day(report.since),
            "-" if metric.value is None else value_text(metric, metric.value),
            interval_text(metric) or "-",
            f"{metric.n:,}",
            _level(metric, year) or "-",
            metric.why_empty or _reasons(metric) or "-",
        )
        for report, metric in metrics
    )
    heads = (
        "from",
        "value",
        "interval",
        f"n ({metrics[0][1].of})",
        f"level {year}",
        "left out, or why there is no value",
    )
    return table(f"{_title(metrics[0][1].name)} over time", heads, rows, numbers=(1, 2, 3))


def _left_out(report: DoraReport) -> Markup:
    reasons: dict[str, list[str]] = {}
    for metric in report.metrics:
        for reason, count in metric.excluded.items():
            reasons.setdefault(reason, []).append(f"{NAMES[metric.name]} {count:,}")
    title = element("h3", "What was left out, and why")
    if not reasons:
        return joined([title, element("p", "Nothing.", class_="empty")])
    rows = ((MEANINGS[reason], "; ".join(names)) for reason, names in sorted(reasons.items()))
    return joined([title, table("Counted for each metric", ("reason", "metric, and how many"), rows)])


def _levels(report: DoraReport) -> Markup | None:
    notes = [
        element("li", f"{NAMES[metric.name]}, {level.table}: {level.note}")
        for metric in report.metrics
        for level in metric.levels
        if level.note
    ]
    return element("ul", *notes, class_="note") if notes else None


def _title(name: str) -> str:
    words = NAMES[name]
    return f"{words[0].upper()}{words[1:]}"


def _reasons(metric: Metric) -> str:
    return "; ".join(f"{count:,} {MEANINGS[reason]}" for reason, count in metric.excluded.items())


def _level(metric: Metric, year: int) -> str:
    return next((" or ".join(each.names) for each in metric.levels if each.table == str(year)), "")


def _empty_of(report: DoraReport, name: str) -> str:
    why = next(metric.why_empty for metric in report.metrics if metric.name == name)
    return f"{why[0].upper()}{why[1:]}." if why else "No deployment lies in this span."


def _unit(metric: Metric, top: float) -> tuple[float, str]:
    """Return what the axis is counted in."""
    if metric.unit == "share":
        return 0.01, "%"
    if metric.unit != "seconds":
        return (1.0, "/day") if top >= 1 else (1 / 7, "/week")
    return next(
        ((unit, name) for unit, name in ((DAY, " d"), (HOUR, " h"), (60.0, " min")) if top >= 2 * unit), (1.0, " s")
    )


def _spread(count: int, most: int) -> range:
    return range(0, count, ceil(count / most))


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def _short(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%d %b}".lstrip("0")
