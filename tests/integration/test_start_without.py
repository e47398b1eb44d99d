"""A worker that starts without its broker or a store, or that may not use one: what it says, and its exit code."""

import socket
import uuid
from urllib.parse import urlsplit

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its __init__ re-exports them without saying so
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from sqlalchemy import make_url

from tests.support import fresh_environment, start_worker, worker
from vigia.app import migrate
from vigia.settings import load

PASSWORD = "correct-horse-" + uuid.uuid4().hex
TRANSIENT, NEEDS_PERSON = 75, 78
ENDS_WITHIN = 90
"""Seconds; the budget is 2, what is left is imports and clean ends on a busy machine."""


@pytest.fixture
def closed_port():
    """A port of this machine on which nobody listens, and nobody will."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def env(tmp_path, closed_port):
    """SQLite stores and no broker; tests point parts of it to where nobody, or somebody else, answers."""
    return {
        "VIGIA_KAFKA_BOOTSTRAP": f"127.0.0.1:{closed_port}",
        "VIGIA_RAW_LOG_URL": f"sqlite:///{tmp_path}/raw.db",
        "VIGIA_SUMMARIES_URL": f"sqlite:///{tmp_path}/summaries.db",
        "VIGIA_DATA_DIR": str(tmp_path),
        "VIGIA_STREAM_START_BUDGET": "2",
    }


def ended(env) -> tuple[int, str]:
    """Start a worker, and return its exit code and log."""
    process = start_worker(env)
    try:
        code = process.wait_ended(ENDS_WITHIN)
    finally:
        if process.running:
            process.kill()
    return code, process.log


def critical(log: str) -> str:
    """Return the one line that says why the worker ended."""
    (line,) = [line for line in log.splitlines() if " CRITICAL " in line]
    return line


def assert_clear(log: str) -> None:
    """Nobody has to read a traceback to see why, and no password is shown."""
    assert "Traceback" not in log
    assert PASSWORD not in log


@pytest.fixture
def migrated(env):
    migrate(load(env))
    return env


def test_without_a_broker_it_says_where_it_looked_and_tries_again(migrated, closed_port):
    code, log = ended(migrated)
    assert code == TRANSIENT, log
    assert_clear(log)
    assert f"no Kafka broker at 127.0.0.1:{closed_port} answers" in critical(log)
    assert "retrying for another" in log


def test_without_mariadb_it_says_where_it_looked_and_tries_again(env, closed_port):
    url = f"mysql+pymysql://vigia:{PASSWORD}@127.0.0.1:{closed_port}/vigia"
    code, log = ended(env | {"VIGIA_SUMMARIES_URL": url})
    assert code == TRANSIENT, log
    assert_clear(log)
    assert "summaries' database" in critical(log)
    assert "127.0.0.1" in critical(log)
    assert str(closed_port) in critical(log)
    assert "retrying for another" in log


def test_without_cassandra_it_says_where_it_looked_and_tries_again(migrated, closed_port):
    more = {
        "VIGIA_RAW_LOG_URL": f"cassandra://127.0.0.1:{closed_port}/vigia",
        "VIGIA_RAW_LOG_USERNAME": "vigia",
        "VIGIA_RAW_LOG_PASSWORD": PASSWORD,
    }
    code, log = ended(migrated | more)
    assert code == TRANSIENT, log
    assert_clear(log)
    assert f"cassandra://127.0.0.1:{closed_port}/vigia" in critical(log)
    assert "retrying for another" in log


def test_with_a_wrong_password_for_mariadb_it_says_what_to_do_at_once(stack, env):
    url = make_url(stack["VIGIA_SUMMARIES_URL"]).set(password=PASSWORD).render_as_string(hide_password=False)
    code, log = ended(env | {"VIGIA_SUMMARIES_URL": url})
    assert code == NEEDS_PERSON, log
    assert_clear(log)
    assert "check the user and the password of the summaries' database in the settings" in critical(log)
    assert "retrying" not in log


@pytest.fixture
def not_migrated(stack, tmp_path):
    with fresh_environment(stack, tmp_path, migrated=False, VIGIA_STREAM_START_BUDGET="2") as env:
        yield env


def test_without_a_schema_in_cassandra_it_names_the_command_to_run(not_migrated, migrated):
    raw_log = not_migrated["VIGIA_RAW_LOG_URL"]
    code, log = ended(migrated | {"VIGIA_RAW_LOG_URL": raw_log})
    assert code == NEEDS_PERSON, log
    assert_clear(log)
    assert urlsplit(raw_log).path.strip("/") in critical(log)
    assert "`python -m vigia migrate`" in critical(log)


def test_without_a_schema_in_mariadb_it_names_the_command_to_run(not_migrated, migrated):
    code, log = ended(not_migrated | {"VIGIA_RAW_LOG_URL": migrated["VIGIA_RAW_LOG_URL"]})
    assert code == NEEDS_PERSON, log
    assert_clear(log)
    assert "summaries' database" in critical(log)
    assert "`python -m vigia migrate`" in critical(log)
    # found before the worker joins the group: nobody else's lanes are disturbed
    assert "Joined group" not in log


def test_without_a_schema_in_sqlite_it_names_the_command_to_run(env):
    code, log = ended(env)
    assert code == NEEDS_PERSON, log
    assert_clear(log)
    assert "`python -m vigia migrate`" in critical(log)


def test_settings_that_cannot_be_used_are_all_named(env):
    code, log = ended(env | {"VIGIA_KAFKA_BOOTSTRP": "x", "VIGIA_STREAM_START_BUDGET": "soon"})
    assert code == NEEDS_PERSON, log
    assert "did you mean VIGIA_KAFKA_BOOTSTRAP?" in log
    assert "soon" in log
    assert "Traceback" not in log


def test_a_catalog_that_cannot_be_read_is_named(migrated, tmp_path):
    (tmp_path / "catalog.toml").write_text("[[owner\n")
    code, log = ended(migrated | {"VIGIA_CATALOG": str(tmp_path / "catalog.toml")})
    assert code == NEEDS_PERSON, log
    assert_clear(log)
    assert "catalog.toml" in critical(log)


def test_a_database_of_an_unknown_kind_is_named(env):
    code, log = ended(env | {"VIGIA_SUMMARIES_URL": f"postgresql://vigia:{PASSWORD}@127.0.0.1/vigia"})
    assert code == NEEDS_PERSON, log
    assert_clear(log)
    assert "mysql" in log


def test_a_catalog_that_a_setting_names_must_be_there(migrated, tmp_path):
    code, log = ended(migrated | {"VIGIA_CATALOG": str(tmp_path / "catalogue.toml")})
    assert code == NEEDS_PERSON, log
    assert_clear(log)
    assert "catalogue.toml" in critical(log)


def test_without_a_topic_it_names_the_command_to_run(stack, tmp_path):
    with fresh_environment(stack, tmp_path) as env:
        code, log = ended(env | {"VIGIA_KAFKA_TOPIC_PREFIX": "nobody-made-these."})
    assert code == NEEDS_PERSON, log
    assert_clear(log)
    assert "scripts.topics apply" in critical(log)


def test_an_input_topic_with_the_senders_clock_is_refused(stack, tmp_path):
    with fresh_environment(stack, tmp_path) as env:
        topic = env["VIGIA_KAFKA_TOPIC_PREFIX"] + "metrics"
        change = ConfigEntry("message.timestamp.type", "CreateTime", incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[change])
        admin = AdminClient({"bootstrap.servers": env["VIGIA_KAFKA_BOOTSTRAP"]})
        admin.incremental_alter_configs([resource])[resource].result()
        code, log = ended(env)
    assert code == NEEDS_PERSON, log
    assert_clear(log)
    assert f"{topic} has message.timestamp.type CreateTime" in critical(log)


def test_weak_durability_is_said_at_the_start(stack, tmp_path):
    with fresh_environment(stack, tmp_path) as env, worker(env) as process:
        assert "durability: " in process.log
        assert len([line for line in process.log.splitlines() if "durability: " in line]) >= 2
