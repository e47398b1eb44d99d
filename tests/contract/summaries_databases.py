"""Databases for tests of the summaries: a SQLite file, or a schema of its own on the stack's MariaDB."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pymysql
from sqlalchemy import URL, make_url


@contextmanager
def mariadb_schema(url: str) -> Iterator[str]:
    """Make an empty schema on the server of `url`, give its URL, and drop it at the end."""
    server = make_url(url)
    name = f"vigia_test_{uuid.uuid4().hex}"
    execute(server, f"CREATE DATABASE `{name}`")
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        execute(server, f"DROP DATABASE `{name}`")


def execute(server: URL, *statements: str) -> None:
    """Run statements over a connection of their own, outside of any schema."""
    connection = pymysql.connect(
        host=server.host,
        port=server.port or 3306,
        user=server.username,
        password=server.password or "",
        autocommit=True,
    )
    with connection, connection.cursor() as cursor:
        # a transaction that a test left open shows as an error, not as a wait for ever
        for statement in ("SET SESSION lock_wait_timeout = 20", *statements):
            cursor.execute(statement)
