"""What runs beside a worker's lanes, each in a thread of its own: the heartbeat with its own metrics, the watchdog,
what deletes old rows, and what lets retrained risk models score.
"""

import asyncio
import logging
import os
import socket
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass

import faust
import psutil

from vigia import __version__
from vigia.app.heartbeat import Heart
from vigia.app.log_ends import LogEnds
from vigia.app.own_metrics import Bounds, OwnMetrics
from vigia.app.pruning import Pruner
from vigia.app.repeating import Repeating
from vigia.app.shadows import Shadows
from vigia.app.slots import NONE
from vigia.app.store_threads import StoreThreads
from vigia.app.vitals import Partition, Vitals
from vigia.app.watchdog import LOOK_EVERY, Watchdog
from vigia.settings import Settings
from vigia.stores.base import Heartbeats, LaneBeat, Pruning, WorkerRow
from vigia.stores.risk_models import RiskModels
from vigia.streaming.failure import Retry, end_process
from vigia.streaming.forms import Forms
from vigia.streaming.kafka_clock import KafkaClock
from vigia.streaming.lanes import Lanes
from vigia.streaming.ports import Publisher

STOP_WITHIN = 3.0
"""Seconds that the threads may take to end, and as many again for taking this worker's row away."""

KNOWN_FOR = 2
"""Heartbeats for which the watchdog believes what was last found to wait on the broker."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Beside:
    """What the companions look at and write to."""

    heartbeats: Heartbeats
    pruning: Pruning
    risk_models: RiskModels
    lanes: Lanes
    threads: StoreThreads
    retry: Retry
    publisher: Publisher
    forms: Forms
    clock: KafkaClock


class Companions:
    """Started before the worker joins the group, so that others know of it; stopped when it has left."""

    def __init__(self, settings: Settings, beside: Beside, owner: str, app: faust.App) -> None:
        operations, kafka = settings.operations, settings.kafka
        self._beside = beside
        self._app = app
        self._loop = asyncio.get_running_loop()
        ends = LogEnds(kafka.confluent_config(), kafka.topic_prefix, min(kafka.request_timeout, operations.heartbeat))
        self._vitals = Vitals(beside.lanes.glance, ends.read, self._positions, beside.clock.now, time.monotonic)
        row = WorkerRow(
            worker=owner,
            host=socket.gethostname(),
            pid=os.getpid(),
            slot=NONE,
            version=__version__,
            schemas={route.agent: route.model.schema for route in beside.lanes.routes},
            started_at=beside.clock.now(),
            beat_at=0.0,
            interval=operations.heartbeat,
            resident=0,
        )
        self._heart = Heart(beside.heartbeats, row, self._look, self._learn, operations.forget_workers)
        bounds = Bounds.within(settings.metrics.series_cap, len(beside.lanes.routes))
        self._own = OwnMetrics(bounds) if operations.own_metrics else None
        self._own_every = operations.own_metrics_every
        self._sent_at = time.monotonic()
        self._sending: Future[None] | None = None
        watchdog = Watchdog(
            beside.lanes.glance,
            lambda: self._vitals.unread,
            lambda: beside.threads.queued(operations.stuck_after),
            operations.stuck_after,
            KNOWN_FOR * operations.heartbeat + LOOK_EVERY,
            end_process,
            time.monotonic,
        )
        self._pruner = Pruner(beside.pruning.prune, beside.lanes.glance)
        self._shadows = Shadows(beside.risk_models, beside.lanes.glance)
        self._threads = [
            Repeating("heartbeat", operations.heartbeat, self._heart.beat),
            Repeating("watchdog", LOOK_EVERY, watchdog.look),
            Repeating("pruner", operations.prune_every, self._pruner.look),
            Repeating("shadows", operations.shadows_every, self._shadows.look),
        ]

    def start(self) -> None:
        """Start them; the first sign of life is given before this returns."""
        self._heart.beat()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop them, and take this worker out of the table; bounded in time, even when the database hangs."""
        deadline = time.monotonic() + STOP_WITHIN
        self._pruner.stop()
        self._shadows.stop()
        for thread in self._threads:
            thread.stop(max(0.0, deadline - time.monotonic()))
        # a thread of its own that ends with the process: what a database does not answer cannot be taken back
        leaving = threading.Thread(target=self._heart.leave, args=(STOP_WITHIN,), name="leave", daemon=True)
        leaving.start()
        leaving.join(STOP_WITHIN)
        if leaving.is_alive():
            logger.warning("the database does not take this worker's row away in time: it stays until it is forgotten")

    def _look(self) -> tuple[LaneBeat, ...]:
        beats = self._vitals.take()
        if self._own is not None:
            lanes, retries = self._beside.lanes.glance(), self._beside.retry.retries
            resident = psutil.Process().memory_info().rss
            self._own.look(self._beside.clock.now(), lanes, beats, self._heart.slot, retries, resident)
            if time.monotonic() - self._sent_at >= self._own_every:
                self._send(self._own)
        return beats

    def _learn(self, workers: list[WorkerRow]) -> None:
        self._beside.forms.learn(self._beside.lanes.routes, workers)

    def _send(self, own: OwnMetrics) -> None:
        """Hand them to the producer without waiting: while the broker is away, what is collected is dropped."""
        self._sent_at = time.monotonic()
        rows = own.messages()
        if self._sending is not None and not self._sending.done():
            return
        self._sending = asyncio.run_coroutine_threadsafe(self._beside.publisher.publish(rows), self._loop)
        self._sending.add_done_callback(_say_if_failed)

    def _positions(self) -> dict[Partition, int]:
        """Return what the consumer has fetched; nothing before it is there."""
        if not self._app.started:
            return {}
        positions: dict[Partition, int] = self._app.consumer.read_positions()  # type: ignore[attr-defined] # ours
        return positions


def _say_if_failed(sending: "Future[None]") -> None:
    if not sending.cancelled() and (error := sending.exception()) is not None:
        logger.warning("own metrics were not sent: %s", error)
