"""Retrained models score what is new beside the worker, in a process that may fail in any way without harm."""

import logging
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import msgspec
import pytest

from tests.support.deployment_rows import History
from tests.unit.models.test_challengers import history
from vigia.app import shadows
from vigia.app.shadow_process import Asked, answer
from vigia.app.shadows import FIRST_LANE, Shadows
from vigia.models.risk.challengers import files, fitting
from vigia.stores.base import LaneId
from vigia.stores.errors import Transient
from vigia.stores.risk_models import RiskModelRow, Turn
from vigia.stores.sql.summaries import open_summaries


def having(*lanes):
    return lambda: [SimpleNamespace(row=SimpleNamespace(lane=lane)) for lane in lanes]


@pytest.fixture
def summaries(tmp_path):
    opened = open_summaries(f"sqlite:///{tmp_path}/summaries.db")
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def body():
    return files.dump(fitting.fit("hist_gradient_boosting", *history()))


def kept(summaries, body, name="m", status="shadow", **changes):
    row = RiskModelRow(
        name=name,
        kind="hist_gradient_boosting",
        label="defect",
        scope="",
        created_at=0.0,
        first_at=0.0,
        last_at=0.0,
        deployments=300,
        failures=50,
        code_version="",
        metrics="{}",
        digest=files.digest_of(body),
        types="",
        status=status,
    )
    summaries.add_risk_model(msgspec.structs.replace(row, **changes), body, "ada", "")


def test_new_deployments_are_scored_once_beside_what_the_online_model_had_said(summaries, body, caplog, monkeypatch):
    past = History(summaries)
    past.deploy(5)
    kept(summaries, body)
    kept(summaries, body, "idle", status="candidate")
    companion = Shadows(summaries, having(FIRST_LANE))
    with caplog.at_level(logging.INFO):
        companion.look()
    scores = list(summaries.shadow_scores("m"))
    assert len(scores) == 5
    assert "m scored 5 deployments" in caplog.text
    by_id = {each.deployment_id: each for each in scores}
    model = files.load("hist_gradient_boosting", body, files.digest_of(body))
    for key, state in past.lane.states.items():
        if key.startswith("deployment:"):
            score = by_id[key.rpartition(":")[2]]
            (expected,) = fitting.probabilities(model, fitting.encoded([state.values]))
            assert (score.probability, score.online) == (expected, state.said["defect"][1])
            assert score.scored_at == state.scored_at
    past.deploy(2)
    companion.look()
    assert len(list(summaries.shadow_scores("m"))) == 7
    assert list(summaries.shadow_scores("idle")) == []
    # nothing new, no process
    monkeypatch.setattr(companion, "_ask", lambda *_: pytest.fail("asked again"))
    companion.look()


def test_only_one_worker_does_it(summaries, body):
    History(summaries).deploy(1)
    kept(summaries, body)
    Shadows(summaries, having(LaneId("deployments", 1), LaneId("metrics", 0))).look()
    assert list(summaries.shadow_scores("m")) == []


def test_a_round_is_bounded(summaries, body, monkeypatch):
    monkeypatch.setattr(shadows, "BATCH", 2)
    monkeypatch.setattr(shadows, "MODELS", 1)
    History(summaries).deploy(5)
    kept(summaries, body, "older", status="promoted")
    kept(summaries, body, "newer")
    Shadows(summaries, having(FIRST_LANE)).look()
    # the promoted one goes first
    assert len(list(summaries.shadow_scores("older"))) == 2
    assert list(summaries.shadow_scores("newer")) == []


def test_a_damaged_file_is_refused_once_and_others_score_all_the_same(summaries, body, caplog):
    History(summaries).deploy(1)
    kept(summaries, body, "good")
    kept(summaries, body[:-1], "bad", digest=files.digest_of(body))
    companion = Shadows(summaries, having(FIRST_LANE))
    companion.look()
    companion.look()
    assert [record.message for record in caplog.records if "bad" in record.message] == [caplog.records[0].message]
    assert "was changed or is damaged" in caplog.text
    assert len(list(summaries.shadow_scores("good"))) == 1


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["-c", "import sys; sys.exit('no such module')"], "ended with 1: no such module"),
        (["-c", "import os; os.kill(os.getpid(), 11)"], "ended with -11"),
        (["-c", "import time; time.sleep(60)"], "took longer than 1 s"),
    ],
)
def test_a_process_that_fails_is_a_warning_and_is_asked_again(summaries, body, monkeypatch, caplog, command, says):
    History(summaries).deploy(1)
    kept(summaries, body)
    real = subprocess.Popen
    monkeypatch.setattr(shadows, "WITHIN", 1.0)
    monkeypatch.setattr(subprocess, "Popen", lambda given, **rest: real([given[0], *command], **rest))
    companion = Shadows(summaries, having(FIRST_LANE))
    companion.look()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert says in caplog.text
    monkeypatch.undo()
    companion.look()
    assert len(list(summaries.shadow_scores("m"))) == 1


def test_a_store_that_is_away_is_a_warning(summaries, caplog, monkeypatch):
    def away(*_):
        raise Transient("gone")

    monkeypatch.setattr(summaries, "risk_models", away)
    Shadows(summaries, having(FIRST_LANE)).look()
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_it_stops_at_once_with_its_process(summaries, body, monkeypatch, caplog):
    History(summaries).deploy(1)
    kept(summaries, body)
    real = subprocess.Popen
    started = threading.Event()

    def hanging(given, **rest):
        process = real([given[0], "-c", "import time; time.sleep(60)"], **rest)
        started.set()
        return process

    monkeypatch.setattr(subprocess, "Popen", hanging)
    companion = Shadows(summaries, having(FIRST_LANE))
    thread = threading.Thread(target=companion.look)
    thread.start()
    assert started.wait(20)
    time.sleep(0.1)
    companion.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert not caplog.records


def test_a_retired_model_scores_no_more(summaries, body):
    History(summaries).deploy(1)
    kept(summaries, body)
    summaries.turn_risk_models([Turn("m", "shadow", "retired")], "ada", "")
    Shadows(summaries, having(FIRST_LANE)).look()
    assert list(summaries.shadow_scores("m")) == []


def test_the_process_answers_what_it_is_asked_and_says_why_it_does_not(body):
    asked = Asked("hist_gradient_boosting", files.digest_of(body), body, [(1.0,), ()])
    assert len(answer(asked).probabilities) == 2
    assert "damaged" in answer(msgspec.structs.replace(asked, digest="0")).refused


def test_a_worker_does_not_import_what_challengers_are_made_of():
    looks = "import sys, vigia.app.worker; sys.exit(bool({'sklearn', 'skops'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", looks], check=False).returncode == 0
