"""The command of the local stack, tried on a real MariaDB, in a folder and on ports of its own."""

import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pymysql
import pytest

from scripts.stack import Server, StackError, StackSettings, build_servers

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def settings(tmp_path, monkeypatch) -> StackSettings:
    """Every port free, so that an outside stack is never touched, and set for the command too."""
    names = [name for name in StackSettings.__dataclass_fields__ if name.endswith("_port") and "jmx" not in name]
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in names]
    for name, listener in zip(names, sockets, strict=True):
        monkeypatch.setenv(f"VIGIA_STACK_{name.upper()}", str(listener.getsockname()[1]))
        listener.close()
    monkeypatch.setenv("VIGIA_STACK_DIR", str(tmp_path / "a folder with spaces"))
    return StackSettings.from_environment(os.environ)


@pytest.fixture
def mariadb(settings):
    server = build_servers(settings)["mariadb"]
    yield server
    server.kill()


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-m", "scripts.stack", *arguments]
    return subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def connect(server: Server, user: str, password: str) -> pymysql.Connection:
    return pymysql.connect(host="127.0.0.1", port=server.port, user=user, password=password)


def secret(settings: StackSettings) -> str:
    return (settings.root / "mariadb" / "password").read_text(encoding="ascii").strip()


def test_a_server_is_started_recognised_and_stopped_by_the_command(settings, mariadb):
    up = command("up", "mariadb")
    assert up.returncode == 0, up.stdout + up.stderr
    pid = mariadb.pid()
    assert pid is not None
    assert secret(settings) not in up.stdout + up.stderr

    exported = dict(
        word.split("=", 1) for word in shlex.split((settings.root / "env").read_text("utf-8")) if word != "export"
    )
    assert exported["VIGIA_SUMMARIES_URL"].endswith(f"@127.0.0.1:{mariadb.port}/vigia?charset=utf8mb4")

    again = command("up", "mariadb")
    assert (again.returncode, mariadb.pid()) == (0, pid)
    assert "ran already" in again.stdout

    status = command("status", "mariadb")
    assert status.returncode == 0
    assert f"pid {pid}" in status.stdout
    assert command("status").returncode == 1  # the other two do not run

    down = command("down", "mariadb")
    assert (down.returncode, mariadb.pid()) == (0, None)
    assert command("down").returncode == 0  # harmless when nothing runs

    wiped = command("down", "--wipe", "mariadb")
    assert wiped.returncode == 0
    assert not mariadb.data.exists()


def test_a_killed_server_comes_back_with_what_was_committed(settings, mariadb):
    assert mariadb.start() is True
    mariadb.ready(60)
    first = mariadb.pid()
    with connect(mariadb, "vigia", secret(settings)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE vigia_test_kill")
        cursor.execute("CREATE TABLE vigia_test_kill.rows_kept (id INT PRIMARY KEY)")
        cursor.execute("INSERT INTO vigia_test_kill.rows_kept VALUES (7)")
        connection.commit()

    mariadb.kill()
    assert mariadb.pid() is None
    with pytest.raises(StackError, match="not running"):
        mariadb.ready(5)

    mariadb.start()
    mariadb.ready(60)
    assert mariadb.pid() != first
    with connect(mariadb, "vigia", secret(settings)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM vigia_test_kill.rows_kept")
        assert cursor.fetchall() == ((7,),)
        cursor.execute("DROP DATABASE vigia_test_kill")
        with pytest.raises(pymysql.err.OperationalError, match="denied"):
            cursor.execute("CREATE DATABASE another")

    for user in ("root", ""):
        with pytest.raises(pymysql.err.OperationalError, match="denied"):
            connect(mariadb, user, "")


def test_a_server_that_dies_on_start_shows_its_log_and_leaves_nothing(settings, mariadb, monkeypatch):
    mariadb.start()
    mariadb.ready(60)
    mariadb.stop()
    (mariadb.data / "ibdata1").write_bytes(b"not a tablespace")

    up = command("up", "mariadb")
    assert up.returncode == 1
    assert "ended on start" in up.stderr
    assert "ibdata1" in up.stderr
    assert mariadb.pid() is None


def test_a_port_held_by_somebody_else_is_named(settings, mariadb):
    with socket.create_server(("127.0.0.1", settings.mariadb_port)):
        up = command("up", "mariadb")
    assert up.returncode == 1
    assert f"127.0.0.1:{settings.mariadb_port}" in up.stderr
    assert "VIGIA_STACK_MARIADB_PORT" in up.stderr
