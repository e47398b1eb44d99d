"""Retraining and the registry: nothing of the future is used, and only what is better is promoted."""

import json

import msgspec
import numpy as np
import pytest

from scripts.ml import retrain_deployment_risk_model, risk_models
from scripts.ml.retraining import registry
from scripts.ml.retraining.comparing import TooFew, compare
from scripts.ml.retraining.folds import Judged, folds, now, settled, together, train, usable
from tests.support.deployment_rows import DAY, EVERY, LANE, SCOPE, START, History
from tests.unit.models.laws import Lane, Sent, Tick
from vigia.app.shadows import FIRST_LANE, Shadows
from vigia.cli import main as vigia
from vigia.events.deployments import ChangeFeatures, Deployment
from vigia.events.feedback import Outcome
from vigia.models.deployments import DeploymentsModel
from vigia.models.deployments.examples import example
from vigia.models.deployments.states import SCHEMA, DeploymentState, load
from vigia.models.deployments.young import TOLD_BY_SILENCE
from vigia.models.risk.challengers import files, fitting
from vigia.stores.risk_models import RiskModelChange
from vigia.stores.sql.summaries import open_summaries

WAITING = 90 * DAY
WAITING_TIMES = dict.fromkeys(TOLD_BY_SILENCE, WAITING)
NAME = "random_forest-defect-1"


