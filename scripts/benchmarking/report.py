"""The figures as tables: in the terminal, and as docs/benchmarks.md from docs/benchmarks/figures.json."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from scripts.benchmarking.aims import aims
from scripts.benchmarking.contest.contest import rate, speeds
from scripts.benchmarking.pictures import draw_contest

DOCS = Path(__file__).resolve().parents[2] / "docs"
FIGURES = DOCS / "benchmarks" / "figures.json"
PAGE = DOCS / "benchmarks.md"

HEAD = """# Measurements

Written by `make bench` from [benchmarks/figures.json](benchmarks/figures.json); do not edit it. Every figure is of one
machine on which broker, stores, worker, sender and receiver share all cores. Compare speeds within a table, not between
machines; the bare loop says what a machine is worth.

Repeat: `make bench` on a machine that does nothing else (about 40 minutes; first it makes an environment for each peer
below `~/.cache/vigia`, with pip, Maven and cargo). `make bench ARGS="--parts latency"` repeats a part.
"""

Cells = Sequence[str]


def save(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Merge what was measured now into the figures file and return all of it."""
    known: dict[str, Any] = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    known.update(parts)
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    return known


def write_page(figures: Mapping[str, Any]) -> None:
    """Write docs/benchmarks.md and its pictures."""
    text = HEAD
    for part, title, section in (
        ("contest", "The same job side by side", _contest),
        ("latency", "Latency at a light load", _latency),
        ("raw-log", "The raw log beside other ways of writing to Cassandra", _raw_log),
        ("growth", "Growth", _growth),
        ("detectors", "Detectors", _detectors),
    ):
        if part in figures:
            text += f"\n## {title}\n{_machine(figures[part]['machine'])}\n\n{section(figures[part])}"
    notes = FIGURES.with_name("notes.md")
    if notes.exists():
        text += "\n" + notes.read_text(encoding="utf-8")
    PAGE.write_text(text, encoding="utf-8")


def show(figures: Mapping[str, Any]) -> None:
    """Print the tables."""
    console = Console()
    if "contest" in figures:
        rows = figures["contest"]["rows"]
        _print(console, "samples/s", CONTEST_HEAD, [_contest_cells(row) for row in rows])
        _print(console, "aims", AIM_HEAD, _aim_cells(rows))
    if "latency" in figures:
        _print(console, "latency", LATENCY_HEAD, _latency_cells(figures["latency"]["rows"]))
    if "raw-log" in figures:
        _print(console, "raw log", RAW_LOG_HEAD, _raw_log_cells(figures["raw-log"]["rows"]))
    if "growth" in figures:
        _print(console, "growth", GROWTH_HEAD, _growth_cells(figures["growth"]["rows"]))
    if "detectors" in figures:
        _print(console, "detectors", DETECTORS_HEAD, _detector_cells(figures["detectors"]["rows"]))


CONTEST_HEAD = ("contender", "in a message", "samples/s (median)", "least - most", "CPU s a million", "memory")
AIM_HEAD = ("aim", "at least", "figure", "")
LATENCY_HEAD = ("on", "what", "p50", "p95", "p99", "worst")
RAW_LOG_HEAD = ("what", "a second (median)", "least - most", "CPU s a million")
GROWTH_HEAD = ("series", "windows of each", "samples a window", "samples/s", "beside the first", "memory")
DETECTORS_HEAD = ("detectors", "samples a window", "stores", "samples/s", "by one core", "aim for one core")


def _contest(part: Mapping[str, Any]) -> str:
    rows = part["rows"]
    for points in (1, 100):
        draw_contest(rows, points, FIGURES.with_name(f"contest-{points}.svg"))
    return (
        f"{part['messages']:,} samples of 1,000 series (200 services x 5 metrics) over 20 one-minute windows, in 4 "
        "partitions\nof a real Kafka before anybody starts; as single messages, and 100 points a message. Everybody is "
        "timed from the\nfirst samples that it has taken to the last; for Vigia a sample counts when its step is "
        "committed, for the others\nwhen it has been added up. What peers counted in closed windows was compared with "
        f"what was sent.\n{part['repeats']} rounds, each with all of them.\n\n"
        + _markdown(CONTEST_HEAD, [_contest_cells(row) for row in rows])
        + _volumes(rows)
        + "\n![single samples](benchmarks/contest-1.svg)\n![100 in a message](benchmarks/contest-100.svg)\n\n"
        + _markdown(AIM_HEAD, _aim_cells(rows))
    )


