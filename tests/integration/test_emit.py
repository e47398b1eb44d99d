"""`vigia emit` on the real stack, as a pipeline runs it: a process of its own, in the checkout that is deployed."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from tests.support import counts, fresh_environment, opened_stores, topic_records, wait_until, worker
from tests.support.repositories import Repository, clean_environment, numbered
from vigia.cli.emit.verdict import EXITS, verdict
from vigia.events.risk import Risk
from vigia.stores.queries.recent_deployments import recent_deployments

ROOT = Path(__file__).resolve().parents[2]
COMMAND = "import sys; sys.path.insert(0, sys.argv.pop(1)); from vigia.cli import main; sys.exit(main())"
"""As the installed `vigia` does: nothing is imported from the folder that it is started in."""


class Place(NamedTuple):
    env: dict[str, str]
    checkout: Repository

    def emit(self, *words, **more):
        """Run the command in the checkout; returns its exit code, and what it printed."""
        done = subprocess.run(
            [sys.executable, "-P", "-c", COMMAND, str(ROOT), "emit", *words],
            cwd=self.checkout.folder,
            env={**clean_environment(), **self.env, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def told(self, *words, **more):
        """Run it with --json, and return its code and the object."""
        code, printed, complaints = self.emit(*words, "--json", **more)
        assert printed, complaints
        return code, json.loads(printed)


@pytest.fixture(scope="module")
def place(stack, tmp_path_factory):
    folder = tmp_path_factory.mktemp("emit")
    checkout = Repository(folder / "checkout")
    for number in range(5):
        checkout.commit({"till/a.py": numbered(*range(10 * number + 1)), "vigia.py": "raise SystemExit(99)\n"})
    checkout.git("reset", "--hard", "--quiet")
    with fresh_environment(stack, folder / "data") as env, worker(env):
        yield Place(env, checkout)


DEPLOYMENT = ("deployment", "--service", "checkout", "--scope", "payments", "--since", "HEAD~3")


def test_a_gate_ends_as_the_risk_record_of_its_deployment_says(place):
    code, told = place.told(*DEPLOYMENT, "--gate", "--id", "gate")
    said = msgspec.convert(told["risk"], Risk)
    assert (said.source, said.external_id, said.service, said.scope) == ("vigia-emit", "gate", "checkout", "payments")
    assert (said.deployment_id, said.deployed_version) == (told["deployment_id"], told["version"])
    assert code == told["exit_code"] == EXITS[verdict(said)]
    records = [msgspec.json.decode(record.value or b"", type=Risk) for record in topic_records(place.env, "risk")]
    assert said in records
    with opened_stores(place.env) as stores:
        rows = [row for row in recent_deployments(stores.summaries, 50) if row.deployment_id == said.deployment_id]
    assert [(row.commits, row.risk, row.stage) for row in rows] == [(3, said.probability, "planned")]


def test_people_read_it_in_words(place):
    code, printed, _ = place.emit(*DEPLOYMENT, "--gate", "--id", "words")
    assert code in EXITS.values()
    assert "checkout to production" in printed
    assert "3 commits since" in printed
    assert "decision" in printed
    assert "\x1b" not in printed


def test_without_a_scope_the_worker_finds_it_and_the_answer_comes_all_the_same(place):
    code, told = place.told("deployment", "--service", "checkout", "--gate", "--id", "no-scope")
    assert told["risk"]["scope"] == "payments"
    assert code == told["exit_code"]


def test_a_job_that_is_tried_again_gets_the_answer_that_was_given(place):
    first = place.told(*DEPLOYMENT, "--gate", "--id", "again")
    second = place.told(*DEPLOYMENT, "--gate", "--id", "again")
    assert second[1]["acknowledged"] != first[1]["acknowledged"]
    assert (second[0], second[1]["risk"]) == (first[0], first[1]["risk"])


def test_what_came_of_it_reaches_its_deployment(place):
    run = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "shop/till", "GITHUB_RUN_ID": "7"}
    _, told = place.told(*DEPLOYMENT, **run)
    finished = ("--stage", "finished", "--status", "succeeded")
    assert place.emit(*DEPLOYMENT, *finished, **run)[0] == 0
    assert (
        place.emit("feedback", "--service", "checkout", "--scope", "payments", "--failed", "--by", "eve", **run)[0] == 0
    )

    def row():
        with opened_stores(place.env) as stores:
            rows = recent_deployments(stores.summaries, 50)
        found = [each for each in rows if each.deployment_id == told["deployment_id"]]
        return found if found and found[0].outcome and found[0].status else None

    (found,) = wait_until(row, 60, "the outcome")
    assert (found.source, found.external_id) == ("https://github.com/shop/till", "7-checkout-production")
    assert (found.stage, found.status, found.outcome, found.outcome_label) == (
        "finished",
        "succeeded",
        "failed",
        "intervention",
    )


def test_all_other_kinds_are_applied(place):
    before = counts(place.env)
    at = str(int(time.time()))
    for words in (
        ("incident", "--service", "checkout", "--id", "I1", "--severity", "P1", "--title", "broken"),
        ("incident", "--service", "checkout", "--id", "I1", "--resolved"),
        ("attribution", "--service", "checkout", "--id", "I1", "--no-deployment", "--by", "eve"),
        ("metric", "--service", "checkout", "--metric", "lag", "--value", "2.5", "--at", at),
        ("ai-decision", "--agent", "a", "--decision-id", "1", "--decision-type", "t", "--decision", "yes"),
        ("judgement", "--agent", "a", "--decision-id", "1", "--judgement", "correct"),
    ):
        code, printed, complaints = place.emit(*words)
        assert (code, complaints) == (0, ""), words
        assert "partition" in printed
    wanted = {"feedback.applied": 3, "metrics.applied": 1, "ai-decisions.applied": 2}

    def applied():
        now = counts(place.env)
        return all(now[name] - before[name] >= number for name, number in wanted.items())

    wait_until(applied, 60, "all of it")
    assert not [name for name in counts(place.env) if name.endswith(".invalid") and counts(place.env)[name]]


def test_what_no_broker_acknowledges_ends_with_75_and_says_why(place):
    nobody = {"VIGIA_KAFKA_BOOTSTRAP": "127.0.0.1:1", "VIGIA_EMIT_DELIVERY_TIMEOUT": "2s"}
    for words in (("metric", "--service", "a", "--metric", "m", "--value", "1"), (*DEPLOYMENT, "--gate")):
        started = time.monotonic()
        code, printed, complaints = place.emit(*words, **nobody)
        assert (code, printed) == (75, "")
        assert "127.0.0.1:1" in complaints
        assert "within 2 s" in complaints
        assert time.monotonic() - started < 60


def test_a_topic_that_is_not_there_is_not_acknowledged(place):
    elsewhere = {"VIGIA_KAFKA_TOPIC_PREFIX": "absent-prefix.", "VIGIA_EMIT_DELIVERY_TIMEOUT": "3s"}
    code, _, complaints = place.emit("metric", "--service", "a", "--metric", "m", "--value", "1", **elsewhere)
    assert code == 75
    assert "absent-prefix.metrics" in complaints


def test_a_gate_without_workers_ends_with_75_and_says_that_it_was_sent(stack, tmp_path, place):
    with fresh_environment(stack, tmp_path / "data", migrated=False) as env:
        code, _, complaints = Place(env, place.checkout).emit(*DEPLOYMENT, "--gate", "--wait", "3")
    assert code == 75
    assert "its risk did not come within 3 s" in complaints


def test_little_is_imported_on_the_way(place):
    names = "faust, river, aiokafka, sklearn, numpy, sqlalchemy, cassandra, rich, matplotlib"
    look = f"import vigia.cli.emit.command, sys; print([name for name in '{names}'.split(', ') if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", look], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
