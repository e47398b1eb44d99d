"""Where every lane stands in every topic that it reads, beside where the topic's log is."""

from collections.abc import Mapping

import msgspec
from rich.console import Console
from rich.text import Text

from scripts.letters.safe import one_line
from scripts.operations.kafka_view import Log, Partition
from vigia.cli.reading import bare_table
from vigia.stores.base import LaneRow


class LanePlace(msgspec.Struct, frozen=True):
    """A lane in one of its topics. `offset` is the next one to be applied, `log_start` and `log_end` are the broker's;
    all three are None where nobody knows them. `worker` took the lane over last, whether it lives or not.
    """

    agent: str
    partition: int
    topic: str
    offset: int | None
    log_start: int | None
    log_end: int | None
    lag: int | None
    version: int
    step: int
    partitions: int
    worker: str
    stopped: str


def partitions_of(rows: list[LaneRow], reads: Mapping[str, list[str]]) -> list[Partition]:
    """Return all partitions that these lanes read; `reads` are the topics of each agent."""
    return [(topic, row.lane.partition) for row in rows for topic in _topics(row, reads)]


def lane_places(
    rows: list[LaneRow], reads: Mapping[str, list[str]], logs: Mapping[Partition, Log] | None
) -> list[LanePlace]:
    """Return the place of each lane in each of its topics; `logs` is None while the broker does not answer."""
    return [_place(row, topic, (logs or {}).get((topic, row.lane.partition))) for row, topic in _pairs(rows, reads)]


def show_lanes(places: list[LanePlace], console: Console) -> None:
    """Print them as a table."""
    table = bare_table()
    for name, side in (
        ("lane", "left"),
        ("topic", "left"),
        ("next offset", "right"),
        ("log", "right"),
        ("lag", "right"),
        ("step", "right"),
        ("version", "right"),
    ):
        table.add_column(name, justify=side)  # type: ignore[arg-type] # two of its values
    table.add_column("last taken over by", overflow="fold")
    table.add_column("stopped", overflow="fold")
    before = None
    for each in places:
        lane = f"{each.agent}/{each.partition}"
        first, before = lane != before, lane
        table.add_row(
            lane if first else "",
            one_line(each.topic),
            "-" if each.offset is None else f"{each.offset:,}",
            "?" if each.log_end is None else f"{each.log_start:,} to {each.log_end:,}",
            "?" if each.lag is None else Text(f"{each.lag:,}", style="yellow" if each.lag else ""),
            f"{each.step:,}" if first else "",
            f"{each.version:,}" if first else "",
            one_line(each.worker) if first else "",
            Text(one_line(each.stopped) if first else "", style="bold red"),
        )
    console.print(table)


def _pairs(rows: list[LaneRow], reads: Mapping[str, list[str]]) -> list[tuple[LaneRow, str]]:
    return [(row, topic) for row in rows for topic in _topics(row, reads)]


def _topics(row: LaneRow, reads: Mapping[str, list[str]]) -> list[str]:
    known = reads.get(row.lane.agent, [])
    # topics that this release does not read any more are shown, too
    return [*known, *sorted(row.offsets.keys() - set(known))]


def _place(row: LaneRow, topic: str, log: Log | None) -> LanePlace:
    offset = row.offsets.get(topic)
    lag = None if log is None else max(0, log.end - (log.start if offset is None else offset))
    return LanePlace(
        agent=row.lane.agent,
        partition=row.lane.partition,
        topic=topic,
        offset=offset,
        log_start=log.start if log else None,
        log_end=log.end if log else None,
        lag=lag,
        version=row.version,
        step=row.step,
        partitions=row.partition_count,
        worker=row.owner,
        stopped=row.stopped,
    )
