"""`--once`: feed finite input, wait until it has come to rest, and account for every event of it."""

import time
from dataclasses import dataclass, field
from typing import Any

from vigia.cli.exits import INTERRUPTED, OK, UNACCOUNTED
from vigia.cli.run.accounting import TIMER_HORIZON, Drain, Reading, lags, report, since, unaccounted
from vigia.cli.run.engine import Engine
from vigia.cli.run.stopping import Stop
from vigia.events.figures import topic_figure
from vigia.stores.errors import Transient

LOOK_SECONDS = 0.25
PROGRESS_SECONDS = 5.0


@dataclass(frozen=True)
class Result:
    """How a run ended: its exit code, and with --once its report and what is missing."""

    code: int
    report: dict[str, Any] | None = None
    missing: list[str] = field(default_factory=list)


def account(engine: Engine, stop: Stop) -> Result:
    """Return the result once the input is drained, the time is up, or somebody stops the run."""
    deadline = engine.started + engine.options.timeout
    drain: Drain | None = None
    said_at = engine.started
    while True:
        for notice in engine.tick():
            engine.say(notice)
        if drain is None and not engine.feeds.running():
            engine.feeds.flush()
            engine.say(f"sent {sum(engine.sender.sent.values()):,} events; waiting until all of them are accounted for")
            drain = Drain(time.time)
        reading = _read(engine)
        if reading is not None:
            if drain is not None and drain.observe(reading, engine.read_ends):
                return _settled(engine, reading)
            if time.monotonic() - said_at >= PROGRESS_SECONDS:
                said_at = time.monotonic()
                engine.say(_progress(engine, reading))
        if time.monotonic() >= deadline:
            return _too_late(engine, reading)
        if stop.wait(LOOK_SECONDS):
            return Result(INTERRUPTED, missing=["stopped before the input was accounted for"])


def _read(engine: Engine) -> Reading | None:
    try:
        return engine.observer.reading(whole=True)
    except Transient as error:
        engine.say(f"the summaries' database does not answer: {error}")
        return None


def _settled(engine: Engine, reading: Reading) -> Result:
    counts = since(reading.figures, engine.before.figures)
    missing = unaccounted(counts, engine.sender.sent)
    seconds = time.monotonic() - engine.started
    told = report(counts, engine.sender.sent, seconds, accounted=not missing)
    return Result(UNACCOUNTED if missing else OK, told, missing)


def _too_late(engine: Engine, reading: Reading | None) -> Result:
    late = f"not drained within {engine.options.timeout:g} s"
    if reading is None:
        return Result(UNACCOUNTED, missing=[late, "the summaries' database does not answer"])
    counts = since(reading.figures, engine.before.figures)
    behind = lags(reading.positions, engine.read_ends())
    missing = [late, *unaccounted(counts, engine.sender.sent), *reading.stopped]
    missing += [f"{topic}: {number} records are not applied" for topic, number in behind.items() if number]
    if reading.outbox:
        missing.append("outputs wait to be published")
    if engine.feeds.running():
        missing.append("the feeds have not sent everything")
    seconds = time.monotonic() - engine.started
    return Result(UNACCOUNTED, report(counts, engine.sender.sent, seconds, accounted=False), missing)


def _progress(engine: Engine, reading: Reading) -> str:
    counts = since(reading.figures, engine.before.figures)
    sent = engine.sender.sent
    parts = [f"{topic} {counts.get(topic_figure(topic, 'in'), 0):,} of {number:,}" for topic, number in sent.items()]
    due = (reading.next_due or 0.0) - time.time()
    waiting = f"; windows are still open, the next timer is due in {due:.0f} s" if 1 < due <= TIMER_HORIZON else ""
    return f"applied: {', '.join(parts or ['nothing yet'])}{waiting}"