@pytest.fixture
def summaries(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/summaries.db"
    monkeypatch.setenv("VIGIA_SUMMARIES_URL", url)
    monkeypatch.setenv("VIGIA_DATA_DIR", str(tmp_path))
    opened = open_summaries(url)
    opened.migrate()
    yield opened
    opened.close()


def retrain(*arguments):
    return retrain_deployment_risk_model.main(["--model", "random_forest", *arguments])


def shadow(summaries):
    class Held:
        row = type("Row", (), {"lane": FIRST_LANE})

    Shadows(summaries, lambda: [Held()]).look()  # type: ignore[list-item]


# ------------------------------------------------------------------------------------------------ the order of time


def slow_team(days):
    """A team of which failures are known within days and nothing is ever told of what is clean."""
    random = np.random.default_rng(4)
    script: list[tuple[float, Deployment | Outcome]] = []
    for number in range(days):
        at = START + number * DAY
        lines = float(random.integers(1, 500))
        fails_after = float(random.integers(1, 200)) * DAY if random.random() < lines / 700 else None
        features = ChangeFeatures(la=lines)
        name = str(number)
        deployment = Deployment(
            source="ci", external_id=name, service="shop", scope="t", stage="planned", at=at, features=features
        )
        script.append((at, deployment))
        if fails_after is not None:
            known = at + fails_after + 60
            outcome = Outcome(
                source="ci", external_id=name, service="shop", scope="t", at=known, failed=True, label="defect", by="a"
            )
            script.append((known, outcome))
    return sorted(script, key=lambda each: each[0])


def examples_at(script, cut):
    """What a lane knows at a time that has seen all of a script until then, and no more."""
    lane = Lane(DeploymentsModel(waiting_times=WAITING_TIMES, forget_after=2_000 * DAY), reload=False)
    for at, event in script:
        if at > cut:
            break
        lane.run([Tick(at - 1), Sent(event, at)])
    lane.run([Tick(cut)])
    states = [load(key, SCHEMA, body) for key, body in lane.dumped().items()]
    found = [example(each, "defect", WAITING_TIMES) for each in states if isinstance(each, DeploymentState)]
    return sorted((each for each in found if each is not None), key=lambda each: each.scored_at)


def test_a_model_of_a_cut_is_the_one_that_would_have_been_trained_then():
    script = slow_team(500)
    whole = examples_at(script, START + 800 * DAY)
    assert len(whole) == 500
    for fold in list(folds(whole))[1:3]:
        # just before the deployment at the cut: the future is not there at all
        then = examples_at(script, fold.cut - 1)
        known = [(each.values, failed) for each, failed in usable(then, fold.cut - 1)]
        assert [(each.values, failed) for each, failed in usable(fold.before, fold.cut - 1)] == known
        assert any(failed for _, failed in known)
        columns = fitting.encoded([each.values for each in fold.later])
        models = [train("random_forest", before, fold.cut - 1) for before in (fold.before, then)]
        said = [fitting.probabilities(model, columns) for model in models]
        assert np.array_equal(said[0], said[1])
        assert all(each.scored_at >= fold.cut for each in fold.later)


def test_the_youngest_are_left_out_where_clean_takes_its_time():
    script = slow_team(300)
    found = examples_at(script, START + 299 * DAY)
    cut = now(found)
    assert settled(found, cut) == pytest.approx(cut - WAITING, abs=1)
    # of those left out only failures are known
    young = [each for each in found if each.scored_at > cut - WAITING]
    assert {each.failed for each in young} == {True, None}
    assert max(each.scored_at for each, _ in usable(found, cut)) <= cut - WAITING


def test_every_deployment_is_judged_at_most_once():
    found = examples_at(slow_team(400), START + 700 * DAY)
    later = [id(each) for fold in folds(found) for each in fold.later]
    assert len(later) == len(set(later))
    assert len(later) > 100


def test_without_examples_there_are_no_folds_and_no_comparison():
    assert list(folds([])) == []
    with pytest.raises(TooFew, match="0 failures and 0 clean"):
        compare(together([]))


# --------------------------------------------------------------------------------------------------- the command


def test_too_little_data_is_said_with_numbers(summaries, capsys):
    assert retrain() == 1
    assert "of 0 scored deployments 0 failed and 0 are clean; 10 and 30 are needed" in capsys.readouterr().err
    History(summaries).deploy(70)
    assert retrain("--label", "intervention") == 1
    assert "too little is known of intervention: of 70 scored deployments 0 failed" in capsys.readouterr().err
    assert retrain() == 1
    assert "too little was known at" in capsys.readouterr().err
    assert retrain("--scope", "nobody") == 1
    assert "of the scope 'nobody'" in capsys.readouterr().err
    assert summaries.risk_models() == []


def test_models_are_trained_judged_and_kept(summaries, capsys):
    History(summaries).deploy(300)
    assert retrain_deployment_risk_model.main(["--dry-run"]) == 0
    assert summaries.risk_models() == []
    assert retrain_deployment_risk_model.main([]) == 0
    said = capsys.readouterr().err
    assert "kept as random_forest-defect-1 (shadow)" in said
    forest, boosting = sorted(summaries.risk_models(), key=lambda row: row.kind, reverse=True)
    assert (forest.name, boosting.name) == (NAME, "hist_gradient_boosting-defect-1")
    assert (forest.label, forest.scope, forest.status) == ("defect", "", "shadow")
    assert 280 < forest.deployments <= 300
    assert forest.first_at == START
    assert forest.last_at == START + (forest.deployments - 1) * EVERY
    body = summaries.risk_model_file(NAME)
    model = files.load("random_forest", body, forest.digest)
    assert model.kind == "random_forest"
    measured = registry.validation_of(forest)
    assert measured.roc_auc > measured.online_roc_auc
    assert measured.deployments > 150
    # the next one takes the place of the shadow, and a candidate does not
    assert retrain("--candidate") == 0
    assert {row.name: row.status for row in summaries.risk_models()}[NAME] == "shadow"
    assert retrain() == 0
    assert {row.name: row.status for row in summaries.risk_models() if row.kind == "random_forest"} == {
        NAME: "retired",
        "random_forest-defect-2": "candidate",
        "random_forest-defect-3": "shadow",
    }


@pytest.fixture
def proven(summaries):
    """A shadow that has scored 150 later deployments whose outcomes are known."""
    past = History(summaries)
    past.deploy(400)
    assert retrain() == 0
    past.deploy(150)
    shadow(summaries)
    return past


def act(*arguments):
    return risk_models.main([*arguments])


def test_what_the_online_model_of_a_team_looks_at_can_be_asked(summaries, capsys):
    assert act("looks-at", SCOPE) == 1
    assert f"no outcome was learned yet of a team {SCOPE!r}" in capsys.readouterr().err
    History(summaries).deploy(40)
    assert act("looks-at", SCOPE, "--json") == 0
    found = json.loads(capsys.readouterr().out)["defect"]
    assert "la" in [each["feature"] for each in found][:5]
    assert act("looks-at", SCOPE) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"what the defect model of {SCOPE} looks at most")
    assert "lines added" in said


