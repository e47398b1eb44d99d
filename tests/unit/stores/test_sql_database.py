"""What driver errors become, when a transaction is repeated, and what opening a database refuses."""

import sqlite3
import ssl
from pathlib import Path
from typing import Any

import pymysql
import pytest
from sqlalchemy import event, make_url
from sqlalchemy.exc import OperationalError

from tests.contract.summaries_rows import LANE, advance, take
from vigia.app import open_stores
from vigia.settings import load
from vigia.stores.base import StateRow
from vigia.stores.errors import NoSchema, Transient, UnknownOutcome, Unusable
from vigia.stores.mysql import ANSWER_MARGIN, NO_SCHEMA_CODES, TRANSIENT_CODES, UNUSABLE_CODES, MySQL, statement_limit
from vigia.stores.sql import database as database_module
from vigia.stores.sql.dialect import Fault
from vigia.stores.sql.summaries import SqlSummaries, open_summaries

AUTHORITY = """
-----BEGIN CERTIFICATE-----
MIIBejCCAR+gAwIBAgIUTHAHrU5xgqr3LyXveHLzf1fUvrowCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGYSB0ZXN0MCAXDTI2MTEyNDA4MjcyNVoYDzIxMjYxMDMxMDgy
NzI1WjARMQ8wDQYDVQQDDAZhIHRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AARTW8+Q9ueQqfYiJssmtWwq/33MktfihE3zA0NtbF55A1leD2pmACptious8yAA
5LidpAPDFA+4TJuDBk+sdfI3o1MwUTAdBgNVHQ4EFgQUT6qenVKNxs/bh4m3P55o
/0Pnq0owHwYDVR0jBBgwFoAUT6qenVKNxs/bh4m3P55o/0Pnq0owDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEAxOtkRvkU4U9DLFR02LfHwww8LjDH
ENHKY6KmmAO0dxQCIQCVi1Gs9u3NMHG0obbHu7PVAKifA9jjpXWuidCeFjqpIA==
-----END CERTIFICATE-----
"""


class Failing:
    """Makes the driver fail at statements that start with a word, before or after they are carried out."""

    def __init__(self, summaries: SqlSummaries) -> None:
        self.word = ""
        self.times = 0
        self.code = sqlite3.SQLITE_BUSY
        self.after = False
        event.listen(summaries._database.dialect.engine, "do_execute", self.execute)

    def at(self, word: str, code: int, *, times: int = 1, after: bool = False) -> None:
        self.word, self.code, self.times, self.after = word, code, times, after

    def execute(self, cursor, statement, parameters, context) -> bool:
        if not (self.times and statement.startswith(self.word)):
            return False
        self.times -= 1
        if self.after:
            cursor.execute(statement, parameters)
        error = sqlite3.OperationalError("made to fail")
        error.sqlite_errorcode = self.code
        raise error


def test_an_error_before_commit_is_transient_and_nothing_happened(summaries):
    row, failing = take(summaries), Failing(summaries)
    step = advance(row, states=[StateRow("a", 1, b"x")])
    failing.at("INSERT", sqlite3.SQLITE_FULL)
    with pytest.raises(Transient):
        summaries.commit(step)
    assert summaries.read_lane(LANE) == row
    summaries.commit(step)


@pytest.mark.parametrize("happened", [True, False])
def test_an_error_during_commit_has_an_unknown_outcome_that_the_lane_tells(summaries, happened):
    row, failing = take(summaries), Failing(summaries)
    step = advance(row)
    failing.at("COMMIT", sqlite3.SQLITE_IOERR, after=happened)
    with pytest.raises(UnknownOutcome):
        summaries.commit(step)
    assert summaries.read_lane(LANE) == (step.lane if happened else row)
    if not happened:
        summaries.commit(step)


@pytest.fixture
def deadlocks(monkeypatch):
    """Lets SQLITE_BUSY count as a deadlock, and nobody wait."""
    monkeypatch.setitem(database_module.__dict__, "DEADLOCK_PAUSE", 0)
    monkeypatch.setattr("vigia.stores.sqlite.TRANSIENT_CODES", {sqlite3.SQLITE_BUSY: Fault.DEADLOCK})


