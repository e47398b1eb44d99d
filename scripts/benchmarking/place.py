"""Where a measurement runs: topics, group and stores of its own, on an embedded broker or on the local stack."""

import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient
from sqlalchemy import create_engine, make_url, text

from vigia.app import ensure_topics, migrate
from vigia.cli.run.broker import EmbeddedBroker, touch_topics
from vigia.settings import load
from vigia.topics import TOPICS

ROOT = Path(__file__).resolve().parents[2]
Environment = Mapping[str, str]


@contextmanager
def embedded() -> Iterator[dict[str, str]]:
    """Give the environment of an embedded broker and SQLite files, gone at the end."""
    with tempfile.TemporaryDirectory() as folder:
        broker = EmbeddedBroker(Path(folder) / "broker.log", dict(os.environ))
        try:
            env = {
                "VIGIA_KAFKA_BOOTSTRAP": broker.bootstrap,
                "VIGIA_KAFKA_CLUSTER_ID": broker.cluster_id,
                "VIGIA_KAFKA_EPHEMERAL": "true",
                "VIGIA_RAW_LOG_URL": f"sqlite:///{folder}/raw.db",
                "VIGIA_SUMMARIES_URL": f"sqlite:///{folder}/summaries.db",
                "VIGIA_DATA_DIR": folder,
                "VIGIA_OPERATIONS_OWN_METRICS": "false",
            }
            settings = load(env)
            touch_topics(settings.kafka.confluent_config(), [settings.kafka.physical(topic.name) for topic in TOPICS])
            migrate(settings)
            yield env
        finally:
            broker.stop()


@contextmanager
def local(topics_of: str | None = None) -> Iterator[dict[str, str]]:
    """Give the environment of a schema, keyspace and topics of its own on the local stack (`make stack`).

    With `topics_of`, a prefix, the topics are those that another place has made.
    """
    stack = stack_settings()
    name = f"vigia_bench_{uuid.uuid4().hex[:8]}"
    database = make_url(stack["VIGIA_SUMMARIES_URL"])
    engine = create_engine(database.set(database=None))
    with engine.begin() as connection:
        connection.execute(text(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"))
    with tempfile.TemporaryDirectory() as folder:
        env = {
            "VIGIA_KAFKA_BOOTSTRAP": stack["VIGIA_KAFKA_BOOTSTRAP"],
            "VIGIA_KAFKA_TOPIC_PREFIX": topics_of or f"{name}.",
            "VIGIA_KAFKA_GROUP": name,
            "VIGIA_RAW_LOG_URL": f"{stack['VIGIA_RAW_LOG_URL'].rpartition('/')[0]}/{name}",
            "VIGIA_SUMMARIES_URL": database.set(database=name).render_as_string(hide_password=False),
            "VIGIA_DATA_DIR": folder,
            "VIGIA_OPERATIONS_OWN_METRICS": "false",
        }
        try:
            settings = load(env)
            ensure_topics(settings)
            migrate(settings)
            yield env
        finally:
            if topics_of is None:
                _delete_topics(env)
            _drop_keyspace(env, name)
            with engine.begin() as connection:
                connection.execute(text(f"DROP DATABASE `{name}`"))
            engine.dispose()


PLACES = {"embedded": embedded, "local": local}


@contextmanager
def worker(env: Environment) -> Iterator[int]:
    """Run one worker process; gives its pid."""
    log = Path(env["VIGIA_DATA_DIR"]) / "worker.log"
    with log.open("wb") as file:
        command = [sys.executable, "-m", "vigia", "worker"]
        process = subprocess.Popen(command, cwd=ROOT, env=own_environment() | dict(env), stdout=file, stderr=file)
    try:
        yield process.pid
        if process.poll() is not None:
            raise SystemExit(f"the worker ended with {process.returncode}:\n{log.read_text()[-4000:]}")
    finally:
        process.terminate()
        process.wait(30)


def own_environment() -> dict[str, str]:
    """Return this process's environment without any setting of Vigia."""
    return {name: value for name, value in os.environ.items() if not name.startswith("VIGIA_")}


def stack_settings() -> dict[str, str]:
    """Return what the local stack has told about itself."""
    path = Path(os.environ.get("VIGIA_STACK_DIR", ROOT / ".stack")) / "env"
    if not path.exists():
        raise SystemExit(f"{path} is missing: start the local stack with `make stack`")
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.removeprefix("export ").partition("=")
        if equals:
            found[name] = value.strip("'\"")
    return found


def _delete_topics(env: Environment) -> None:
    admin = AdminClient({"bootstrap.servers": env["VIGIA_KAFKA_BOOTSTRAP"], "log_level": 0})
    names = [name for name in admin.list_topics(timeout=30).topics if name.startswith(env["VIGIA_KAFKA_TOPIC_PREFIX"])]
    for future in admin.delete_topics(names).values():
        future.result()


def _drop_keyspace(env: Environment, keyspace: str) -> None:
    with cassandra_session(env) as session:
        session.execute(f"DROP KEYSPACE IF EXISTS {keyspace}", timeout=60)


@contextmanager
def cassandra_session(env: Environment) -> Iterator[Any]:
    """Give the driver's session on the raw log's keyspace."""
    from cassandra.cluster import Cluster  # noqa: PLC0415 - slow to import, and only the local stack needs it

    address, _, keyspace = env["VIGIA_RAW_LOG_URL"].removeprefix("cassandra://").partition("/")
    host, _, port = address.partition(":")
    cluster = Cluster([host], port=int(port), protocol_version=5)
    try:
        yield cluster.connect(keyspace)
    finally:
        cluster.shutdown()
