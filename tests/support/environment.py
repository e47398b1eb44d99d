"""A place of a test's own on the real stack: topics, group, keyspace and schema; made, migrated, and dropped."""

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pymysql
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.policies import RoundRobinPolicy
from confluent_kafka.admin import AdminClient
from sqlalchemy import make_url

from vigia.app import Stores, ensure_topics, migrate, open_stores
from vigia.settings import load

Environment = Mapping[str, str]
"""The `VIGIA_*` variables that a process of the test gets, and no others."""


@contextmanager
def fresh_environment(
    stack: Environment, folder: Path, *, migrated: bool = True, **more: str
) -> Iterator[dict[str, str]]:
    """Give the settings of a place of its own on the stack; `folder` is for what workers keep on disk.

    Topics exist and schemas are migrated (unless `migrated` is false: then the MySQL schema is empty and there is no
    keyspace). `more` are further variables. Everything is dropped at the end: end the workers before.
    """
    name = f"vigia_test_{uuid.uuid4().hex}"
    prefix = f"test-{name[-8:]}."
    server = make_url(stack["VIGIA_SUMMARIES_URL"])
    env = {
        "VIGIA_KAFKA_BOOTSTRAP": stack["VIGIA_KAFKA_BOOTSTRAP"],
        "VIGIA_KAFKA_TOPIC_PREFIX": prefix,
        "VIGIA_KAFKA_GROUP": prefix + "group",
        "VIGIA_RAW_LOG_URL": f"{stack['VIGIA_RAW_LOG_URL'].rpartition('/')[0]}/{name}",
        "VIGIA_SUMMARIES_URL": server.set(database=name).render_as_string(hide_password=False),
        "VIGIA_DATA_DIR": str(folder),
        # tests count what they have sent
        "VIGIA_OPERATIONS_OWN_METRICS": "false",
        **more,
    }
    _sql(stack, f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    try:
        settings = load(env)
        ensure_topics(settings)
        if migrated:
            migrate(settings)
        yield env
    finally:
        _drop_topics(env)
        _drop_keyspace(env)
        _sql(stack, f"DROP DATABASE `{name}`")


@contextmanager
def opened_stores(env: Environment) -> Iterator[Stores]:
    """Give the stores of an environment."""
    stores = open_stores(load(env))
    try:
        yield stores
    finally:
        stores.close()


def counts(env: Environment) -> Counter[str]:
    """Return the figures of all lanes together."""
    with opened_stores(env) as stores:
        return sum((Counter(row.counts) for row in stores.summaries.lanes()), Counter[str]())


def _sql(stack: Environment, statement: str) -> None:
    server = make_url(stack["VIGIA_SUMMARIES_URL"])
    connection = pymysql.connect(
        host=server.host, port=server.port or 3306, user=server.username, password=server.password or ""
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)


def _drop_topics(env: Environment) -> None:
    admin = AdminClient({"bootstrap.servers": env["VIGIA_KAFKA_BOOTSTRAP"], "log_level": 0})
    prefix = env["VIGIA_KAFKA_TOPIC_PREFIX"]
    ours = [name for name in admin.list_topics(timeout=30).topics if name.startswith(prefix)]
    for future in admin.delete_topics(ours).values() if ours else ():
        future.result()


def _drop_keyspace(env: Environment) -> None:
    url = urlsplit(env["VIGIA_RAW_LOG_URL"])
    profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy(), request_timeout=60)
    cluster = Cluster(
        [url.hostname], port=url.port, execution_profiles={EXEC_PROFILE_DEFAULT: profile}, protocol_version=5
    )
    try:
        cluster.connect().execute(f"DROP KEYSPACE IF EXISTS {url.path.strip('/')}")
    finally:
        cluster.shutdown()
