"""The tables of the live view: one function a section, each from a `Picture` to something that rich draws.

A section is a table without lines under a shaded heading, so that all of them fit on 24 rows. Colour means something:
red needs a look, yellow may soon, green went well.
"""

from datetime import datetime
from typing import NamedTuple

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from vigia.cli.run.accounting import INPUT_TOPICS, SHOWN_FIGURES
from vigia.cli.run.picture import Picture
from vigia.cli.run.supervisor import WorkerStatus
from vigia.events.figures import topic_figure
from vigia.events.summaries import DeploymentSummary

HEADING = "bold white on grey23"
SEVERITY_STYLES = {"P0": "bold red", "P1": "red", "P2": "yellow", "P3": ""}
OUTCOME_STYLES = {"failed": "red", "succeeded": "green"}
LAG_WORTH_A_LOOK = 1_000
MAX_VERSION = 12
RISK_HIGH, RISK_RAISED = 0.5, 0.3


class Column(NamedTuple):
    """A column; `number` aligns to the right, `fills` takes the room that the others leave."""

    title: str
    number: bool = False
    fills: bool = False


def topics(picture: Picture, rows: int) -> Table:
    """Per topic: events a second, figures, and lag in records; the busiest when not all fit."""
    numbers = ("in/s", *SHOWN_FIGURES, "lag")
    table = _section(Column("Topics", fills=True), *(Column(name, number=True) for name in numbers))
    counts = picture.figures
    busiest = sorted(INPUT_TOPICS, key=lambda topic: -counts.get(topic_figure(topic, "in"), 0))[:rows]
    for topic in INPUT_TOPICS:
        if topic not in busiest:
            continue
        counted = [counts.get(topic_figure(topic, name), 0) for name in SHOWN_FIGURES]
        lag = picture.lags.get(topic, 0)
        table.add_row(
            topic,
            f"{picture.rates.get(topic, 0.0):,.0f}",
            *(
                Text(f"{number:,}", style="red" if name == "invalid" and number else "")
                for name, number in zip(SHOWN_FIGURES, counted, strict=True)
            ),
            Text(f"{lag:,}", style="yellow" if lag >= LAG_WORTH_A_LOOK else ""),
        )
    return table


def deployments(picture: Picture, rows: int) -> Table:
    """The latest deployments with their risk, and what came of them when that is known."""
    table = _section(
        Column("Latest deployments"),
        Column("service"),
        Column("scope"),
        Column("version"),
        Column("risk", number=True),
        Column("outcome", fills=True),
    )
    # the present takes at most half of the room while a history is played back
    new = picture.deployments[: max(rows // 2, rows - len(picture.history))]
    for line in [*new, *picture.history][:rows]:
        table.add_row(
            _when(latest(line), picture.now),
            escape(line.service),
            escape(line.scope),
            escape((line.version or line.external_id)[:MAX_VERSION]),
            _risk(line.risk),
            Text(line.outcome or "-", style=OUTCOME_STYLES.get(line.outcome, "dim")),
        )
    return _filled(table, "none yet", [*picture.deployments, *picture.history])


def problems(picture: Picture, rows: int) -> Table:
    """The problems that are open, and how the detector puts it."""
    table = _section(
        Column(_counted("Open problems", len(picture.problems), rows)), Column(""), Column("why", fills=True)
    )
    for line in picture.problems[:rows]:
        table.add_row(escape(line.service), _severity(line.severity), escape(line.why))
    return _filled(table, "none", picture.problems)


def proposals(picture: Picture, rows: int) -> Table:
    """The proposals that wait for a verdict, and how long they hold."""
    table = _section(
        Column(_counted("Open proposals", len(picture.proposals), rows)),
        Column(""),
        Column("action", fills=True),
        Column("lapses in", number=True),
    )
    for line in picture.proposals[:rows]:
        table.add_row(
            escape(line.service),
            _severity(line.severity),
            escape(f"{line.action}, {line.after}" if line.after else line.action),
            duration(line.expires_at - picture.now),
        )
    return _filled(table, "none", picture.proposals)


def dead_letters(picture: Picture, rows: int) -> Table:
    """How many events were refused, by reason."""
    table = _section(Column("Dead letters", fills=True), Column("open", number=True))
    most = sorted(picture.dead_letters.items(), key=lambda pair: (-pair[1], pair[0]))
    for reason, number in most[:rows]:
        table.add_row(escape(reason), Text(f"{number:,}", style="red"))
    return _filled(table, "none", most)


def workers(picture: Picture, rows: int) -> Table:
    """The worker processes."""
    table = _section(
        Column("Workers"), Column("pid", number=True), Column("restarts", number=True), Column("", fills=True)
    )
    for worker in picture.workers[:rows]:
        table.add_row(
            f"worker {worker.number}",
            str(worker.pid or "-"),
            Text(str(worker.restarts), style="yellow" if worker.restarts else ""),
            _state(worker),
        )
    return table


def latest(line: DeploymentSummary) -> float:
    """Return when a deployment reached its latest stage, in epoch seconds."""
    return line.finished_at or line.started_at or line.planned_at or 0.0


def duration(seconds: float) -> str:
    """Return a duration as people read it.

    >>> duration(5), duration(65), duration(3_725), duration(-3)
    ('5s', '1m05s', '1h02m', '0s')
    """
    whole = max(0, round(seconds))
    if whole < 60:  # noqa: PLR2004 - a minute
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}m{rest:02}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}m"  # noqa: PLR2004


def _section(*columns: Column) -> Table:
    table = Table(box=None, expand=True, header_style=HEADING, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(
            column.title,
            justify="right" if column.number else "left",
            no_wrap=True,
            overflow="ellipsis",
            ratio=1 if column.fills else None,
        )
    return table


def _filled(table: Table, nothing: str, lines: object) -> Table:
    if not lines:
        table.add_row(Text(nothing, style="dim"))
    return table


def _counted(title: str, number: int, rows: int) -> str:
    return f"{title} ({rows} of {number})" if number > rows else title


def _severity(severity: str) -> Text:
    return Text(severity, style=SEVERITY_STYLES.get(severity, ""))


def _risk(risk: float | None) -> Text:
    if risk is None:
        return Text("-", style="dim")
    style = "red" if risk >= RISK_HIGH else "yellow" if risk >= RISK_RAISED else ""
    return Text(f"{risk:.1%}", style=style)


def _when(at: float, now: float) -> str:
    moment = datetime.fromtimestamp(at).astimezone()
    return f"{moment:%H:%M:%S}" if now - at < 12 * 3600 else f"{moment:%Y-%m-%d}"


def _state(worker: WorkerStatus) -> Text:
    if worker.state == "running":
        return Text(f"up {duration(worker.seconds)}", style="green")
    return Text(f"starts in {duration(worker.seconds)} after {worker.last_end}", style="yellow")
