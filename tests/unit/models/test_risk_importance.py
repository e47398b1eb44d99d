"""What a model looks at most, told from its weights."""

import numpy as np
import pytest

from vigia.models.risk import bayes, prior
from vigia.models.risk.encoding import COLUMNS, encode
from vigia.models.risk.importance import importance


def fresh():
    return bayes.new_state(prior.load())


def test_a_feature_that_no_weight_is_on_is_not_named_and_the_intercept_is_no_feature():
    state = fresh()
    state.mean[:] = 0.0
    state.mean[bayes.JOINT - 1] = 5.0
    assert importance(state) == []
    place = next(place for place, column in enumerate(COLUMNS) if column.name == "lead_time")
    state.mean[place + (place >= bayes.JOINT - 1)] = -0.5
    assert [(each.feature, each.log_odds) for each in importance(state)] == [("lead_time", 0.5)]


def test_it_bounds_what_a_feature_moves_when_its_columns_are_a_standard_deviation_away():
    state = fresh()
    state.slope = 1.3
    chance = np.random.default_rng(1)
    bounds = {each.feature: each.log_odds for each in importance(state)}
    for _ in range(20):
        away = chance.choice([-1.0, 1.0], len(COLUMNS)) / state.scales.factor
        said = bayes.score(state, state.scales.centre + away)
        moved = dict.fromkeys(bounds, 0.0)
        for column, push in zip(COLUMNS, said.contributions, strict=True):
            if column.feature in moved:
                moved[column.feature] += push
        assert all(abs(moved[name]) <= bounds[name] + 1e-9 for name in bounds)
    assert bounds == {each.feature: each.log_odds for each in importance(state)}


def test_what_a_team_teaches_is_looked_at_more():
    state = fresh()
    before = {each.feature: each.log_odds for each in importance(state)}
    place = next(place for place, column in enumerate(COLUMNS) if column.name == "tests_passed_pct")
    for number in range(60):
        row = encode((1.0,))
        row[place] = 1.0 if number % 2 else 0.2
        bayes.learn(state, row, 0.0, failed=number % 2 == 0)
    after = {each.feature: each.log_odds for each in importance(state)}
    assert after["tests_passed_pct"] > before.get("tests_passed_pct", 0.0) + 0.1
    assert [each.log_odds for each in importance(state)] == pytest.approx(sorted(after.values(), reverse=True))
