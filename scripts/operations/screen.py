"""The status as tables for a terminal."""

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from scripts.letters.safe import one_line
from scripts.operations.report import LaneStatus, Status, WorkerStatus

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
MEBIBYTE = 1024 * 1024

COLOURS = {
    "beating": "green",
    "late": "bold red",
    "gone": "dim",
    "working": "cyan",
    "idle": "green",
    "stopped": "bold red",
    "lost": "yellow",
}


def show(status: Status, console: Console) -> None:
    """Print it: what needs a person first."""
    parts = (_verdict(status), _workers(status), _lanes(status), _dead_letters(status))
    console.print(Group(*[line for part in parts for line in (part, "")][:-1]))


def _verdict(status: Status) -> Text:
    if status.healthy:
        return Text("healthy", style="bold green")
    lines = [("a person must look:", "bold red"), *((f"\n- {one_line(each)}", "red") for each in status.findings)]
    return Text.assemble(*lines)


def _workers(status: Status) -> Table:
    table = _table(
        "workers", "worker", "slot", "version", "state", last_beat="right", up="right", memory="right", lanes="right"
    )
    for each in status.workers:
        table.add_row(*_worker_cells(each))
    return table


def _worker_cells(worker: WorkerStatus) -> list[str | Text]:
    return [
        Text(one_line(worker.worker)),
        str(worker.slot),
        Text(one_line(worker.version)),
        _coloured(worker.state),
        f"{duration(worker.age)} ago",
        duration(worker.uptime),
        f"{worker.resident / MEBIBYTE:,.0f} MiB",
        str(worker.lanes),
    ]


def _lanes(status: Status) -> Table:
    table = _table(
        "lanes", "lane", "state", lag="right", oldest="right", step="right", last_step="right", outbox="right"
    )
    table.add_column("owner", overflow="fold")
    for each in status.lanes:
        table.add_row(*_lane_cells(each))
    return table


def _lane_cells(lane: LaneStatus) -> list[str | Text]:
    lag = None if lane.lag is None else sum(lane.lag.values())
    return [
        lane.lane,
        _coloured(lane.state or "?"),
        "?" if lag is None else Text(f"{lag:,}", style="yellow" if lag else ""),
        "-" if lane.oldest_age is None else duration(lane.oldest_age),
        f"{lane.step:,}",
        "-" if lane.step_age is None else f"{duration(lane.step_age)} ago",
        f"{lane.outbox:,}",
        Text(one_line(lane.worker) or "nobody", style="" if lane.worker else "yellow"),
    ]


def _dead_letters(status: Status) -> Table | Text:
    if not status.dead_letters:
        return Text("no open dead letters")
    table = _table("open dead letters", "topic", "reason", count="right")
    for each in status.dead_letters:
        table.add_row(each.topic, each.reason, f"{each.count:,}")
    return table


def _table(title: str, *left: str, **aligned: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in left:
        table.add_column(name, overflow="fold", header_style="dim")
    for name in aligned:
        table.add_column(name.replace("_", " "), justify="right", header_style="dim")
    return table


def _coloured(state: str) -> Text:
    return Text(state, style=COLOURS.get(state, ""))


def duration(seconds: float) -> str:
    """Return seconds as a person reads them.

    >>> [duration(each) for each in (0.4, 75, 7300, 200_000)]
    ['0 s', '1 min 15 s', '2 h 1 min', '2 d 7 h']
    """
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    for unit, name, part, part_name in ((DAY, "d", HOUR, "h"), (HOUR, "h", MINUTE, "min")):
        if seconds >= unit:
            return f"{seconds // unit:.0f} {name} {seconds % unit // part:.0f} {part_name}"
    return f"{seconds // MINUTE:.0f} min {seconds % MINUTE:.0f} s"
