"""`vigia emit` in one process, without a broker: what is sent, what is said, and the exit codes."""

import argparse
import json
import typing
from typing import Any

import msgspec
import pytest

from tests.support.repositories import Repository, numbered
from tests.support.risks import risk
from vigia.cli import main
from vigia.cli.emit import arguments, command
from vigia.cli.emit.broker import NotAcknowledged, Place
from vigia.cli.emit.origin import OUTSIDE, origin
from vigia.cli.emit.verdict import EXITS, verdict
from vigia.events import feedback
from vigia.events.deployments import Kind, Stage, Status
from vigia.events.risk import Gate, Risk
from vigia.events.signing import is_signed

GITHUB = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "shop/till", "GITHUB_RUN_ID": "77"}
GITLAB = {
    "CI_PROJECT_URL": "https://gitlab.com/shop/till",
    "CI_PIPELINE_ID": "88",
    "CI_PIPELINE_URL": "https://gitlab.com/shop/till/-/pipelines/88",
}


class Broker:
    """Takes what is sent, and answers with a risk made of `answer`, None for silence."""

    def __init__(self):
        self.sent = []
        self.answer: dict[str, Any] | None = {}
        self.calls = []

    def send(self, _kafka, topic, event, within):
        self.calls.append("send")
        self.sent.append((topic.name, event))
        return Place(topic.name, 1, 7)

    def reader(self, *_):
        self.calls.append("look where risk ends")
        return self

    def wait(self, event, _within):
        return None if self.answer is None else risk(event, **self.answer)

    def close(self):
        self.calls.append("close")


@pytest.fixture
def broker(monkeypatch):
    fake = Broker()
    monkeypatch.setattr(command, "send", fake.send)
    monkeypatch.setattr(command, "RiskReader", fake.reader)
    for name in (*GITHUB, *GITLAB, "VIGIA_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    return fake


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    repository = Repository(tmp_path / "checkout")
    for number in range(4):
        repository.commit({"a.py": numbered(*range(number + 1))})
    monkeypatch.chdir(repository.folder)
    return repository


def emitted(broker, *words, code=0):
    assert main(["emit", *words]) == code
    return broker.sent[-1][1]


def test_a_deployment_brings_its_commits_with_features(broker, checkout):
    event = emitted(
        broker, "deployment", "--service", "till", "--since", "HEAD~2", "--feature", "tests_passed_pct=98.5"
    )
    assert (event.stage, event.environment, event.version) == (
        "planned",
        "production",
        checkout.git("rev-parse", "HEAD"),
    )
    assert [each.features.la for each in event.commits] == [1, 1]
    assert [each.features.exp for each in event.commits] == [2, 3]
    assert event.features.tests_passed_pct == 98.5
    assert (event.source, event.external_id) == ("vigia-emit", f"{event.version[:12]}-till-production")


def test_it_is_looked_where_risk_ends_before_the_deployment_is_sent(broker, checkout):
    emitted(broker, "deployment", "--service", "till")
    assert broker.calls == ["look where risk ends", "send", "close"]


def test_only_a_planned_deployment_waits_for_its_risk(broker, checkout, capsys):
    emitted(broker, "deployment", "--service", "till", "--stage", "finished", "--status", "succeeded")
    emitted(broker, "deployment", "--service", "till", "--wait", "0")
    assert broker.calls == ["send", "send"]
    assert "decision" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"decision": ("ok",)}, 0),
        ({"decision": ("fail",)}, 20),
        ({"decision": ("ok", "fail")}, 10),
        ({"decision": ()}, 10),
        ({}, 10),
        ({"decision": ("ok",), "gates": [Gate(name="open_incident", reason="INC-1")]}, 30),
        (None, 75),
    ],
)
def test_the_gate_ends_as_was_decided_and_without_it_always_well(broker, checkout, answer, code):
    broker.answer = answer
    emitted(broker, "deployment", "--service", "till", "--gate", code=code)
    emitted(broker, "deployment", "--service", "till", code=0)
    if answer is not None:
        assert EXITS[verdict(risk(**answer))] == code


def test_without_an_answer_it_is_said_that_the_deployment_was_sent(broker, checkout, capsys):
    broker.answer = None
    emitted(broker, "deployment", "--service", "till", "--wait", "0.5", "--gate", code=75)
    assert (
        "was sent (deployments, partition 1, offset 7), but its risk did not come within 0.5 s"
        in capsys.readouterr().err
    )


def test_json_is_one_object_with_all_of_it(broker, checkout, capsys):
    broker.answer = {"decision": ("fail",)}
    event = emitted(broker, "deployment", "--service", "till", "--gate", "--json", code=20)
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["exit_code"], told["commits"]) == ("fail", 20, 1)
    assert told["acknowledged"] == {"topic": "deployments", "partition": 1, "offset": 7}
    assert msgspec.convert(told["risk"], Risk) == risk(event, decision=("fail",))


