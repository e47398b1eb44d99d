"""Settings of the local stack: read from the environment, refused by name."""

from pathlib import Path

import pytest

from scripts.stack.errors import StackError
from scripts.stack.settings import CHECKOUT, StackSettings, variable


def test_without_a_setting_the_stack_is_in_the_checkout():
    settings = StackSettings.from_environment({})
    assert settings == StackSettings()
    assert settings.root == CHECKOUT / ".stack"


def test_every_setting_can_be_given(tmp_path):
    settings = StackSettings.from_environment(
        {
            "VIGIA_STACK_DIR": str(tmp_path),
            "VIGIA_STACK_KAFKA_PORT": "1",
            "VIGIA_STACK_KAFKA_CONTROLLER_PORT": "2",
            "VIGIA_STACK_KAFKA_MEMORY": "256m",
            "VIGIA_STACK_CASSANDRA_PORT": "3",
            "VIGIA_STACK_CASSANDRA_STORAGE_PORT": "4",
            "VIGIA_STACK_CASSANDRA_JMX_PORT": "5",
            "VIGIA_STACK_CASSANDRA_MEMORY": "2g",
            "VIGIA_STACK_MARIADB_PORT": "6",
            "VIGIA_STACK_MARIADB_MEMORY": "64M",
        }
    )
    assert settings == StackSettings(tmp_path, 1, 2, "256m", 3, 4, 5, "2g", 6, "64M")


def test_an_empty_variable_counts_as_not_given():
    assert StackSettings.from_environment({"VIGIA_STACK_KAFKA_PORT": ""}) == StackSettings()


def test_a_folder_is_made_absolute():
    assert StackSettings.from_environment({"VIGIA_STACK_DIR": "elsewhere"}).root == Path.cwd() / "elsewhere"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VIGIA_STACK_KAFKA_PORT", "abc"),
        ("VIGIA_STACK_KAFKA_PORT", "0"),
        ("VIGIA_STACK_KAFKA_PORT", "-1"),
        ("VIGIA_STACK_MARIADB_PORT", "65536"),
        ("VIGIA_STACK_CASSANDRA_MEMORY", "1"),
        ("VIGIA_STACK_KAFKA_MEMORY", "512m -Dsomething=else"),
    ],
)
def test_what_cannot_be_used_is_named(name, value):
    with pytest.raises(StackError, match=name):
        StackSettings.from_environment({name: value})


def test_all_that_cannot_be_used_is_named_at_once():
    with pytest.raises(StackError, match=r"(?s)KAFKA_PORT.*MARIADB_PORT"):
        StackSettings.from_environment({"VIGIA_STACK_KAFKA_PORT": "x", "VIGIA_STACK_MARIADB_PORT": "y"})


def test_a_field_names_its_variable():
    assert variable("kafka_port") == "VIGIA_STACK_KAFKA_PORT"