@pytest.mark.parametrize("word", ["BEGIN", "UPDATE", "INSERT", "COMMIT"])
def test_a_transaction_that_meets_a_deadlock_is_run_again(summaries, deadlocks, word):
    step, failing = advance(take(summaries), states=[StateRow("a", 1, b"x")]), Failing(summaries)
    failing.at(word, sqlite3.SQLITE_BUSY, times=database_module.DEADLOCK_TRIES - 1)
    summaries.commit(step)
    assert summaries.read_lane(LANE) == step.lane


def test_a_deadlock_that_stays_is_transient(summaries, deadlocks):
    row, failing = take(summaries), Failing(summaries)
    failing.at("UPDATE", sqlite3.SQLITE_BUSY, times=database_module.DEADLOCK_TRIES)
    with pytest.raises(Transient):
        summaries.commit(advance(row))
    assert failing.times == 0
    assert summaries.read_lane(LANE) == row


def test_an_error_that_is_not_listed_is_a_bug(summaries):
    row, failing = take(summaries), Failing(summaries)
    failing.at("UPDATE", sqlite3.SQLITE_MISUSE)
    with pytest.raises(OperationalError):
        summaries.commit(advance(row))
    assert summaries.read_lane(LANE) == row


def test_an_interrupted_transaction_leaves_no_connection_inside_it(summaries, monkeypatch):
    row = take(summaries)

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("vigia.stores.sql.states.write_states", interrupt)
        with pytest.raises(KeyboardInterrupt):
            summaries.commit(advance(row))
    assert summaries.read_lane(LANE) == row
    summaries.commit(advance(row))


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (pymysql.err.OperationalError(1213, "Deadlock found"), Fault.DEADLOCK),
        (pymysql.err.OperationalError(1205, "Lock wait timeout exceeded"), Fault.DEADLOCK),
        (pymysql.err.OperationalError(2013, "Lost connection"), Fault.LOST),
        (pymysql.err.InterfaceError(0, ""), Fault.LOST),
        (pymysql.err.OperationalError(1040, "Too many connections"), Fault.BUSY),
        (pymysql.err.OperationalError(1045, "Access denied"), Fault.UNUSABLE),
        (pymysql.err.ProgrammingError(1146, "Table doesn't exist"), Fault.NO_SCHEMA),
        (pymysql.err.IntegrityError(1062, "Duplicate entry"), None),
        (pymysql.err.DataError(1406, "Data too long"), None),
        (pymysql.err.ProgrammingError("inf can not be used with MySQL"), None),
        (ValueError("not of the driver"), None),
    ],
)
def test_mysql_errors_mean_what_is_listed(error, fault):
    diagnosis = MySQL(make_url("mysql://u@127.0.0.1:1/v"), connections=1).diagnose(error)
    assert (diagnosis and diagnosis.fault) == fault


def connect_arguments(summaries: SqlSummaries) -> dict[str, Any]:
    """What the driver is told when a connection is made."""
    arguments: dict[str, Any] = {}
    engine = summaries._database.dialect.engine

    def look(_dialect, _record, _positional, named):
        arguments.update(named)
        raise LookupError

    event.listen(engine, "do_connect", look)
    with pytest.raises(LookupError):
        engine.connect()
    return arguments


def test_connections_send_bytes_as_bytes_and_never_wait_for_ever():
    # MariaDB takes bytes for text without a word, MySQL warns and compares them as text
    arguments = connect_arguments(open_summaries("mysql://u@127.0.0.1:1/v"))
    assert arguments["binary_prefix"] is True
    assert arguments["charset"] == "utf8mb4"
    assert min(arguments[f"{what}_timeout"] for what in ("connect", "read", "write")) > 0


