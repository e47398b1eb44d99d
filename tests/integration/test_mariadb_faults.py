"""What SqlSummaries makes of a real server's faults: connections cut in the middle of a step, locks, and refusals."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pymysql
import pytest
from sqlalchemy import make_url

from tests.contract.summaries_databases import mariadb_schema
from tests.contract.summaries_rows import LANE, advance, commit, take, window
from vigia.stores.base import StateRow
from vigia.stores.errors import NoSchema, Transient, UnknownOutcome, Unusable
from vigia.stores.sql.summaries import SqlSummaries, open_summaries


@pytest.fixture
def url(stack) -> Iterator[str]:
    with mariadb_schema(stack["VIGIA_SUMMARIES_URL"]) as made:
        yield made


@pytest.fixture
def summaries(url) -> Iterator[SqlSummaries]:
    opened = open_summaries(url)
    opened.migrate()
    yield opened
    opened.close()


class Proxy:
    """A way to the server that can be cut when a statement passes, before or after the server gets it."""

    def __init__(self, url: str) -> None:
        target = make_url(url)
        self._target = (target.host, target.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = target.set(host="127.0.0.1", port=self._listener.getsockname()[1]).render_as_string(
            hide_password=False
        )
        self.cut_at = b""
        self.deliver = False
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        _end(self._listener)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError), self._listener:
            while True:
                client, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._serve, args=(client,)))
                self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._target) as server:
            back = threading.Thread(target=self._back, args=(server, client))
            back.start()
            with suppress(OSError):
                self._forward(client, server)
            # ended, not closed: closing does not reach the server while the other thread waits for its answer
            _end(client)
            _end(server)
            back.join()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        while data := client.recv(1 << 20):
            if self.cut_at and self.cut_at in data:
                self.cut_at = b""
                _end(client)
                if self.deliver:
                    server.sendall(data)
                    time.sleep(0.3)  # ending at once might keep the server from reading it
                return
            server.sendall(data)

    def _back(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(1 << 20):
                client.sendall(data)
        _end(client)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(url) -> Iterator[Proxy]:
    made = Proxy(url)
    yield made
    made.close()


@pytest.fixture
def through_proxy(summaries, proxy) -> Iterator[SqlSummaries]:
    opened = open_summaries(proxy.url)
    yield opened
    opened.close()  # before the proxy, which waits for its connections to end


@pytest.mark.parametrize(
    "statement", [b"START TRANSACTION", b"UPDATE `lanes`", b"INSERT INTO `states`", b"INSERT INTO `steps`"]
)
@pytest.mark.parametrize("deliver", [True, False])
def test_a_connection_cut_before_commit_is_transient_and_nothing_happened(through_proxy, proxy, statement, deliver):
    row = take(through_proxy)
    step = advance(row, states=[StateRow("a", 1, b"x")])
    proxy.deliver, proxy.cut_at = deliver, statement
    with pytest.raises(Transient):
        through_proxy.commit(step)
    assert through_proxy.read_lane(LANE) == row
    through_proxy.commit(step)
    assert through_proxy.read_lane(LANE) == step.lane


@pytest.mark.parametrize("deliver", [True, False])
def test_a_connection_cut_at_commit_has_an_unknown_outcome_that_the_lane_tells(through_proxy, proxy, deliver):
    row = take(through_proxy)
    step = advance(row, states=[StateRow("a", 1, b"x")])
    proxy.deliver, proxy.cut_at = deliver, b"COMMIT"
    with pytest.raises(UnknownOutcome):
        through_proxy.commit(step)
    eventually(lambda: through_proxy.read_lane(LANE) == (step.lane if deliver else row))
    if not deliver:
        through_proxy.commit(step)


def test_a_statement_that_takes_too_long_is_ended_by_the_server_and_is_transient(summaries, url):
    row = take(summaries)
    impatient = open_summaries(url, statement_timeout=1)
    with locked(url, "SELECT * FROM lanes FOR UPDATE"), pytest.raises(Transient, match="1969"):
        impatient.commit(advance(row))
    # the connection was kept, and nothing happened
    commit(impatient, row)
    impatient.close()


def test_a_migration_may_take_longer(url):
    impatient = open_summaries(url, statement_timeout=0.5)
    database = impatient._database
    with database.reading() as connection, database.dialect.migrating(connection):
        assert connection.exec_driver_sql("SELECT SLEEP(1)").scalar_one() == 0
    with pytest.raises(Transient, match="1969"), database.reading() as connection:
        connection.exec_driver_sql("SELECT SLEEP(1)")
    impatient.close()


def test_a_server_that_stops_answering_is_transient_in_time(summaries, url, monkeypatch):
    monkeypatch.setattr("vigia.stores.mysql.ANSWER_MARGIN", -1)
    row = take(summaries)
    impatient = open_summaries(url, statement_timeout=2)
    with locked(url, "SELECT * FROM lanes FOR UPDATE"), pytest.raises(Transient, match="2013"):
        impatient.commit(advance(row))
    impatient.close()
    eventually(lambda: commit(summaries, row).step == 1)


def test_a_killed_connection_is_replaced(summaries, url):
    row = take(summaries)
    mine = make_url(url).database
    with session(url) as cursor:
        cursor.execute("SELECT ID FROM information_schema.PROCESSLIST WHERE DB = %s AND ID <> CONNECTION_ID()", (mine,))
        for (number,) in cursor.fetchall():
            cursor.execute(f"KILL {number}")
    with pytest.raises(Transient):
        summaries.commit(advance(row))
    commit(summaries, row)


def test_a_row_that_another_transaction_gives_back_in_time_is_waited_for(summaries, url):
    row = take(summaries)
    with ThreadPoolExecutor(1) as pool:
        with locked(url, "SELECT * FROM lanes FOR UPDATE"):
            waiting = pool.submit(summaries.commit, advance(row))
            time.sleep(0.5)
            assert not waiting.done()
        waiting.result()


def test_a_row_that_another_transaction_keeps_is_transient(summaries, url, monkeypatch):
    monkeypatch.setattr("vigia.stores.mysql.LOCK_WAIT", 1)
    row = take(summaries)
    impatient = open_summaries(url)
    with locked(url, "SELECT * FROM lanes FOR UPDATE"), pytest.raises(Transient, match="1205"):
        impatient.commit(advance(row))
    assert impatient.read_lane(LANE) == row
    impatient.close()


def test_a_deadlock_is_survived(summaries, url):
    row = take(summaries)
    row = commit(summaries, row, states=[StateRow("a", 1, b"x")], summaries=[window("w", i) for i in range(500)])
    step = advance(row, states=[StateRow("a", 1, b"y")])
    with session(url) as cursor:
        # the other transaction has changed more rows than ours, so ours is the one that the server gives up
        cursor.execute("START TRANSACTION")
        cursor.execute("UPDATE windows SET late = late + 1")
        cursor.execute("UPDATE states SET `schema` = 7")
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(summaries.commit, step)
            time.sleep(0.3)
            cursor.execute("UPDATE lanes SET `clock` = 5")
            cursor.execute("ROLLBACK")
            waiting.result()
    assert summaries.read_lane(LANE) == step.lane


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"password": "wrong"}, "check the user and the password"),
        ({"username": "nobody"}, "check the user and the password"),
        ({"database": "vigia_that_is_not_there"}, "create the database"),
    ],
)
def test_what_only_a_person_can_mend_is_unusable_with_advice_and_no_password(url, change, advice):
    wrong = make_url(url).set(**change)
    with pytest.raises(Unusable, match=advice) as refused:
        open_summaries(wrong.render_as_string(hide_password=False)).check()
    assert str(wrong.password) not in str(refused.value)


def test_a_password_may_come_apart_from_the_url(url):
    parsed = make_url(url)
    apart = open_summaries(parsed.set(password=None).render_as_string(), password=str(parsed.password))
    apart.migrate()
    assert apart.check() == []
    apart.close()


def test_a_schema_without_tables_is_unusable(url):
    empty = open_summaries(url)
    for use in (empty.check, lambda: take(empty)):
        with pytest.raises(NoSchema, match="run the migration"):
            use()
    empty.close()


def session(url: str):
    target = make_url(url)
    connection = pymysql.connect(
        host=target.host,
        port=target.port or 3306,
        user=target.username,
        password=str(target.password),
        database=target.database,
        autocommit=True,
    )
    return Session(connection)


class Session:
    """A connection of somebody else, closed at the end."""

    def __init__(self, connection: pymysql.Connection) -> None:
        self.connection = connection

    def __enter__(self):
        return self.connection.cursor()

    def __exit__(self, *_: object) -> None:
        self.connection.close()


def locked(url: str, statement: str):
    """Hold the locks of `statement` in somebody else's transaction."""
    made = session(url)
    cursor = made.connection.cursor()
    cursor.execute("START TRANSACTION")
    cursor.execute(statement)
    return made


def eventually(condition) -> None:
    """Wait until the server has noticed what became of a connection."""
    deadline = time.monotonic() + 10
    while True:
        with suppress(Transient):
            if condition():
                return
        assert time.monotonic() < deadline
        time.sleep(0.05)
