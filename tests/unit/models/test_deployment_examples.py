"""What training reads of a deployment: as it was scored, and never an answer from later than is asked for."""

import pytest

from tests.unit.models.laws import Lane, Sent, Tick
from vigia.events.deployments import ChangeFeatures, Deployment
from vigia.events.feedback import Outcome
from vigia.models.deployments import DeploymentsModel
from vigia.models.deployments.examples import NEVER, example
from vigia.models.deployments.states import SCHEMA, DeploymentState, load
from vigia.models.deployments.young import TOLD_BY_SILENCE

DAY = 86_400.0
NOON = 1_700_000_000.0
WAITING = dict.fromkeys(TOLD_BY_SILENCE, 90 * DAY)


def deployed(name, at):
    features = ChangeFeatures(la=12.0)
    return Deployment(
        source="ci", external_id=name, service="shop", scope="team", stage="planned", at=at, features=features
    )


def told(name, at, *, failed, label="defect"):
    return Outcome(
        source="ci", external_id=name, service="shop", scope="team", at=at, failed=failed, label=label, by="ada"
    )


@pytest.fixture
def lane():
    return Lane(DeploymentsModel(waiting_times=WAITING), reload=True)


def examples(lane, label="defect"):
    """By external id."""
    found = {}
    for key, body in lane.dumped().items():
        state = load(key, SCHEMA, body)
        if isinstance(state, DeploymentState):
            found[state.external_id] = example(state, label, WAITING)
    return found


def run(lane, *events):
    lane.run([Sent(event, event.at) for event in events])


def test_an_answer_is_seen_from_when_it_was_told(lane):
    run(lane, deployed("a", NOON), deployed("b", NOON + 1), told("a", NOON + 5 * DAY, failed=True))
    found = examples(lane)
    assert found["a"].known(NOON + 5 * DAY - 1) is None
    assert found["a"].known(NOON + 5 * DAY) is True
    assert found["b"].failed is None
    assert found["b"].known(NOON + 500 * DAY) is None


def test_a_failure_that_was_found_late_was_clean_until_then(lane):
    run(
        lane,
        deployed("a", NOON),
        told("a", NOON + 90 * DAY, failed=False),
        told("a", NOON + 120 * DAY, failed=True),
    )
    found = examples(lane)["a"]
    assert [found.known(NOON + days * DAY) for days in (89, 90, 119, 120)] == [None, False, False, True]


def test_a_failure_stands_whatever_is_said_after_it(lane):
    run(lane, deployed("a", NOON), told("a", NOON + DAY, failed=True), told("a", NOON + 2 * DAY, failed=False))
    found = examples(lane)["a"]
    assert found.failed is True
    # since when it was known is not kept any more: later is safe
    assert found.known(NOON + DAY) is None
    assert found.known(NOON + 2 * DAY) is True


def test_silence_is_known_after_the_waiting_time(lane):
    run(lane, deployed("a", NOON), deployed("b", NOON + 1), told("b", NOON + DAY, failed=True))
    lane.run([Tick(NOON + 91 * DAY)])
    found = examples(lane)["a"]
    assert found.failed is False
    assert found.known(NOON + 90 * DAY - 1) is None
    assert found.known(NOON + 90 * DAY) is False


def test_features_and_score_are_those_of_the_online_score(lane):
    first = deployed("a", NOON)
    run(lane, first, told("a", NOON + DAY, failed=True), deployed("b", NOON + 2 * DAY))
    found = examples(lane)
    assert found["a"].scored_at == NOON
    assert found["a"].values[5] == 12.0
    # the failure of the first is in the second's past, not in its own
    assert found["a"].values != found["b"].values
    assert found["b"].online == pytest.approx(0.0, abs=1.0)
    assert 0.0 < found["b"].online < 1.0


def test_a_kind_that_silence_says_nothing_of_is_never_clean_by_it(lane):
    run(lane, deployed("a", NOON), told("a", NOON + DAY, failed=True, label="ci_status"))
    assert examples(lane, "ci_status")["a"].clean_at == NEVER


def test_an_outcome_without_its_deployment_is_no_example(lane):
    run(lane, told("a", NOON, failed=True))
    assert examples(lane) == {"a": None}
