"""A worker process: waits for broker and stores, starts Faust with our transport, and ends in order or with a reason.

Faust runs inside our own event loop instead of its `worker` command: that one replaces logging and signals, and goes on
after an agent has died.
"""

import asyncio
import logging
import os
import signal
import socket
import time
import traceback
import uuid
from collections.abc import Awaitable
from functools import partial
from tempfile import TemporaryDirectory

import faust
import uvloop
from yarl import URL

from vigia.app import broker
from vigia.app.companions import Beside, Companions
from vigia.app.garbage import collect_rarely
from vigia.app.opening import Stores, open_stores
from vigia.app.routes import ROUTES
from vigia.app.starting import check_files, learn_kafkas_time, shorten_driver_logs, started_producer, wait_for_all
from vigia.app.steps import make_steps
from vigia.app.store_threads import StoreThreads
from vigia.settings import Settings
from vigia.stores.errors import Transient, Unusable
from vigia.streaming.crash_points import CrashPoints, NoCrashPoints
from vigia.streaming.failure import EXIT_BUG, EXIT_NEEDS_PERSON, EXIT_TRANSIENT, Retry, end_process
from vigia.streaming.forms import Forms
from vigia.streaming.kafka_clock import KafkaClock
from vigia.streaming.lane import LaneLimits
from vigia.streaming.lanes import Lanes, Worker
from vigia.streaming.ports import Ports
from vigia.streaming.publisher import KafkaPublisher
from vigia.streaming.transport import Transport, TransportSettings

STOP_WITHIN = 10.0
"""Seconds that steps under way may take when the worker is asked to stop, and as many that the group may."""

PRODUCER_WITHIN = 3.0
"""Seconds for the producer to end: what it was given is acknowledged by then, or stays in the outbox."""

MAX_PARTITION_FETCH = 4 * 1024 * 1024
"""Most bytes that one fetch brings of one partition: enough for a full step when there is a backlog."""

logger = logging.getLogger(__name__)


def run_worker(settings: Settings, crash_points: CrashPoints | None = None, stores: Stores | None = None) -> int:
    """Work until SIGTERM or SIGINT; returns the exit code 0. `stores` take the place of those that the settings name.

    Ends the process with 70 (a bug), 75 (broker or stores stayed away) or 78 (a person must look) otherwise.
    """
    uvloop.install()
    collect_rarely()
    shorten_driver_logs()
    try:
        check_files(settings)
        return asyncio.run(_work(settings, crash_points or NoCrashPoints(), stores or open_stores(settings)))
    except Transient as error:
        end_process(EXIT_TRANSIENT, f"gave up waiting: {error}")
    except Unusable as error:
        end_process(EXIT_NEEDS_PERSON, str(error))
    except Exception:  # noqa: BLE001 - Python's own end would be exit code 1, which says nothing to a supervisor
        end_process(EXIT_BUG, f"a bug: {traceback.format_exc()}")


async def _work(settings: Settings, crash_points: CrashPoints, stores: Stores) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    waiting = asyncio.ensure_future(wait_for_all(settings, stores))
    await _first(stop.wait(), waiting)
    if not waiting.done():
        # what is asked of a store or broker that does not answer cannot be taken back: end with the process
        end_process(0, "asked to stop before all stores and the broker answered")
    cluster = await waiting
    producer = await started_producer(settings.kafka)
    clock = KafkaClock(time.time, time.monotonic)
    publisher = KafkaPublisher(producer, settings.kafka.topic_prefix, clock)
    await learn_kafkas_time(publisher, cluster)
    threads = StoreThreads()
    retry = Retry(settings.stream.retry_budget)
    ports = Ports(
        raw_log=stores.raw_log,
        summaries=stores.summaries,
        publisher=publisher,
        offload=threads.offload,
        retry=retry,
        end=end_process,
        crash_points=crash_points,
        now=clock.now,
    )
    owner = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    forms = Forms.cautious(row.route(settings) for row in ROUTES)
    lanes = make_lanes(settings, ports, Worker(owner, cluster, settings.stream.state_cache_entries), forms)
    with TemporaryDirectory(prefix="vigia-faust-") as folder:
        # Faust makes folders there when it starts and, as it has no tables, never uses them
        app = make_app(settings, lanes, folder)
        companions = Companions(
            settings,
            Beside(
                stores.summaries, stores.summaries, stores.summaries, lanes, threads, retry, publisher, forms, clock
            ),
            owner,
            app,
        )
        await asyncio.to_thread(companions.start)
        await app.start()
    logger.info("worker is up on cluster %s", cluster.cluster_id)
    await _until_stopped(app, stop)
    await lanes.drain(STOP_WITHIN)
    # the group first, so that others take the lanes over while the rest is put away
    gone = await _in_time(app.stop(), STOP_WITHIN)
    await asyncio.to_thread(companions.stop)
    if not (gone and await _in_time(producer.stop(), PRODUCER_WITHIN)):
        end_process(0, "the broker did not let us go in time; everything that was applied is committed")
    threads.close()
    stores.close()
    logger.info("worker has stopped")
    return 0


