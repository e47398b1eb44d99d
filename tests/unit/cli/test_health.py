"""What `vigia health` says of parts that fail or hang, and what `vigia migrate` says without a broker."""

import socket
import threading
import time

import pytest

from vigia.app.health import ask, unhealthy
from vigia.cli import main
from vigia.settings import load
from vigia.stores.errors import Transient

PASSWORD = "correct-horse"


@pytest.fixture
def closed_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def environ(tmp_path, closed_port, monkeypatch):
    """Stores that were never migrated, and no broker."""
    given = {
        "VIGIA_KAFKA_BOOTSTRAP": f"127.0.0.1:{closed_port}",
        "VIGIA_RAW_LOG_URL": f"sqlite:///{tmp_path}/raw.db",
        "VIGIA_SUMMARIES_URL": f"sqlite:///{tmp_path}/summaries.db",
        "VIGIA_DATA_DIR": str(tmp_path),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("vigia.cli.health.WITHIN", 2.0)
    return given


def test_parts_are_asked_at_once_and_none_is_waited_for_beyond_the_limit():
    never, both = threading.Event(), threading.Barrier(2)

    def fail():
        both.wait(5)
        raise Transient("away")

    began = time.monotonic()
    failing = ask({"slow": lambda: never.wait(20), "fine": lambda: both.wait(5), "away": fail}, within=0.5)
    assert time.monotonic() - began < 5
    never.set()
    assert {part: str(error) for part, error in failing.items()} == {"slow": "no answer within 0.5 s", "away": "away"}


def test_what_answers_is_healthy():
    assert ask({"one": list, "two": lambda: None}, within=5) == {}


def test_each_failing_part_has_a_line(environ, capsys):
    assert main(["health"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    raw_log, summaries, kafka = captured.err.splitlines()
    assert raw_log.startswith("the raw log sqlite:///")
    assert "run the migration" in raw_log
    assert summaries.startswith("the summaries' database sqlite:///")
    assert "run the migration" in summaries
    assert kafka.startswith(f"Kafka at {environ['VIGIA_KAFKA_BOOTSTRAP']}: ")


def test_no_password_is_shown(environ, closed_port):
    more = {
        "VIGIA_SUMMARIES_URL": f"mysql+pymysql://vigia:{PASSWORD}@127.0.0.1:{closed_port}/vigia",
        "VIGIA_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "VIGIA_KAFKA_SASL_USERNAME": "vigia",
        "VIGIA_KAFKA_SASL_PASSWORD": PASSWORD,
    }
    lines = unhealthy(load(environ | more), 2.0)
    assert len(lines) == 3
    assert PASSWORD not in "".join(lines)
    assert "vigia:***@127.0.0.1" in lines[1]


def test_settings_that_cannot_be_used_are_unhealthy(monkeypatch, capsys):
    monkeypatch.setenv("VIGIA_NO_SUCH_THING", "1")
    assert main(["health"]) == 1
    assert "VIGIA_NO_SUCH_THING" in capsys.readouterr().err


def test_migrating_without_a_broker_says_that_only_the_topics_are_missing(environ, monkeypatch, capsys):
    monkeypatch.setenv("VIGIA_KAFKA_REQUEST_TIMEOUT", "1s")
    assert main(["migrate"]) == 75
    said = capsys.readouterr().err
    assert "the schemas are ready, but not the topics: Kafka at 127.0.0.1" in said
    assert "--without-topics" in said
    (kafka,) = unhealthy(load(environ), 2.0)
    assert kafka.startswith("Kafka at ")
