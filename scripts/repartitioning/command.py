"""The command: looks, says what would be done and what speaks against it, and with `--yes` does it."""

import sys
import time
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from scripts.letters.safe import one_line
from scripts.operations.lane_moving import Refused, whoever
from scripts.repartitioning.acting import Who, grow_topics, redistribute, take_over
from scripts.repartitioning.checks import Asked, Situation, look
from scripts.repartitioning.kafka import GrowingKafka, GrowingView
from vigia.app.opening import opened_summaries
from vigia.app.routes import ROUTES
from vigia.cli.reading import bare_table
from vigia.settings import Settings
from vigia.stores.errors import Conflict, Transient, UnknownOutcome, Unusable
from vigia.stores.sql.repartition import Told
from vigia.stores.sql.summaries import SqlSummaries
from vigia.streaming.repartition import Repartition
from vigia.streaming.route import Route

DONE, REFUSED, NOT_NOW, UNUSABLE = 0, 1, 75, 78


@dataclass(frozen=True)
class Wanted:
    """What was typed."""

    agent: str
    asked: Asked
    because: str
    yes: bool


def repartition(settings: Settings, wanted: Wanted) -> int:
    """Run it; returns the exit code."""
    try:
        route = _route(settings, wanted.agent)
        with opened_summaries(settings, read_only=not wanted.yes) as summaries:
            return _run(summaries, GrowingView(settings.kafka), route, wanted)
    except Refused as error:
        print(one_line(str(error)), file=sys.stderr)
        return REFUSED
    except Unusable as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    except (Transient, UnknownOutcome) as error:
        print(f"{error}\nRun it again: it goes on where it was.", file=sys.stderr)
        return NOT_NOW
    except Conflict as error:
        print(f"{error}: a worker is running. Nothing was moved; end it, and run it again.", file=sys.stderr)
        return NOT_NOW


def _run(summaries: SqlSummaries, kafka: GrowingKafka, route: Route, wanted: Wanted) -> int:
    console = Console(highlight=False)
    console.print(f"looking, and watching the logs for {wanted.asked.watch:g} s")
    found = look(summaries, kafka, route, wanted.asked)
    _show(found, console)
    if found.objections:
        for each in found.objections:
            print(f"- {one_line(each)}", file=sys.stderr)
        print("refused: nothing was changed", file=sys.stderr)
        return REFUSED
    if not wanted.yes:
        kafka.grow(found.growing, found.plan.after, only_ask=True)
        print("dry run: nothing speaks against it; --yes does it")
        return DONE
    held = take_over(summaries, found.held)
    grow_topics(kafka, found.counts, found.plan.after)
    who = Who(whoever(), time.time(), wanted.because)
    with _Bar(console, found) as told:
        redistribute(summaries, found.plan, held, found.cluster_id, who, told)
    print(f"done: {route.agent} has {found.plan.after} lanes; start the workers, then the senders")
    return DONE


def _route(settings: Settings, agent: str) -> Route:
    if settings.kafka.ephemeral:
        raise Refused("the embedded broker forgets its topics when it ends: there is nothing to repartition")
    for row in ROUTES:
        if row.name == agent:
            return row.route(settings)
    raise Refused(f"there is no agent {agent}; there are: {', '.join(row.name for row in ROUTES)}")


def _show(found: Situation, console: Console) -> None:
    plan: Repartition = found.plan
    table = bare_table()
    table.add_column("topic")
    table.add_column("partitions", justify="right")
    table.add_column("will be", justify="right")
    for topic, count in found.counts.items():
        table.add_row(topic, str(count), str(plan.after))
    console.print(table)
    console.print(
        f"lanes of {plan.agent}: {plan.before} become {plan.after}; {found.moving:,} of {found.states:,} states change "
        f"lanes, their timers with them ({found.timers:,} in all); remembered ids go to every lane that may need them"
    )


class _Bar:
    """Progress on a terminal: rows looked at. On anything else it says nothing."""

    def __init__(self, console: Console, found: Situation) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {
            what: self._progress.add_task(what, total=total)
            for what, total in (("states", found.states), ("timers", found.timers), ("ids", None))
        }

    def __enter__(self) -> Told:
        self._progress.start()
        return lambda what, rows: self._progress.advance(self._tasks[what], rows)

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
