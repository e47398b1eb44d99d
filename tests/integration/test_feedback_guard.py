"""Who may label what, on the real path: embedded broker, one worker process, SQLite, and `vigia emit` in its own."""

import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from tests.support import Sender, counts, opened_stores, wait_until, worker
from tests.support.processes import without_settings
from vigia.app import migrate
from vigia.cli.run import environment
from vigia.cli.run.broker import EmbeddedBroker, touch_topics
from vigia.events.deployments import Deployment
from vigia.events.feedback import Outcome, PipelineRun
from vigia.events.signing import sign
from vigia.settings import load
from vigia.stores.queries.recent_deployments import recent_deployments
from vigia.stores.queries.surpluses import surpluses
from vigia.streaming.intake import encoded
from vigia.topics import TOPICS

ROOT = Path(__file__).resolve().parents[2]
KEYS = {"VIGIA_KEY_CI": "a key of the CI's own", "VIGIA_KEY_OWN": "a key that workers share"}
RULES = """
[others]
kinds = []

[sender.ci]
kinds = ["outcome", "run"]
services = ["till"]
a_day = 4
keys = [{ variable = "VIGIA_KEY_CI" }]

[sender.vigia]
keys = [{ variable = "VIGIA_KEY_OWN" }]
"""
NOW = time.time()


def deployment(number):
    return Deployment(
        source="ci", external_id=str(number), service="till", stage="planned", at=NOW - 60, runs=[f"run/{number}"]
    )


def outcome(number, **more):
    said = {"source": "ci", "external_id": str(number), "service": "till", "failed": True, "label": "intervention"}
    return Outcome(**{**said, "at": NOW - 30, **more})


def signed(event):
    return sign(event, KEYS["VIGIA_KEY_CI"].encode())


RUN = PipelineRun(source="ci", external_id="1", service="till", names=["run/5"], status="failed", at=NOW - 20)
SENT = [
    outcome(1),
    outcome(1, sender="stranger"),
    msgspec.structs.replace(signed(outcome(2)), external_id="1"),
    msgspec.structs.replace(signed(outcome(1)), failed=False),
    signed(outcome(1, service="other")),
    signed(outcome(2)),
    signed(outcome(2)),
    signed(RUN),
    signed(outcome(3, failed=False)),
]
"""Of these three are taken: of two that the command sends after them, the second is beyond the limit."""


def emit(env, number):
    """Run `vigia emit feedback` for a deployment; returns its exit code, and what it printed."""
    words = ("feedback", "--service", "till", "--source", "ci", "--id", str(number), "--succeeded")
    done = subprocess.run(
        [sys.executable, "-m", "vigia", "emit", *words],
        cwd=ROOT,
        env={**without_settings(), **env, "VIGIA_EMIT_SENDER": "ci", "VIGIA_EMIT_KEY": KEYS["VIGIA_KEY_CI"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Outcomes by deployment, the dead letters, the surpluses, the figures, and all that the worker logged."""
    folder = tmp_path_factory.mktemp("guard")
    (folder / "feedback.toml").write_text(RULES)
    with ExitStack() as ending:
        broker = EmbeddedBroker(folder / "broker.log", {})
        ending.callback(broker.stop)
        env = environment.embedded({}, folder, broker.bootstrap, broker.cluster_id)
        env |= {"VIGIA_KAFKA_TOPIC_PREFIX": "", "VIGIA_FEEDBACK": str(folder / "feedback.toml"), **KEYS}
        settings = load(env)
        touch_topics(settings.kafka.confluent_config(), [settings.kafka.physical(topic.name) for topic in TOPICS])
        migrate(settings)
        ending.enter_context(worker(env))
        with Sender(env) as sender:
            for number in range(1, 6):
                sender.send("deployments", encoded(deployment(number)))
            sender.flush()
            wait_until(lambda: counts(env)["deployments_scored"] >= 5, 90, "the deployments")
            for event in SENT:
                sender.send("feedback", encoded(event))
            sender.flush()
        # what follows from the run is one more, and Vigia's own
        wait_until(lambda: counts(env)["feedback.applied"] >= 4, 90, "what may be said")
        printed = [emit(env, number) for number in (4, 5)]
        wait_until(lambda: counts(env)["feedback.invalid"] >= 6, 90, "what may not be said")
        with opened_stores(env) as stores:
            found = recent_deployments(stores.summaries)
            letters = stores.summaries.dead_letters(None, 100)
            rows = surpluses(stores.summaries, 0, 1 << 31)
        log = "".join(path.read_text(errors="replace") for path in folder.rglob("*.log"))
        yield {row.external_id: row.outcome for row in found}, letters, rows, counts(env), printed, log


def test_only_what_the_sender_has_signed_and_may_say_is_learned(told):
    assert told[0] == {"1": "", "2": "failed", "3": "succeeded", "4": "succeeded", "5": "failed"}
    assert all(code == 0 for code, _printed in told[4]), told[4]


def test_each_refusal_is_a_letter_with_its_rule(told):
    assert Counter(letter.reason for letter in told[1]) == {"bad_signature": 3, "not_allowed": 2, "over_limit": 1}
    details = " ".join(letter.detail for letter in told[1])
    assert "the sender 'stranger' ([others] of " in details
    assert "may not speak of the service 'other'" in details
    assert "[sender.ci] has said 4 things" in details


def test_the_surplus_stands_in_its_row_and_is_logged_once(told):
    (row,) = told[2]
    assert (row.sender, row.a_day, row.surplus) == ("[sender.ci]", 4, 1)
    assert told[5].count("[sender.ci] has said more than 4 things a day of scope 'unassigned'") == 1


def test_no_key_is_in_a_log_a_letter_or_on_the_terminal(told):
    seen = told[5] + str(told[1]) + str(told[4])
    assert not any(key in seen for key in KEYS.values())


def test_vigias_own_words_are_signed_and_counted_nowhere(told):
    assert told[3]["ai-decisions.invalid"] == 0
    assert told[3]["feedback.duplicate"] == 1
