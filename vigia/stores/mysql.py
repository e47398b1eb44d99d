"""What is MySQL's and MariaDB's own: how a session is set up, the upsert, and which of their errors mean what."""

import ssl
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pymysql
from sqlalchemy import URL, Connection, Engine, Insert, Table, create_engine, event
from sqlalchemy.dialects.mysql import insert

from vigia.events.summaries import Summary
from vigia.stores.errors import Transient, Unusable
from vigia.stores.sql.dialect import Diagnosis, Fault
from vigia.stores.sql.whole_rows import WHOLE_ROWS, Rows, text_of

CONNECT_TIMEOUT = 5
"""Seconds until a connection must stand."""

STATEMENT_TIMEOUT = 30.0
"""Seconds that a statement may take, unless the settings say otherwise; the server ends it then."""

ANSWER_MARGIN = 5.0
"""Seconds after that until an answer must be here; then the connection counts as lost."""

LOCK_WAIT = 2
"""Seconds a statement waits for another transaction's row. Only a lane's former owner can hold it."""

RECYCLE = 1800
"""Seconds after which an idle connection is replaced; servers drop them after 8 hours, firewalls much sooner."""

MIGRATION_WAIT = 600
"""Seconds to wait for another worker's migration."""

MIGRATION_STATEMENT = 3600
"""Seconds that a statement of a migration may take: it may rewrite a large table."""

TRANSIENT_CODES: dict[int, Fault] = {
    1205: Fault.DEADLOCK,  # lock wait timeout
    1213: Fault.DEADLOCK,  # deadlock
    1020: Fault.DEADLOCK,  # record has changed since last read (MariaDB with innodb_snapshot_isolation)
    2002: Fault.LOST,  # cannot connect through the socket
    2003: Fault.LOST,  # cannot connect to the host
    2006: Fault.LOST,  # server has gone away
    2013: Fault.LOST,  # connection lost during a query, or no answer in time
    2014: Fault.LOST,  # commands out of sync
    2055: Fault.LOST,  # connection lost, with the system's error
    1053: Fault.LOST,  # server is shutting down
    1927: Fault.LOST,  # MariaDB: the connection was killed
    4031: Fault.LOST,  # MySQL: disconnected for inactivity
    1158: Fault.LOST,  # communication errors on the server's side
    1159: Fault.LOST,
    1160: Fault.LOST,
    1161: Fault.LOST,
    1021: Fault.BUSY,  # disk full
    1040: Fault.BUSY,  # too many connections
    1114: Fault.BUSY,  # a table's storage is full
    1203: Fault.BUSY,  # too many connections of this user
    1226: Fault.BUSY,  # a user's limit is reached
    1290: Fault.BUSY,  # the server is read-only: a failover is under way
    1317: Fault.BUSY,  # the query was killed
    1836: Fault.BUSY,  # read-only mode
    1969: Fault.BUSY,  # MariaDB: max_statement_time
    3024: Fault.BUSY,  # MySQL: max_execution_time
    3100: Fault.BUSY,  # group replication refused the transaction
    3101: Fault.DEADLOCK,  # group replication rolled it back
    1180: Fault.BUSY,  # the server could not commit
}
"""Error numbers after which the same call may succeed, and what each means for the transaction."""

UNUSABLE_CODES: dict[int, str] = {
    1044: "grant this user all privileges on the database",
    1045: "check the user and the password of the summaries' database in the settings",
    1049: "create the database, with character set utf8mb4, or correct its name in the settings",
    1129: "the server has blocked this host after failed connections: FLUSH HOSTS",
    1130: "the server's user may not connect from this host",
    1142: "grant this user all privileges on the database",
    1143: "grant this user all privileges on the database",
    1227: "grant this user all privileges on the database",
    1251: "the server wants an authentication that the driver does not have",
    1524: "the server does not know the user's authentication plugin",
    1665: "set binlog_format to MIXED or ROW: steps are READ COMMITTED, which STATEMENT does not allow",
    1698: "check the user and the password of the summaries' database in the settings",
    1862: "the user's password has expired",
    2026: "check the TLS settings of the summaries' database",
    2059: "the server wants an authentication that the driver does not have",
    2061: "the server wants an authentication that the driver does not have, or only over TLS",
    3118: "the user's account is locked",
    3159: "the server accepts only TLS: set the certificate authority of the summaries' database",
}
"""Error numbers that stay until a person acts, and what to do."""

NO_SCHEMA_CODES = frozenset({1054, 1146})
"""Error numbers of a column or a table that is missing."""

_MEANINGS = {
    **{code: Diagnosis(fault, "") for code, fault in TRANSIENT_CODES.items()},
    **{code: Diagnosis(Fault.UNUSABLE, advice) for code, advice in UNUSABLE_CODES.items()},
    **{
        code: Diagnosis(Fault.NO_SCHEMA, "the schema is not this release's: run the migration")
        for code in NO_SCHEMA_CODES
    },
}


