"""A port that somebody else holds is named, with the setting that changes it."""

import os
import socket

import pytest

from scripts.stack import ports
from scripts.stack.errors import StackError


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_held_port_names_its_holder_and_the_setting(listener):
    with pytest.raises(StackError) as raised:
        ports.require_free("kafka", {"kafka_port": listener}, patience=0)
    text = str(raised.value)
    assert f"127.0.0.1:{listener}" in text
    assert f"held by process {os.getpid()} " in text
    assert "VIGIA_STACK_KAFKA_PORT" in text


def test_a_free_port_is_fine():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    ports.require_free("kafka", {"kafka_port": port})
    assert not ports.is_open(port)


def test_a_port_that_is_given_back_in_time_is_fine(listener, monkeypatch):
    answers = iter([["held"], ["held"], []])
    monkeypatch.setattr(ports, "_problems", lambda server, wanted: next(answers))
    ports.require_free("kafka", {"kafka_port": listener}, patience=60)


def test_an_open_port_is_seen(listener):
    assert ports.is_open(listener)
