"""One run, started and ticking: ground, workers, feeds, and the observer of what they do.

`ending`, an ExitStack, holds how all of it ends, last started first ended: feeds, workers, stores, broker.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from confluent_kafka import Producer

from vigia import app
from vigia.cli.run import ground as grounds
from vigia.cli.run.accounting import INPUT_TOPICS, Partition, Reading
from vigia.cli.run.broker import EndOffsets
from vigia.cli.run.children import STOP_SECONDS, Child, rotate
from vigia.cli.run.environment import for_once
from vigia.cli.run.feeding import Feed, Feeds, in_order, paced
from vigia.cli.run.ground import Ground, Say
from vigia.cli.run.observer import Observer
from vigia.cli.run.options import Options
from vigia.cli.run.patience import Patience
from vigia.cli.run.playing import Played, playing
from vigia.cli.run.stopping import Stop
from vigia.cli.run.supervisor import Supervisor
from vigia.feeds import host_metrics, scenario
from vigia.feeds.send import PRODUCER_SETTINGS, Pause, Sender
from vigia.topics import BY_NAME

ROOM_SECONDS = host_metrics.ONCE_SECONDS * host_metrics.ONCE_ROUNDS + 4.0
"""The finite host samples fit into one minute with this much room."""


@dataclass(frozen=True)
class Engine:
    """What a running run consists of."""

    options: Options
    run_id: str
    started: float
    """Monotonic time of the start."""
    ground: Ground
    observer: Observer
    ends: EndOffsets
    sender: Sender
    supervisor: Supervisor
    feeds: Feeds
    before: Reading
    """The figures before anything was sent."""
    say: Say

    def tick(self) -> list[str]:
        """Look after broker, workers and feeds; returns what is worth saying. Raises RunFailed, FeedFailed."""
        self.ground.check()
        self.feeds.running()
        return self.supervisor.tick()

    def read_ends(self) -> dict[Partition, int]:
        """Return the end offsets of all topics that we read."""
        created = {(name, number) for name in INPUT_TOPICS for number in range(BY_NAME[name].partitions)}
        # lanes know of partitions that were added since
        return self.ends.read(created | self.observer.positions().keys())


def start(options: Options, environ: Mapping[str, str], stop: Stop, ending: ExitStack, say: Say) -> Engine:
    """Start everything; on an error `ending` ends what has been started."""
    started = time.monotonic()
    run_id = uuid.uuid4().hex[:6]
    wanted = for_once(environ) if options.once else environ

    def patience(budget: float) -> Patience:
        return Patience(budget, stop.wait, time.monotonic, say)

    ground = grounds.local(wanted, ending, patience) if options.local else grounds.embedded(wanted, ending, say)
    played = playing(options, run_id, ground.settings, time.time())
    waiting = patience(ground.settings.stream.start_budget)
    waiting.with_(lambda: app.migrate(ground.settings), ground.hint)
    stores = app.open_stores(ground.settings)
    ending.callback(stores.close)
    observer = Observer(stores.summaries, ground.cluster_id)
    before = waiting.with_(observer.reading, ground.hint)
    _log_to(ground.logs / "run.log")
    supervisor = Supervisor(partial(_start_worker, ground), options.workers)
    ending.callback(lambda: _stop_workers(supervisor, stop, say))
    feeding = threading.Event()
    connection = ground.settings.kafka.confluent_config()
    producer = Producer({**connection, **PRODUCER_SETTINGS, "log_level": 0})
    sender = Sender(producer, observer.positions, feeding.wait, physical=ground.settings.kafka.physical)
    planned = _finite_feeds if options.once else _live_feeds
    feeds = Feeds(sender, planned(run_id, played, ground, sender, feeding.wait), feeding)
    ending.callback(feeds.stop)
    for number in range(1, options.workers + 1):
        rotate(_worker_log(ground, number))
    supervisor.start()
    feeds.start()
    say(f"run {run_id} on the {options.mode}; logs are in {ground.logs}")
    ends = EndOffsets(connection, ground.settings.kafka.topic_prefix)
    return Engine(options, run_id, started, ground, observer, ends, sender, supervisor, feeds, before, say)


def _live_feeds(
    run_id: str, played: Played, ground: Ground, _sender: Sender, pause: Pause
) -> dict[str, Callable[[], Feed]]:
    host = host_metrics.Host(ground.settings.data_dir)
    return {
        "history": lambda: paced(played.events(), played.per_second, pause),
        "host": lambda: host_metrics.events(host.read, pause),
        "scenario": lambda: scenario.events(run_id, time.time, pause),
    }


def _finite_feeds(
    run_id: str, played: Played, ground: Ground, sender: Sender, pause: Pause
) -> dict[str, Callable[[], Feed]]:
    host = host_metrics.Host(ground.settings.data_dir)

    def samples() -> Feed:
        if not pause(host_metrics.seconds_until_minute_has_room(time.time(), ROOM_SECONDS)):
            seconds, rounds = host_metrics.ONCE_SECONDS, host_metrics.ONCE_ROUNDS
            yield from host_metrics.events(host.read, pause, seconds=seconds, rounds=rounds)

    def ordered(feed: Feed) -> Callable[[], Feed]:
        return lambda: in_order(feed, sender.wait_until_consumed)

    return {
        "history": lambda: in_order(played.events(), sender.wait_until_consumed),
        "host": samples,
        "scenario": ordered(scenario.events(run_id, time.time, pause, repeat=False)),
    }


def _log_to(log: Path) -> None:
    """Keep what libraries log off the screen."""
    rotate(log)
    logging.basicConfig(filename=log, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def _start_worker(ground: Ground, number: int) -> Child:
    return Child("vigia", ["worker", "--ends-with-stdin"], ground.environment, _worker_log(ground, number))


def _stop_workers(supervisor: Supervisor, stop: Stop, say: Say) -> None:
    for sentence in supervisor.stop(STOP_SECONDS, stop.insisted.is_set):
        say(sentence)


def _worker_log(ground: Ground, number: int) -> Path:
    return ground.logs / f"worker-{number}.log"