@pytest.mark.parametrize(("environ", "run"), [(GITHUB, "77"), (GITLAB, "88")])
def test_all_jobs_of_a_pipeline_speak_of_one_deployment(broker, checkout, monkeypatch, environ, run):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    planned = emitted(broker, "deployment", "--service", "till")
    checkout.commit({"a.py": "later\n"})
    ended = emitted(broker, "deployment", "--service", "till", "--stage", "finished", "--status", "failed", "--no-git")
    outcome = emitted(broker, "feedback", "--service", "till", "--failed")
    elsewhere = emitted(broker, "deployment", "--service", "till", "--environment", "staging")
    assert planned.external_id == f"{run}-till-production"
    assert len({planned.deployment_id, ended.deployment_id, outcome.deployment_id}) == 1
    assert elsewhere.deployment_id != planned.deployment_id
    assert planned.runs == list(origin(environ).runs)


def test_outside_of_a_pipeline_the_commit_names_the_deployment(broker, checkout):
    planned = emitted(broker, "deployment", "--service", "till")
    outcome = emitted(broker, "feedback", "--service", "till", "--succeeded")
    assert (outcome.deployment_id, outcome.failed, outcome.label) == (planned.deployment_id, False, "intervention")


def test_where_a_branch_begins_the_zeros_of_ci_mean_nothing(broker, checkout):
    event = emitted(broker, "deployment", "--service", "till", "--since", "0" * 40)
    assert len(event.commits) == 1


@pytest.mark.parametrize(
    ("words", "topic", "expected"),
    [
        (
            ["incident", "--service", "till", "--id", "I1", "--severity", "P1", "--deployment", "https://x?a=b=7-till"],
            "feedback",
            {"type": "incident.opened", "severity": "P1", "deployments": [["https://x?a=b", "7-till"]]},
        ),
        (["incident", "--service", "till", "--id", "I1", "--resolved"], "feedback", {"type": "incident.resolved"}),
        (
            ["attribution", "--service", "till", "--id", "I1", "--deployment", "ci=7", "--by", "eve"],
            "feedback",
            {"type": "attribution.corrected", "deployment": ["ci", "7"]},
        ),
        (
            ["attribution", "--service", "till", "--id", "I1", "--no-deployment", "--by", "eve"],
            "feedback",
            {"type": "attribution.corrected", "by": "eve"},
        ),
        (
            [
                "metric",
                "--service",
                "till",
                "--metric",
                "lag",
                "--value",
                "2.5",
                "--label",
                "q=a=b",
                "--counts",
                "--at",
                "9",
            ],
            "metrics",
            {"metric": "lag", "value": 2.5, "labels": {"q": "a=b"}, "kind": "counter", "ts": 9.0},
        ),
        (
            [
                "ai-decision",
                "--agent",
                "a",
                "--decision-id",
                "1",
                "--decision-type",
                "t",
                "--decision",
                "yes",
                "--confidence",
                "0.8",
            ],
            "ai-decisions",
            {"agent": "a", "confidence": 0.8},
        ),
        (
            ["judgement", "--agent", "a", "--decision-id", "1", "--judgement", "partly"],
            "ai-decisions",
            {"judgement": "partly", "judge": "person"},
        ),
    ],
)
def test_every_other_kind_is_one_event_on_its_topic(broker, words, topic, expected, capsys):
    event = emitted(broker, *words)
    assert broker.sent[-1][0] == topic
    body = json.loads(msgspec.json.encode(event))
    assert body | expected == body
    assert f"sent {words[0]} to {topic}, partition 1, offset 7" in capsys.readouterr().out


def test_every_event_has_an_id_by_which_a_retry_counts_once(broker, checkout):
    metric = ("metric", "--service", "till", "--metric", "lag", "--value", "1")
    first, again, later = (emitted(broker, *metric, "--at", at) for at in ("9", "9", "10"))
    assert first.event_id == again.event_id != later.event_id
    assert emitted(broker, *metric, "--event-id", "mine").event_id == "mine"
    for words in (
        ("deployment", "--service", "till"),
        ("feedback", "--service", "till", "--failed"),
        ("incident", "--service", "till", "--id", "I1"),
    ):
        assert emitted(broker, *words).identity


KEY = "a key that nobody knows"


@pytest.mark.parametrize(
    "words",
    [
        ["feedback", "--service", "till", "--failed", "--reason", "größer"],
        ["incident", "--service", "till", "--id", "I1", "--deployment", "ci=7"],
        ["incident", "--service", "till", "--id", "I1", "--resolved"],
        ["attribution", "--service", "till", "--id", "I1", "--no-deployment", "--by", "eve"],
        ["judgement", "--agent", "a", "--decision-id", "1", "--judgement", "partly"],
    ],
    ids=lambda words: words[0],
)
def test_all_feedback_is_signed_for_the_sender_that_the_settings_name(broker, checkout, monkeypatch, words):
    monkeypatch.setenv("VIGIA_EMIT_SENDER", "shop-ci")
    event = emitted(broker, *words)
    assert (event.sender, event.signature) == ("shop-ci", "")
    monkeypatch.setenv("VIGIA_EMIT_KEY", KEY)
    event = emitted(broker, *words)
    arrived = msgspec.json.decode(msgspec.json.encode(event), type=feedback.Feedback)
    assert arrived.sender == "shop-ci"
    assert is_signed(arrived, [KEY.encode()], scope_was_filled=False)
    assert not is_signed(arrived, [b"another"], scope_was_filled=False)