def make_lanes(settings: Settings, ports: Ports, worker: Worker, forms: Forms) -> Lanes:
    """Return the lanes for ROUTES."""
    stream = settings.stream
    lane_limits = LaneLimits(
        step_max_records=stream.step_max_records,
        step_max_bytes=stream.step_max_bytes,
        queue_batches=stream.queue_batches,
        tick_after=stream.tick_after,
        attempts_before_quarantine=stream.attempts_before_quarantine,
        lost_grace=2 * settings.kafka.session_timeout,
    )
    return Lanes(make_steps(settings, ports, forms), ports, lane_limits, worker)


def make_app(settings: Settings, lanes: Lanes, folder: str) -> faust.App:
    """Return the Faust application with one agent for each line of ROUTES; it starts in `folder`."""
    kafka = settings.kafka
    urls = [URL(f"kafka://{address.strip()}") for address in kafka.bootstrap.split(",")]
    app = faust.App(
        kafka.group,
        broker=urls,
        broker_credentials=broker.credentials(kafka),
        broker_session_timeout=kafka.session_timeout,
        broker_heartbeat_interval=kafka.heartbeat_interval,
        broker_max_poll_interval=kafka.poll_interval,
        broker_request_timeout=max(kafka.request_timeout, kafka.session_timeout),
        broker_max_poll_records=kafka.max_poll_records,
        broker_commit_interval=1.0,
        consumer_max_fetch_size=min(kafka.fetch_max_bytes, MAX_PARTITION_FETCH),
        stream_wait_empty=False,
        # counts batches, not events
        stream_buffer_maxsize=settings.stream.queue_batches,
        topic_disable_leader=True,
        topic_allow_declare=False,
        autodiscover=False,
        web_enabled=False,
        datadir=folder,
        store="memory://",
    )
    app.transport = Transport(
        urls,
        app,
        lanes=lanes,
        topic_ids=partial(broker.topic_ids, kafka),
        settings=TransportSettings(kafka.topic_prefix, kafka.fetch_max_wait_ms, kafka.fetch_max_bytes),
    )
    for row in ROUTES:
        names = [kafka.physical(topic.name) for topic in row.reads]
        channel = app.topic(*names, value_type=None, value_serializer="raw", key_type=bytes, key_serializer="raw")
        app.agent(channel, name=row.name)(row.agent(lanes))  # type: ignore[arg-type] # Faust types streams by protocol
    return app


async def _in_time(work: Awaitable[object], within: float) -> bool:
    """Return whether it was done `within` so many seconds.

    What takes longer is left alone, not cancelled: Faust takes a cancelled stop for a finished one while its thread for
    the broker goes on, and Python would wait for that thread for ever.
    """
    done, _ = await asyncio.wait([asyncio.ensure_future(work)], timeout=within)
    for task in done:
        task.result()
    return bool(done)


async def _until_stopped(app: faust.App, stop: asyncio.Event) -> None:
    """Return when asked to stop; Faust's own end, without being asked, is a bug's."""
    await _first(stop.wait(), app.wait_until_stopped())
    if not stop.is_set():
        end_process(EXIT_BUG, f"Faust ended by itself: {app.crash_reason!r}")


async def _first(*awaitables: Awaitable[object]) -> None:
    """Return when one of them is done. A future is left as it is, a coroutine that is not done is cancelled."""
    tasks = [asyncio.ensure_future(one) for one in awaitables]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task, given in zip(tasks, awaitables, strict=True):
        if task is not given:
            task.cancel()
