"""What runs beside the lanes ends in time, whatever hangs."""

import asyncio
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from vigia.app import companions
from vigia.app.companions import Beside, Companions
from vigia.app.store_threads import StoreThreads
from vigia.settings import load
from vigia.streaming.failure import Retry
from vigia.streaming.forms import Forms
from vigia.streaming.kafka_clock import KafkaClock

SHORT = 0.2


class Hanging:
    """A database that answers one call no more, from a moment on until the test is over."""

    def __init__(self, call: str) -> None:
        self.call = call
        self.hangs, self.reached, self.over = threading.Event(), threading.Event(), threading.Event()

    def __getattr__(self, name: str) -> Any:
        def answer(*_arguments: object) -> Any:
            if name == self.call and self.hangs.is_set():
                self.reached.set()
                self.over.wait(30)
            return 0.0 if name == "now" else []

        return answer


@pytest.mark.parametrize("call", ["beat", "leave"])
def test_they_stop_in_time_though_the_database_hangs(call, monkeypatch, caplog):
    monkeypatch.setattr(companions, "STOP_WITHIN", SHORT)
    store = Hanging(call)
    lanes: Any = SimpleNamespace(
        glance=list, routes=[SimpleNamespace(agent="metrics", model=SimpleNamespace(schema=1))]
    )
    app: Any = SimpleNamespace(started=False)
    publisher: Any = None
    clock = KafkaClock(time.time, time.monotonic)

    async def made() -> Companions:
        beside = Beside(store, store, store, lanes, StoreThreads(), Retry(1.0), publisher, Forms(), clock)
        return Companions(load({"VIGIA_OPERATIONS_HEARTBEAT": "0.5s"}), beside, "me", app)

    beside_lanes = asyncio.run(made())
    beside_lanes.start()
    store.hangs.set()
    if call == "beat":
        assert store.reached.wait(10)
    began = time.monotonic()
    beside_lanes.stop()
    assert time.monotonic() - began < 10 * SHORT
    assert "stays until it is forgotten" in caplog.text
    store.over.set()