def test_the_key_is_not_shown_and_what_is_no_feedback_is_not_signed(broker, checkout, monkeypatch, capsys):
    monkeypatch.setenv("VIGIA_EMIT_KEY", KEY)
    emitted(broker, "feedback", "--service", "till", "--failed", "--json")
    metric = emitted(broker, "metric", "--service", "till", "--metric", "lag", "--value", "1")
    deployment = emitted(broker, "deployment", "--service", "till")
    assert not any(hasattr(event, "signature") for event in (metric, deployment))
    assert KEY not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["deployment", "--service", ""], "service is empty"),
        (["deployment", "--service", "till", "--feature", "size=3"], "there is no feature 'size'"),
        (["deployment", "--service", "till", "--feature", "la=many"], "not a number"),
        (["deployment", "--service", "till", "--feature", "la=nan"], "features.la is nan"),
        (["deployment", "--service", "till", "--stage", "finished"], "`status` goes with the stage"),
        (["deployment", "--service", "till", "--since", "gone"], "there is no commit 'gone'"),
        (["deployment", "--service", "till", "--no-git"], "--no-git needs --id"),
        (["deployment", "--service", "till", "--repo", "absent"], "there is no folder"),
        (["metric", "--service", "till", "--metric", "m", "--value", "inf"], "must be a finite number"),
        (["metric", "--service", "till", "--metric", "m", "--value", "1", "--at", "1700000000000"], "milliseconds"),
        (["metric", "--service", "till", "--metric", "", "--value", "1"], "metric is empty"),
        (["incident", "--service", "till", "--id", "x" * 201], "at most 200"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_a_sentence(broker, checkout, words, said, capsys):
    assert main(["emit", *words]) == 2
    assert broker.sent == []
    printed = capsys.readouterr().err
    assert printed.startswith("nothing was sent: ")
    assert said in printed


def test_settings_are_never_taken_from_the_checkout_that_is_deployed(broker, checkout, monkeypatch):
    (checkout.folder / "config").mkdir()
    (checkout.folder / "config" / "vigia.toml").write_text("[kafka]\nbootstrap = 'evil.example:9092'\n")
    seen = []

    def send(kafka, *rest):
        seen.append(kafka.bootstrap)
        return broker.send(kafka, *rest)

    monkeypatch.setattr(command, "send", send)
    emitted(broker, "deployment", "--service", "till")
    assert seen == ["127.0.0.1:19092"]


def test_settings_that_cannot_be_used_end_with_78(broker, monkeypatch, capsys):
    monkeypatch.setenv("VIGIA_EMIT_DELIVERY_TIMEOUT", "soon")
    assert main(["emit", "metric", "--service", "till", "--metric", "m", "--value", "1"]) == 78
    assert "VIGIA_EMIT_DELIVERY_TIMEOUT" in capsys.readouterr().err


def test_without_the_brokers_acknowledgement_it_ends_with_75(broker, checkout, monkeypatch, capsys):
    def refuse(*_):
        raise NotAcknowledged("Kafka at x:1 has not acknowledged the event for deployments within 2 s")

    monkeypatch.setattr(command, "send", refuse)
    for words in (
        ["metric", "--service", "till", "--metric", "m", "--value", "1"],
        ["deployment", "--service", "till"],
    ):
        assert main(["emit", *words]) == 75
    assert "has not acknowledged" in capsys.readouterr().err


def test_choices_are_those_of_the_events():
    def choices(kind, name):
        parser = argparse.ArgumentParser()
        arguments.add(parser.add_subparsers())
        for below in ("emit", kind):
            parser = next(dict(action.choices)[below] for action in parser._actions if isinstance(action.choices, dict))
        return next(tuple(action.choices or ()) for action in parser._actions if action.dest == name)

    assert choices("deployment", "stage") == typing.get_args(Stage)
    assert ("", *choices("deployment", "status")) == typing.get_args(Status)
    assert choices("deployment", "does") == typing.get_args(Kind)
    assert choices("feedback", "label") == typing.get_args(feedback.Label)
    assert choices("incident", "severity") == typing.get_args(feedback.Severity)
    assert choices("judgement", "judgement") == typing.get_args(feedback.Judgement)
    assert choices("judgement", "judge") == typing.get_args(feedback.Judge)


def test_no_pipeline_is_no_pipeline():
    assert origin({"GITHUB_SERVER_URL": "https://github.com", "CI_PROJECT_URL": "x"}) == OUTSIDE