def test_a_model_that_proved_better_is_promoted_shown_and_taken_back(summaries, proven, capsys):
    capsys.readouterr()
    assert act("promote", NAME) == 0
    assert "is promoted: ROC-AUC" in capsys.readouterr().out
    assert act("promote", NAME) == 1
    assert "only a model that scores in the shadow" in capsys.readouterr().err
    assert vigia(["deployments", "--json", "--limit", "2"]) == 0
    newest = json.loads(capsys.readouterr().out)[0]
    assert newest["retrained"]["model"] == NAME
    assert newest["retrained"]["probability"] != newest["risk"]
    assert vigia(["deployments", "--limit", "2"]) == 0
    assert "retrained" in capsys.readouterr().out
    assert act("show", NAME) == 0
    shown = capsys.readouterr().out
    assert "promoted by" in shown
    assert "validation  ROC-AUC" in shown
    assert act("list") == 0
    assert NAME in capsys.readouterr().out
    assert act("retire", NAME, "--because", "x") == 1
    assert "`roll-back` takes it back" in capsys.readouterr().err
    assert act("roll-back", NAME, "--because", "odd scores") == 0
    assert "none is promoted now" in capsys.readouterr().out
    assert vigia(["deployments", "--json", "--limit", "1"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["retrained"] is None
    assert summaries.risk_model_changes()[-1].because == "odd scores"


def test_a_roll_back_brings_the_one_before_back(summaries, proven):
    assert act("promote", NAME) == 0
    # a second one, of the same scores
    assert retrain() == 0
    second = "random_forest-defect-2"
    assert {row.name: row.status for row in summaries.risk_models()} == {NAME: "promoted", second: "shadow"}
    proven.deploy(150)
    shadow(summaries)
    assert act("promote", second) == 0
    assert {row.name: row.status for row in summaries.risk_models()} == {NAME: "shadow", second: "promoted"}
    assert act("roll-back", second, "--because", "slow") == 0
    assert {row.name: row.status for row in summaries.risk_models()} == {NAME: "promoted", second: "retired"}
    assert act("roll-back", second, "--because", "again") == 1


def test_a_model_that_proved_nothing_is_not_promoted(summaries, proven, capsys):
    # it says what the online model had said
    scores = [each._replace(probability=each.online) for each in summaries.shadow_scores(NAME)]
    summaries.write_shadow_scores(NAME, scores)
    assert act("promote", NAME) == 1
    assert "the interval does not lie above zero: ROC-AUC" in capsys.readouterr().err
    # nor one that is worse
    summaries.write_shadow_scores(NAME, [each._replace(probability=1.0 - each.online) for each in scores])
    assert act("promote", NAME) == 1
    assert [each.status for each in summaries.risk_models()] == ["shadow"]


def test_only_later_deployments_count_for_a_promotion(summaries, proven, capsys):
    (row,) = summaries.risk_models()
    judged = registry.shadowed(summaries, row, WAITING_TIMES)
    assert 140 <= len(judged.failed) <= 150
    later = msgspec.structs.replace(row, last_at=START + 1_000 * EVERY)
    assert len(registry.shadowed(summaries, later, WAITING_TIMES).failed) == 0
    assert act("promote", "random_forest-defect-9") == 1
    assert "there is no risk model" in capsys.readouterr().err


def test_a_shadow_without_later_deployments_is_not_promoted(summaries, capsys):
    History(summaries).deploy(300)
    assert retrain() == 0
    assert act("promote", NAME) == 1
    assert "0 failures and 0 clean deployments are known among later deployments" in capsys.readouterr().err
    assert act("show", NAME) == 0
    assert act("show", NAME, "--json") == 0
    assert act("retire", NAME, "--because", "of no use") == 0
    assert act("retire", NAME, "--because", "of no use") == 1
    assert act("shadow", NAME, "--because", "once more") == 0
    assert [row.status for row in summaries.risk_models()] == ["shadow"]


def test_a_database_without_a_lane_says_so(summaries, capsys):
    summaries.acquire(LANE, "w", "c", 1)
    assert act("list") == 0
    assert "no risk model is kept" in capsys.readouterr().out
    assert act("list", "--json") == 0


def test_what_was_promoted_before_is_found_in_the_order_of_promotions():
    def change(name, status):
        return RiskModelChange(name=name, number=1, status=status, at=0.0, by="", because="")

    told = [change(*each.split()) for each in ("a shadow", "a promoted", "a shadow", "b promoted", "c promoted")]
    assert registry.once_promoted(told) == ["a", "b", "c"]
    assert registry.once_promoted([*told, change("b", "retired"), change("a", "promoted")]) == ["c", "a"]


def test_a_comparison_is_over_the_same_deployments():
    random = np.random.default_rng(2)
    failed = random.random(400) < 0.3
    ours, online = failed * 0.4 + random.random(400) * 0.5, failed * 0.1 + random.random(400) * 0.5
    found = compare(Judged(failed, ours, online))
    assert found.better
    assert not compare(Judged(failed, online, ours)).better
    assert (found.deployments, found.failures) == (400, int(failed.sum()))
    assert found.difference == pytest.approx(found.roc_auc - found.online_roc_auc)
