"""Whether what a worker needs answers now: both stores, with their schemas, and the broker.

Each is asked in a thread of its own, so that all share one limit; one that does not answer keeps its thread, which ends
with the process. Meant for a short-lived process, such as a container's health check.
"""

import queue
import threading
import time
from collections.abc import Callable

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from vigia.app.opening import open_stores
from vigia.settings import KafkaSettings, Settings, masked_url
from vigia.settings.secret import MASK
from vigia.stores.errors import StoreError, Transient

Parts = dict[str, Callable[[], object]]


def unhealthy(settings: Settings, within: float) -> list[str]:
    """Return one line, without passwords, for each part that does not answer `within` so many seconds."""
    try:
        stores = open_stores(settings)
    except (StoreError, OSError) as error:
        return [_line(settings, "the stores cannot be opened", error)]
    failing = ask(
        {
            f"the raw log {masked_url(settings.raw_log.url)}": stores.raw_log.check,
            f"the summaries' database {masked_url(settings.summaries.url)}": stores.summaries.check,
            f"Kafka at {settings.kafka.bootstrap}": lambda: _ask_broker(settings.kafka, within),
        },
        within,
    )
    if not failing:
        stores.close()
    return [_line(settings, part, error) for part, error in failing.items()]


def ask(parts: Parts, within: float) -> dict[str, Exception]:
    """Ask all parts at once; returns what those raised that failed, TimeoutError for those that are still at it."""
    answers: queue.SimpleQueue[tuple[str, Exception | None]] = queue.SimpleQueue()

    def asking(part: str) -> None:
        try:
            parts[part]()
        except Exception as error:  # noqa: BLE001 - whatever it is, the part does not work
            answers.put((part, error))
        else:
            answers.put((part, None))

    for part in parts:
        threading.Thread(target=asking, args=(part,), name=part, daemon=True).start()
    found: dict[str, Exception | None] = {part: TimeoutError(f"no answer within {within:g} s") for part in parts}
    deadline = time.monotonic() + within
    for _ in parts:
        try:
            part, error = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        found[part] = error
    return {part: error for part, error in found.items() if error is not None}


def _ask_broker(kafka: KafkaSettings, within: float) -> None:
    # not `broker.identify`: a check that runs every few seconds shall not import Faust
    try:
        AdminClient({**kafka.confluent_config(), "log_level": 0}).list_topics(timeout=within)
    except KafkaException as error:
        raise Transient(error.args[0].str()) from error


def _line(settings: Settings, part: str, error: Exception) -> str:
    what = str(error) if isinstance(error, StoreError | TimeoutError) else f"{type(error).__name__}: {error}"
    line = " ".join(f"{part}: {what}".split())
    kafka, raw_log, summaries = settings.kafka, settings.raw_log, settings.summaries
    secrets = [kafka.sasl_password, kafka.ssl_keypassword, raw_log.password, summaries.password]
    for secret in filter(None, [*(each.reveal() for each in secrets), _password_in(summaries.url)]):
        line = line.replace(secret, MASK)
    return line


def _password_in(url: str) -> str:
    try:
        return str(make_url(url).password or "")
    except (ArgumentError, ValueError):
        return ""
