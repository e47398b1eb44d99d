"""The workers' environment: nothing of another way to run gets into the embedded one, and passwords survive quoting."""

import doctest
from pathlib import Path

import pytest

from vigia.cli.run import environment
from vigia.settings import load

STACK = {
    "VIGIA_KAFKA_BOOTSTRAP": "kafka.example:9092",
    "VIGIA_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "VIGIA_KAFKA_TOPIC_PREFIX": "test.",
    "VIGIA_RAW_LOG_URL": "cassandra://db.example:9042/vigia",
    "VIGIA_SUMMARIES_URL": "mysql+pymysql://u:p@db.example/vigia",
    "VIGIA_PROFILE": "production",
    "VIGIA_LOG_LEVEL": "DEBUG",
    "PATH": "/bin",
}


def test_the_embedded_way_takes_no_server_from_a_shell_that_is_set_up_for_another():
    settings = load(environment.embedded(STACK, Path("data"), "127.0.0.1:1234", "embedded-1"))
    assert settings.kafka.bootstrap == "127.0.0.1:1234"
    assert (settings.kafka.cluster_id, settings.kafka.ephemeral) == ("embedded-1", True)
    assert (settings.kafka.security_protocol, settings.kafka.topic_prefix) == ("PLAINTEXT", "")
    assert str(settings.raw_log.url).startswith("sqlite:///data/")
    assert str(settings.summaries.url).startswith("sqlite:///data/")
    assert settings.data_dir == Path("data")


def test_what_is_no_matter_of_servers_stays():
    ours = environment.embedded(STACK, Path("data"), "b", "c")
    assert (ours["VIGIA_LOG_LEVEL"], ours["PATH"]) == ("DEBUG", "/bin")


def test_the_local_way_takes_its_servers_from_the_stacks_file(tmp_path):
    (tmp_path / "env").write_text(
        "export VIGIA_KAFKA_BOOTSTRAP=127.0.0.1:1\nexport VIGIA_SUMMARIES_URL='mysql://u:a b@c'\n"
    )
    theirs = environment.local({**STACK, "VIGIA_STACK_DIR": str(tmp_path)})
    assert theirs["VIGIA_KAFKA_BOOTSTRAP"] == "127.0.0.1:1"
    assert theirs["VIGIA_SUMMARIES_URL"] == "mysql://u:a b@c"
    assert theirs["VIGIA_LOG_LEVEL"] == "DEBUG"


def test_without_a_stack_the_message_says_how_to_get_one(tmp_path):
    with pytest.raises(environment.NoStack, match="make stack"):
        environment.local({"VIGIA_STACK_DIR": str(tmp_path)})


def test_finite_input_closes_its_windows_soon_unless_somebody_says_otherwise():
    assert load(environment.for_once({})).metrics.idle_timeout == environment.ONCE_IDLE_SECONDS
    said = {"VIGIA_METRICS_IDLE_TIMEOUT": "7s"}
    assert load(environment.for_once(said)).metrics.idle_timeout == 7.0


def test_finite_input_is_never_mixed_with_the_workers_own_metrics():
    for said in ({}, {"VIGIA_OPERATIONS_OWN_METRICS": "true"}):
        assert not load(environment.for_once(said)).operations.own_metrics
    assert load(dict[str, str]()).operations.own_metrics


def test_the_examples_in_the_documentation_hold():
    assert doctest.testmod(environment).failed == 0