@pytest.mark.parametrize("with_file", [True, False])
def test_with_tls_in_the_settings_the_server_s_certificate_and_name_are_checked(tmp_path, with_file):
    more = {}
    if with_file:
        more["VIGIA_SUMMARIES_CAFILE"] = str(tmp_path / "ca.pem")
        (tmp_path / "ca.pem").write_text(AUTHORITY)
    context = connect_arguments(opened_with(tmp_path, VIGIA_SUMMARIES_TLS="true", **more))["ssl"]
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    if with_file:
        (trusted,) = context.get_ca_certs()
        assert (("commonName", "a test"),) in trusted["subject"]


def test_the_settings_say_how_long_a_statement_may_take(tmp_path):
    arguments = connect_arguments(opened_with(tmp_path, VIGIA_SUMMARIES_STATEMENT_TIMEOUT="90s"))
    # the server ends it first, so that the connection can be kept
    assert arguments["read_timeout"] == arguments["write_timeout"] == 90 + ANSWER_MARGIN


def test_each_server_is_told_in_its_own_words_how_long_a_statement_may_take():
    assert statement_limit("10.11.6-MariaDB-0+deb12u1", 1.5) == "SET SESSION max_statement_time = 1.500"
    assert statement_limit("8.4.3", 1.5) == "SET SESSION max_execution_time = 1500"


def test_without_tls_in_the_settings_a_file_of_authorities_changes_nothing(tmp_path):
    assert "ssl" not in connect_arguments(opened_with(tmp_path, VIGIA_SUMMARIES_CAFILE="/nowhere/ca.pem"))


def opened_with(folder: Path, **more: str) -> SqlSummaries:
    """The summaries' database on MySQL, as the application opens it."""
    stores = open_stores(
        load(
            {
                "VIGIA_SUMMARIES_URL": "mysql+pymysql://u@127.0.0.1:1/v",
                "VIGIA_RAW_LOG_URL": f"sqlite:///{folder}/raw.db",
                "VIGIA_DATA_DIR": str(folder),
                **more,
            }
        )
    )
    stores.raw_log.close()
    return stores.summaries


def test_no_error_has_two_meanings():
    assert len(TRANSIENT_CODES.keys() | UNUSABLE_CODES.keys() | NO_SCHEMA_CODES) == len(
        [*TRANSIENT_CODES, *UNUSABLE_CODES, *NO_SCHEMA_CODES]
    )


@pytest.mark.parametrize("found", [None, "", "0000"])
def test_a_schema_that_is_missing_or_of_an_earlier_release_is_noticed(tmp_path, found):
    summaries = open_summaries(f"sqlite:///{tmp_path}/summaries.db")
    if found is not None:
        summaries.migrate()
        assert summaries.check() == []
        with summaries._database.reading() as connection:
            connection.exec_driver_sql("DELETE FROM alembic_version")
            if found:
                connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{found}')")
    with pytest.raises(NoSchema, match="migration"):
        summaries.check()
    summaries.close()


def test_the_schema_of_a_release_that_is_being_rolled_out_is_used(summaries):
    with summaries._database.reading() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert summaries.check() == []


def test_opening_connects_to_nothing(tmp_path):
    open_summaries(f"sqlite:///{tmp_path}/summaries.db").close()
    open_summaries("mysql://vigia@127.0.0.1:1/vigia").close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://a@b/c",
        "nonsense with secret",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x",
        "mysql://u@h",
    ],
)
def test_urls_that_cannot_work_are_refused_without_repeating_them(url):
    with pytest.raises(Unusable) as refused:
        open_summaries(url)
    assert "secret" not in str(refused.value)


def test_certificate_authorities_that_are_missing_or_are_none_are_named(tmp_path):
    file = tmp_path / "ca.pem"
    with pytest.raises(Unusable, match=r"ca\.pem, is no file"):
        open_summaries("mysql://u@h/v", tls=True, tls_ca=str(file))
    file.touch()
    with pytest.raises(Unusable, match=r"ca\.pem has no certificate"):
        open_summaries("mysql://u@h/v", tls=True, tls_ca=str(file))


def test_a_server_that_does_not_answer_is_transient():
    with pytest.raises(Transient, match="Can't connect"):
        open_summaries("mysql://vigia@127.0.0.1:1/vigia", password="secret").check()