class MySQL:
    """The dialect object for MySQL 8 and MariaDB 10.6 or later."""

    begin = "START TRANSACTION"
    # not UNIX_TIMESTAMP of a local time, which is two times in the hour that a clock is set back by
    now = "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) / 1000000"
    whole_rows: frozenset[type[Summary]] = WHOLE_ROWS

    def __init__(
        self,
        url: URL,
        *,
        connections: int,
        tls: bool = False,
        tls_ca: str = "",
        statement_timeout: float = STATEMENT_TIMEOUT,
    ) -> None:
        if not url.database:
            raise Unusable("the URL of the summaries' database names no database: mysql://user@host:port/database")
        self.engine = _engine(url, connections, _trusting(tls_ca) if tls else None, statement_timeout)

    def writing(self) -> AbstractContextManager[object]:
        return nullcontext()

    def upsert(self, table: Table, replaced: Sequence[str], raised: str | None = None) -> Insert:
        statement = insert(table)
        values: dict[str, Any] = {name: statement.inserted[name] for name in replaced}
        if raised:
            values[raised] = table.c[raised] + 1
        return statement.on_duplicate_key_update(values)

    @contextmanager
    def migrating(self, connection: Connection) -> Iterator[None]:
        _let_statements_take(connection, MIGRATION_STATEMENT)
        # DDL commits by itself here, so the lock is one that belongs to the connection; its name is the whole server's
        database = connection.exec_driver_sql("SELECT DATABASE()").scalar_one()
        lock = "vigia-migrate-" + blake2b(str(database).encode(), digest_size=8).hexdigest()
        if connection.exec_driver_sql("SELECT GET_LOCK(%s, %s)", (lock, MIGRATION_WAIT)).scalar_one() != 1:
            raise Transient(f"another process has been migrating the database for {MIGRATION_WAIT} s")
        try:
            yield
        finally:
            connection.exec_driver_sql("SELECT RELEASE_LOCK(%s)", (lock,))
            # nobody else shall have a connection with such limits
            connection.invalidate()

    def warnings(self, connection: Connection) -> list[str]:
        settings = _settings(connection)
        found = []
        if (flush := settings.get("innodb_flush_log_at_trx_commit")) != "1":
            found.append(f"innodb_flush_log_at_trx_commit is {flush}: a crash may lose committed steps; 1 loses none")
        if settings.get("log_bin", "OFF").upper() in {"ON", "1"} and (sync := settings.get("sync_binlog")) != "1":
            found.append(
                f"sync_binlog is {sync} while the binary log is on: a crash may lose committed steps; set it to 1"
            )
        return [*found, *_collation_warnings(connection)]

    def diagnose(self, error: BaseException) -> Diagnosis | None:
        if isinstance(getattr(error, "original_exception", None), ssl.SSLError):
            return Diagnosis(Fault.UNUSABLE, UNUSABLE_CODES[2026])
        if not isinstance(error, pymysql.err.MySQLError) or not error.args:
            return None
        code = error.args[0]
        if isinstance(error, pymysql.err.InterfaceError) and code == 0:
            return Diagnosis(Fault.LOST, "")  # the driver has closed the connection after an earlier error
        return _MEANINGS.get(code)


def _trusting(authorities: str) -> ssl.SSLContext:
    """Return what checks the server's certificate and name: by the authorities in a file, or the system's."""
    if authorities and not Path(authorities).is_file():
        raise Unusable(f"the certificate authority of the summaries' database, {authorities}, is no file")
    try:
        # not the driver's own arguments: without a file it would check nothing
        return ssl.create_default_context(cafile=authorities or None)
    except ssl.SSLError as error:
        raise Unusable(f"{authorities} has no certificate that can be read: {error}") from error


def _engine(url: URL, connections: int, tls: ssl.SSLContext | None, statement_timeout: float) -> Engine:
    answer_within = statement_timeout + ANSWER_MARGIN
    arguments: dict[str, Any] = {
        "charset": "utf8mb4",
        # bytes are sent as _binary'...'; without it the server would read them as (mostly invalid) text
        "binary_prefix": True,
        "conv": {**pymysql.converters.conversions, Rows: text_of},
        "connect_timeout": CONNECT_TIMEOUT,
        "read_timeout": answer_within,
        "write_timeout": answer_within,
    }
    if tls:
        arguments["ssl"] = tls
    engine = create_engine(
        url.set(drivername="mysql+pymysql"),
        isolation_level="AUTOCOMMIT",
        paramstyle="format",
        skip_autocommit_rollback=True,
        hide_parameters=True,
        pool_size=connections,
        max_overflow=connections,
        pool_timeout=answer_within,
        pool_recycle=RECYCLE,
        connect_args=arguments,
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
            # strict: a value that does not fit is an error, never cut
            cursor.execute(
                f"SET SESSION innodb_lock_wait_timeout = {LOCK_WAIT}, "
                "SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO'"
            )
            cursor.execute(statement_limit(connection.get_server_info(), statement_timeout))

    return engine


def statement_limit(server: str, seconds: float) -> str:
    """Return the statement that limits those after it, for a server of this version; MySQL limits only SELECTs."""
    if "MariaDB" in server:
        return f"SET SESSION max_statement_time = {seconds:.3f}"
    return f"SET SESSION max_execution_time = {round(seconds * 1000)}"


def _let_statements_take(connection: Connection, seconds: float) -> None:
    driver: Any = connection.connection.dbapi_connection
    connection.exec_driver_sql(statement_limit(driver.get_server_info(), seconds))
    driver._read_timeout = seconds + ANSWER_MARGIN  # noqa: SLF001 - else it can be set only when connecting


def _settings(connection: Connection) -> dict[str, str]:
    rows = connection.exec_driver_sql(
        "SHOW VARIABLES WHERE Variable_name IN ('innodb_flush_log_at_trx_commit', 'sync_binlog', 'log_bin')"
    )
    return {str(name).lower(): str(value) for name, value in rows}


def _collation_warnings(connection: Connection) -> list[str]:
    rows = connection.exec_driver_sql(
        "SELECT TABLE_NAME, TABLE_COLLATION FROM information_schema.TABLES "
        "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME <> 'alembic_version' ORDER BY TABLE_NAME"
    )
    return [
        f"table {name} has the collation {collation}: it may take different names for one; use utf8mb4_bin"
        for name, collation in rows
        if collation is not None and not str(collation).endswith("_bin")
    ]
