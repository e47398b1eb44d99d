"""What runs beside a worker's lanes, each in a thread of its own: its heartbeat."""

import os
import socket
import time

import faust

from vigia.app.heartbeat import Beside, Heart, code_version
from vigia.app.log_ends import LogEnds
from vigia.app.vitals import Partition, Vitals
from vigia.settings import Settings
from vigia.stores.base import Heartbeats, WorkerRow
from vigia.streaming.lanes import Lanes

STOP_WITHIN = 2.0


class Companions:
    """Started before the worker joins the group, so that others know of it; stopped when its lanes are let go."""

    def __init__(self, settings: Settings, store: Heartbeats, lanes: Lanes, owner: str, app: faust.App) -> None:
        operations, kafka = settings.operations, settings.kafka
        ends = LogEnds(kafka.confluent_config(), kafka.topic_prefix, min(kafka.request_timeout, operations.heartbeat))
        self._app = app
        vitals = Vitals(lanes.glance, ends.read, self._positions, time.time)
        row = WorkerRow(
            worker=owner,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=code_version(),
            schemas={route.agent: route.model.schema for route in lanes.routes},
            started_at=time.time(),
            beat_at=0.0,
            interval=operations.heartbeat,
            resident=0,
        )
        self._heart = Heart(store, row, vitals.take, time.time, operations.forget_workers)
        self._threads = [Beside("heartbeat", operations.heartbeat, self._heart.beat)]

    def start(self) -> None:
        """Start them; the first sign of life is given before this returns."""
        self._heart.beat()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop them, and take this worker out of the table."""
        for thread in self._threads:
            thread.stop(STOP_WITHIN)
        self._heart.leave()

    def _positions(self) -> dict[Partition, int]:
        """Return what the consumer has fetched; nothing before it is there."""
        if not self._app.started:
            return {}
        positions: dict[Partition, int] = self._app.consumer.read_positions()  # type: ignore[attr-defined] # ours
        return positions
