"""What the local stack writes for its servers: durable, on the loopback interface, and readable by its owner only."""

import re
import stat
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from scripts.stack import jars
from scripts.stack.cassandra import Cassandra
from scripts.stack.env_file import write_env_file
from scripts.stack.files import make_private_folder, render, tail, write_private
from scripts.stack.kafka import Kafka
from scripts.stack.mariadb import MariaDB
from scripts.stack.settings import StackSettings


@pytest.fixture
def settings(tmp_path) -> StackSettings:
    return StackSettings(root=tmp_path / "stack", kafka_port=29092, cassandra_port=29042, mariadb_port=29306)


@pytest.fixture
def no_jars(monkeypatch):
    monkeypatch.setattr(jars, "copy_jars", lambda pom, lib: None)


def properties(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line and not line.startswith(("#", "["))]
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


@pytest.fixture
def kafka_properties(settings, no_jars, monkeypatch) -> dict[str, str]:
    monkeypatch.setattr(Kafka, "_format", lambda self: None)
    kafka = Kafka(settings)
    kafka.prepare()
    return properties((kafka.home / "conf" / "kafka.properties").read_text(encoding="utf-8"))


@pytest.fixture
def cassandra_home(settings, no_jars) -> Path:
    cassandra = Cassandra(settings)
    cassandra.prepare()
    return cassandra.home


@pytest.fixture
def mariadb(settings) -> MariaDB:
    server = MariaDB(settings)
    make_private_folder(server.home)
    server.data.mkdir()  # as if its system tables were there
    server.prepare()
    return server


def test_kafka_listens_on_the_loopback_interface_only(kafka_properties):
    assert kafka_properties["listeners"] == "PLAINTEXT://127.0.0.1:29092,CONTROLLER://127.0.0.1:19093"


def test_kafka_creates_no_topic_by_itself(kafka_properties):
    assert kafka_properties["auto.create.topics.enable"] == "false"
    assert kafka_properties["num.partitions"] == "4"
    assert kafka_properties["group.initial.rebalance.delay.ms"] == "0"


def test_cassandra_syncs_before_it_acknowledges(cassandra_home):
    document = YAML(typ="safe").load(cassandra_home / "conf" / "cassandra.yaml")
    assert document["commitlog_sync"] == "group"
    assert "commitlog_sync_period" not in document
    assert (document["listen_address"], document["rpc_address"]) == ("127.0.0.1", "127.0.0.1")
    assert document["native_transport_port"] == 29042


def test_jmx_is_off_unless_a_port_is_set_and_then_local(cassandra_home):
    assert "jmx" not in "".join(options(cassandra_home / "conf" / "java.args"))
    on = render("cassandra.java.args", memory="1g", jmx="-Dcassandra.jmx.local.port=17199")
    assert "jmx.remote.port" not in on


def options(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith("-") and not line.startswith("--add-")]


def test_heap_sizes_are_set(cassandra_home, settings):
    assert "-Xmx1g" in options(cassandra_home / "conf" / "java.args")
    assert "-Xmx512m" in render("kafka.java.args", memory=settings.kafka_memory).splitlines()


def test_mariadb_keeps_what_it_committed(mariadb):
    found = properties((mariadb.home / "conf" / "my.cnf").read_text(encoding="utf-8"))
    assert found["innodb_flush_log_at_trx_commit"] == "1"
    assert found["transaction-isolation"] == "READ-COMMITTED"
    assert (found["bind-address"], found["port"]) == ("127.0.0.1", "29306")
    assert found["character-set-server"] == "utf8mb4"
    assert {"skip-name-resolve", "skip-log-bin"} <= set(found)


def test_the_password_is_random_and_kept(mariadb, tmp_path):
    other = MariaDB(StackSettings(root=tmp_path / "other"))
    assert re.fullmatch("[0-9a-f]{48}", mariadb.password())
    assert mariadb.password() == mariadb.password() != other.password()


def test_the_applications_user_comes_by_tcp_from_here_and_owns_only_its_databases(mariadb):
    text = (mariadb.home / "conf" / "init.sql").read_text(encoding="utf-8")
    assert f"IDENTIFIED BY '{mariadb.password()}'" in text
    assert "ON `vigia%`.* TO 'vigia'@'127.0.0.1'" in text
    assert "*.*" not in text


def test_secrets_and_folders_are_their_owners_only(mariadb, settings):
    env = write_env_file(settings, mariadb.password())
    secret = [env, mariadb.home / "password", mariadb.home / "conf" / "init.sql"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (settings.root, mariadb.home)} == {0o700}


def test_the_environment_file_names_the_three_servers(mariadb, settings):
    lines = write_env_file(settings, "secret").read_text(encoding="utf-8").splitlines()
    assert lines == [
        "export VIGIA_KAFKA_BOOTSTRAP=127.0.0.1:29092",
        "export VIGIA_RAW_LOG_URL=cassandra://127.0.0.1:29042/vigia",
        "export VIGIA_SUMMARIES_URL='mysql+pymysql://vigia:secret@127.0.0.1:29306/vigia?charset=utf8mb4'",
    ]


def test_a_value_that_a_template_needs_cannot_be_forgotten():
    with pytest.raises(KeyError, match="memory"):
        render("kafka.java.args")


def test_a_private_file_replaces_one_that_was_readable_by_others(tmp_path):
    path = tmp_path / "env"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o644)
    write_private(path, "new")
    assert path.read_text(encoding="utf-8") == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_end_of_a_log_shows_no_earlier_run(tmp_path):
    log = tmp_path / "log"
    log.write_text("first run\n", encoding="utf-8")
    start = log.stat().st_size
    log.write_text("first run\nsecond run\nfailed\n", encoding="utf-8")
    assert tail(log, 10, start) == "second run\nfailed"
    assert tail(log, 1) == "failed"
    assert not tail(tmp_path / "none", 1)


def test_the_configuration_holds_no_placeholder(cassandra_home, kafka_properties, mariadb):
    written = [*cassandra_home.glob("conf/*"), *mariadb.home.glob("conf/*")]
    assert len(written) == 5
    assert not [path for path in written if re.search(r"\$[a-z{]", path.read_text(encoding="utf-8"))]