def _volumes(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a sentence for each way of sending whose last run left something that was looked at."""
    text = ""
    for row in rows:
        left = row["runs"][-1].get("written") if row["runs"] else None
        if left:
            text += (
                f"\n(d) leaves for 1,000 samples, {row['points']} in a message: {left['sql_rows']:.1f} rows and "
                f"{left['sql_bytes'] / 1024:.1f} KiB in MariaDB (tables and\nindexes), {left['raw_rows']:.2f} rows and "
                f"{left['raw_bytes'] / 1024:.1f} KiB in Cassandra (before its own compression).\n"
            )
    return text


def _contest_cells(row: Mapping[str, Any]) -> Cells:
    if not row["runs"]:
        return (row["what"], str(row["points"]), "not run", str(row["failed"])[:120].replace("|", "/"), "", "")
    found = speeds(row)
    cpu = median(run["cpu_seconds"] / run["samples"] * 1e6 for run in row["runs"])
    memory = max(run["peak_memory"] for run in row["runs"])
    spread = f"{min(found):,.0f} - {max(found):,.0f}"
    return (
        row["what"],
        str(row["points"]),
        f"{rate(row):,.0f}",
        spread,
        f"{cpu:.1f}",
        f"{memory / 2**20:,.0f} MiB",
    )


def _aim_cells(rows: Sequence[Mapping[str, Any]]) -> list[Cells]:
    found: list[Cells] = []
    for aim in aims(rows):
        form = ",.0f" if aim.least > 100 else ".2f"  # noqa: PLR2004 - samples/s have no decimals
        figure = "-" if math.isnan(aim.figure) else f"{aim.figure:{form}}"
        found.append((aim.what, f"{aim.least:{form}}", figure, aim.verdict))
    return found


def _latency(part: Mapping[str, Any]) -> str:
    return (
        "From handing an event to the producer until another program has received what came of it, "
        f"{part['events']} events at\n{part['rate']:.0f} a second; `risk` is a deployment to its risk record, "
        "`approvals` the sample that closes a bad window to the\nproposal (two agents and three topics later). Aims on "
        "the real stack: "
        "`risk` p95 below 50 ms, `approvals` below 100 ms.\n\n" + _markdown(LATENCY_HEAD, _latency_cells(part["rows"]))
    )


def _latency_cells(rows: Sequence[Mapping[str, Any]]) -> list[Cells]:
    return [
        (row["on"], row["what"], *(f"{row[name]:.1f} ms" for name in ("p50", "p95", "p99", "worst"))) for row in rows
    ]


def _raw_log(part: Mapping[str, Any]) -> str:
    return (
        "One client with one thread of its own beside the node. The raw log appends 5,000 records at a time, samples "
        "packed\nand feedback as rows that people can read and find; the others write rows of the size of a sample and "
        "nothing to\nfind them by. latte-cli, in Rust, says what the node takes from a client that costs next to "
        "nothing.\n\n" + _markdown(RAW_LOG_HEAD, _raw_log_cells(part["rows"]))
    )


def _raw_log_cells(rows: Sequence[Mapping[str, Any]]) -> list[Cells]:
    found: list[Cells] = []
    for row in rows:
        if not row["runs"]:
            found.append((row["what"], "not run", str(row["failed"])[:120].replace("|", "/"), ""))
            continue
        rates = [run["rows"] / run["seconds"] for run in row["runs"]]
        cpu = median(run["cpu_seconds"] / run["rows"] * 1e6 for run in row["runs"])
        found.append((row["what"], f"{median(rates):,.0f}", f"{min(rates):,.0f} - {max(rates):,.0f}", f"{cpu:.1f}"))
    return found


def _growth(part: Mapping[str, Any]) -> str:
    return (
        "The metrics agent with everything on, one worker, single samples, each series with as many samples a window. "
        "The\nlength of the input should not cost speed (below 0.83 of the first row is a miss), memory is bounded. "
        "More series\ndo cost: a step writes the state of every service that it touches, five series each, and this "
        "input goes round all of\nthem. In the last row each sample begins a series that nobody has seen before, with "
        "its rows and its state.\n\n" + _markdown(GROWTH_HEAD, _growth_cells(part["rows"]))
    )


def _growth_cells(rows: Sequence[Mapping[str, Any]]) -> list[Cells]:
    found: list[Cells] = []
    for row in rows:
        shape = f"{row['series']:,}", f"{row['windows']:,}", f"{row['each']:,}"
        if not row["run"]:
            found.append((*shape, f"failed: {row['failed'].partition('; durability')[0]}", "", ""))
            continue
        first = rows[0]["run"]
        beside = f"{_rate(row['run']) / _rate(first):.2f}" if first else ""
        found.append((*shape, f"{_rate(row['run']):,.0f}", beside, f"{row['run']['peak_memory'] / 2**20:,.0f} MiB"))
    return found


def _detectors(part: Mapping[str, Any]) -> str:
    return (
        "The metrics agent on 1,000 series that these detectors watch, one worker, single samples. With one sample a "
        "window\neach sample closes one. `forgetting` is (b) of the contest: windows and detectors when stores cost "
        "nothing; `kept` is\n(d). By one core: samples by the worker's processor seconds, without its start. The "
        "general detector scores each\nwindow; what it needs three days for, opening problems, is not in here.\n\n"
        + _markdown(DETECTORS_HEAD, _detector_cells(part["rows"]))
    )


def _detector_cells(rows: Sequence[Mapping[str, Any]]) -> list[Cells]:
    found: list[Cells] = []
    for row in rows:
        head = row["what"], f"{row['each']:,}", "kept" if row["kept"] else "forgetting"
        if not row["run"]:
            found.append((*head, f"failed: {row['failed'].partition(';')[0]}", "", ""))
            continue
        core = row["run"]["samples"] / row["run"]["working_cpu_seconds"]
        verdict = "met" if core >= row["aim"] else "not met"
        found.append((*head, f"{_rate(row['run']):,.0f}", f"{core:,.0f}", f"{row['aim']:,} {verdict}"))
    return found


def _rate(run: Mapping[str, Any]) -> float:
    return float(run["samples"] / run["seconds"])


def _machine(machine: Mapping[str, Any]) -> str:
    return (
        f"{machine['day']}, {machine['cores']} cores, {machine['memory_gib']} GiB, Python {machine['python']}, "
        f"load before: {machine['load_before']}."
    )


def _markdown(head: Cells, rows: Sequence[Cells]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def _print(console: Console, title: str, head: Cells, rows: Sequence[Cells]) -> None:
    table = Table(title=title)
    for number, column in enumerate(head):
        table.add_column(column, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*row)
    console.print(table)
