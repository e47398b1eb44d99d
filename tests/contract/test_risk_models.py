"""The registry of retrained models on every summaries' database: kept whole, changed all or nothing, scored once."""

from datetime import UTC, datetime

import msgspec
import pytest

from tests.contract.summaries_rows import NOON, commit, deployment, take
from vigia.stores.risk_models import AT_WORK, RiskModelRow, ShadowScore, Turn
from vigia.stores.sql import risk_models
from vigia.stores.sql.summaries import open_summaries

BODY = bytes(range(256)) * 400


def model(name="random_forest-defect-1", **changes):
    row = RiskModelRow(
        name=name,
        kind="random_forest",
        label="defect",
        scope="",
        created_at=0.0,
        first_at=NOON - 1_000,
        last_at=NOON,
        deployments=200,
        failures=40,
        code_version="0.1.0+abc",
        metrics='{"roc_auc": 0.7}',
        digest="d" * 64,
        types="builtins.dict",
        status="candidate",
    )
    return msgspec.structs.replace(row, **changes)


def score(of, probability, online, scored_at):
    return ShadowScore(of[0], of[1], probability, online, scored_at)


def test_a_model_comes_back_as_it_was_kept_with_the_stores_time(summaries):
    assert summaries.add_risk_model(model(), BODY, "ada", "the first")
    (row,) = summaries.risk_models()
    assert abs(row.created_at - datetime.now(UTC).timestamp()) < 60
    assert msgspec.structs.replace(row, created_at=0.0) == model()
    assert summaries.risk_model_file(row.name) == BODY
    assert summaries.risk_model_file("other") is None
    (change,) = summaries.risk_model_changes()
    assert (change.number, change.name, change.status, change.by, change.because) == (
        1,
        row.name,
        "candidate",
        "ada",
        "the first",
    )


def test_a_name_is_given_once(summaries):
    assert summaries.add_risk_model(model(), BODY, "ada", "")
    assert not summaries.add_risk_model(model(status="shadow"), b"other", "eve", "")
    assert summaries.risk_model_file(model().name) == BODY
    assert [row.status for row in summaries.risk_models()] == ["candidate"]
    assert len(summaries.risk_model_changes()) == 1


def test_statuses_change_together_or_not_at_all(summaries):
    for number in (1, 2):
        summaries.add_risk_model(model(f"m{number}", status="shadow"), BODY, "ada", "")
    assert summaries.risk_models(AT_WORK) == summaries.risk_models()
    stale = [Turn("m1", "shadow", "promoted"), Turn("m2", "candidate", "retired")]
    assert not summaries.turn_risk_models(stale, "ada", "")
    assert not summaries.turn_risk_models([Turn("none", "shadow", "promoted")], "ada", "")
    assert [row.status for row in summaries.risk_models()] == ["shadow", "shadow"]
    assert summaries.turn_risk_models([Turn("m1", "shadow", "promoted"), Turn("m2", "shadow", "retired")], "bob", "so")
    assert {row.name: row.status for row in summaries.risk_models()} == {"m1": "promoted", "m2": "retired"}
    assert [row.name for row in summaries.risk_models(AT_WORK)] == ["m1"]
    assert [(each.name, each.number, each.by) for each in summaries.risk_model_changes()[2:]] == [
        ("m1", 2, "bob"),
        ("m2", 2, "bob"),
    ]


@pytest.fixture
def deployed(summaries):
    """Six deployments, of which the last four are later than all that the model was trained with."""
    rows = [
        deployment(str(number), planned_at=NOON - 1 + number, scope="even" if number % 2 == 0 else "odd")
        for number in range(6)
    ]
    commit(summaries, take(summaries), summaries=rows)
    return [(row.deployment_id, row.scope) for row in rows]


def test_the_newest_deployments_that_were_not_scored_come_first(summaries, deployed):
    assert summaries.unscored(model(), 100, 100) == deployed[:1:-1]
    assert summaries.unscored(model(), 100, 2) == [deployed[5], deployed[4]]
    summaries.write_shadow_scores(model().name, [score(deployed[5], 0.25, 0.5, NOON)])
    assert summaries.unscored(model(), 100, 2) == [deployed[4], deployed[3]]
    # looked at are only the newest, scored or not
    assert summaries.unscored(model(), 2, 100) == [deployed[4]]
    assert summaries.unscored(model("other"), 100, 1) == [deployed[5]]
    assert summaries.unscored(model(scope="odd"), 100, 100) == [deployed[3]]


def test_a_score_is_kept_once_and_read_back_in_pieces(summaries, deployed, monkeypatch):
    monkeypatch.setattr(risk_models, "SCORES_AT_ONCE", 2)
    scores = [score(each, 0.1 * number, None if number else 0.5, NOON) for number, each in enumerate(deployed)]
    summaries.write_shadow_scores("m", scores)
    summaries.write_shadow_scores("m", [scores[0]._replace(probability=0.75)])
    summaries.write_shadow_scores("n", scores[:1])
    summaries.write_shadow_scores("m", [])
    expected = sorted([scores[0]._replace(probability=0.75), *scores[1:]])
    assert list(summaries.shadow_scores("m")) == expected
    assert list(summaries.shadow_scores("nobody")) == []


def test_a_swap_takes_all_of_it_over_even_after_an_interrupted_one(summaries, deployed, tmp_path, monkeypatch):
    monkeypatch.setattr(risk_models, "SCORES_AT_ONCE", 2)
    summaries.add_risk_model(model("m1"), BODY, "ada", "")
    summaries.add_risk_model(model("m2"), b"two", "ada", "")
    summaries.turn_risk_models([Turn("m2", "candidate", "shadow")], "ada", "")
    summaries.write_shadow_scores("m2", [score(each, 0.1, 0.2, NOON) for each in deployed])
    rebuilt = open_summaries(f"sqlite:///{tmp_path}/rebuilt.db")
    rebuilt.migrate()
    try:
        for _ in range(2):
            risk_models.take_over(summaries._database, rebuilt._database)
        assert rebuilt.risk_models() == summaries.risk_models()
        assert rebuilt.risk_model_changes() == summaries.risk_model_changes()
        assert [rebuilt.risk_model_file(name) for name in ("m1", "m2")] == [BODY, b"two"]
        assert list(rebuilt.shadow_scores("m2")) == list(summaries.shadow_scores("m2"))
    finally:
        rebuilt.close()
