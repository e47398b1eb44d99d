"""What a person sees while a rebuild runs: lanes, steps done and to do, records a second, the remaining time."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from scripts.rebuilding.past import Act
from vigia.stores.base import LaneId


class Bar:
    """A progress bar; implements `running.Watch`. On anything but a terminal it says nothing before the end."""

    def __init__(self, console: Console) -> None:
        self.records = 0
        self.steps = 0
        self._console = console
        self._lanes = 0
        self._seen: set[LaneId] = set()
        self._began = time.monotonic()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("steps, {task.fields[rate]} records/s"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("lanes", total=None, rate="0")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    @property
    def summary(self) -> str:
        """The last line."""
        seconds = time.monotonic() - self._began
        return (
            f"{self._lanes} lanes are rebuilt: {self.steps} steps with {self.records} records in {seconds:.1f} s "
            f"({self.rate:.0f} records/s)"
        )

    @property
    def rate(self) -> float:
        """Records a second so far."""
        return self.records / max(time.monotonic() - self._began, 1e-9)

    def begin(self, lanes: int, steps: int) -> None:
        self._lanes = lanes
        self._began = time.monotonic()
        self._progress.update(self._task, total=steps)

    def lane(self, lane: LaneId) -> None:
        # a lane comes again after each change of the number of partitions
        self._seen.add(lane)
        self._progress.update(self._task, description=f"lane {len(self._seen)}/{self._lanes} {lane}")

    def step(self, step: Act, records: int) -> None:  # noqa: ARG002 - only its number of records is shown
        self.steps += 1
        self.records += records
        self._progress.update(self._task, advance=1, rate=f"{self.rate:,.0f}")
