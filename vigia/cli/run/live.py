"""The live run: watch until somebody stops it, on a full screen, or line by line where there is no terminal."""

import sys
import time
from collections.abc import Callable
from dataclasses import replace

from rich.console import Console
from rich.live import Live

from vigia.cli.exits import OK
from vigia.cli.run.accounting import lags, since
from vigia.cli.run.broker import BrokerDown
from vigia.cli.run.engine import Engine
from vigia.cli.run.once import Result
from vigia.cli.run.picture import Picture, Rates
from vigia.cli.run.stopping import Stop
from vigia.cli.run.view import draw
from vigia.events import figures
from vigia.stores.errors import Transient

SCREEN_SECONDS = 0.33
LINE_SECONDS = 5.0
NOTICE_SECONDS = 15.0


class Watch:
    """Takes one picture after another; what cannot be read now keeps its last value, and is said."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._rates = Rates()
        self._noticed_at = float("-inf")
        data_dir = engine.ground.settings.data_dir
        self._picture = Picture(
            mode=engine.options.mode,
            run_id=engine.run_id,
            now=time.time(),
            seconds=0.0,
            places={"logs": str(engine.ground.logs), "data": str(data_dir)},
        )

    def look(self) -> Picture:
        """Return the present picture; raises RunFailed and FeedFailed as `Engine.tick` does."""
        now = time.monotonic()
        for notice in self._engine.tick():
            self._notice(notice)
        try:
            self._read(now)
        except (Transient, BrokerDown) as error:
            self._notice(str(error))
        if now - self._noticed_at > NOTICE_SECONDS:
            self._picture = replace(self._picture, notice="")
        self._picture = replace(
            self._picture,
            now=time.time(),
            seconds=now - self._engine.started,
            workers=self._engine.supervisor.statuses(),
        )
        return self._picture

    def _read(self, now: float) -> None:
        observer = self._engine.observer
        reading = observer.reading()
        counts = since(reading.figures, self._engine.before.figures)
        self._picture = replace(
            self._picture,
            figures=counts,
            rates=self._rates.observe(now, counts),
            lags=lags(reading.positions, self._engine.read_ends()),
            deployments=observer.deployments(),
            history=observer.played_back(self._engine.feeds.deployments()),
            problems=observer.problems(),
            proposals=observer.proposals(),
            dead_letters=observer.dead_letters(),
        )
        if reading.stopped:
            self._notice(f"a lane has stopped: {reading.stopped[0]}")

    def _notice(self, sentence: str) -> None:
        self._noticed_at = time.monotonic()
        self._picture = replace(self._picture, notice=sentence)


def watch(engine: Engine, stop: Stop) -> Result:
    """Show the run until it is stopped."""
    look = Watch(engine).look
    if sys.stdout.isatty():
        _on_screen(look, stop)
    else:
        _line_by_line(look, stop)
    engine.say("stopping: the workers finish the step they are in (Ctrl-C again ends them at once)")
    return Result(OK)


def _on_screen(look: Callable[[], Picture], stop: Stop) -> None:
    console = Console()
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            picture = look()
            live.update(draw(picture, console.width, console.height), refresh=True)
            if stop.wait(SCREEN_SECONDS):
                return


def _line_by_line(look: Callable[[], Picture], stop: Stop) -> None:
    while True:
        print(line(look()), flush=True)
        if stop.wait(LINE_SECONDS):
            return


def line(picture: Picture) -> str:
    """Return a picture in one line, for logs and pipes."""
    counts = picture.figures
    arrived = sum(number for name, number in counts.items() if name.endswith(".in"))
    restarts = sum(worker.restarts for worker in picture.workers)
    parts = [
        f"{arrived:,} events in ({sum(picture.rates.values()):,.0f}/s)",
        f"{sum(picture.lags.values()):,} behind",
        f"{counts.get(figures.WINDOWS_CLOSED, 0):,} windows closed",
        f"{counts.get(figures.DEPLOYMENTS_SCORED, 0):,} scored",
        f"{counts.get(figures.OUTCOMES_LEARNED, 0):,} outcomes learned",
        f"{len(picture.problems)} problems and {len(picture.proposals)} proposals open",
        f"{sum(picture.dead_letters.values()):,} dead letters",
    ]
    if restarts:
        parts.append(f"{restarts} restarts")
    if picture.notice:
        parts.append(picture.notice.splitlines()[0])
    return f"{time.strftime('%H:%M:%S', time.localtime(picture.now))}  {', '.join(parts)}"
