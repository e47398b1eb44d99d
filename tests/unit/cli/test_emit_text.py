"""Which record of `risk` is taken, and what people read of it."""

import msgspec
import pytest

from tests.support.risks import risk
from vigia.cli.emit.broker import risk_of
from vigia.cli.emit.text import lines
from vigia.events.deployments import Deployment
from vigia.events.risk import Advice, Contribution, Gate, TrackRecord


def test_only_the_risk_of_this_deployment_in_its_scope_is_taken():
    event = Deployment(source="s", external_id="e", service="till", stage="planned", at=0, scope="payments")
    other = Deployment(source="s", external_id="f", service="till", stage="planned", at=0)
    assert risk_of(msgspec.json.encode(risk(event)), event) == risk(event)
    assert risk_of(msgspec.json.encode(risk(event, scope="search")), event) is None
    assert risk_of(msgspec.json.encode(risk(other)), event) is None
    assert risk_of(msgspec.json.encode([risk(other), risk(event)]), event) == risk(event)
    for broken in (
        None,
        b"",
        event.deployment_id.encode(),
        b'{"type": "risk", "deployment_id": "' + event.deployment_id.encode(),
    ):
        assert risk_of(broken, event) is None


def test_what_people_read_says_all_of_it_in_words():
    event = Deployment(source="s", external_id="e", service="till", stage="planned", at=0, version="v7")
    said = risk(
        event,
        interval=(0.12, 0.55),
        usual=0.14,
        error_level=0.1,
        gates=[Gate(name="open_incident", reason="P1 since 14:02")],
        contributions=[
            Contribution(feature="la", log_odds=0.8, value=412, words="412 lines added: many"),
            Contribution(feature="exp", log_odds=-0.3),
        ],
        advice=[Advice(feature="la", words="Split the change.", probability=0.2)],
        track_record=TrackRecord(judged=120, right=0.81, base_rate=0.12),
    )
    assert "\n".join(lines(event, said, ("lt not known: it takes too long",), "abc" * 10)) == SHOWN
    plain = lines(event, said, ())
    assert [
        each.replace("\x1b[1;31m", "").replace("\x1b[0m", "") for each in lines(event, said, (), colours=True)
    ] == plain
    assert lines(event, said, (), colours=True) != plain


@pytest.mark.parametrize(
    ("decision", "says"),
    [
        (("ok",), "of deployments that fail, about 10 % are told OK"),
        (("fail",), "of deployments that go well, about 10 % are told FAIL"),
        (("ok", "fail"), "neither answer can be excluded"),
        ((), "neither answer can be excluded"),
    ],
)
def test_what_a_decision_may_be_wrong_in_is_said_of_each_class(decision, says):
    event = Deployment(source="s", external_id="e", service="till", stage="planned", at=0)
    told = lines(event, risk(event, decision=decision, error_level=0.1), ())
    assert told[3].strip() == says


SHOWN = """\
till to production: v7

  decision     STOP: a rule of the policy says no, whatever the score
               neither answer can be excluded
  gate         open_incident: P1 since 14:02
  risk         31 % (90 % interval 12 % to 55 %); usual here: 14 %
               0 |......=========#============......................| 100 %
               that it needs intervention in production; model m1 of payments has learned from 412
               outcomes
  so far       right on 81 % of 120 of till; 12 % failed
  why          + 412 lines added: many (+0.80)
               - exp: not known (-0.30)
  what helps   Split the change. (20 % then)
  not known    lt not known: it takes too long"""


def test_what_came_from_outside_cannot_steer_the_terminal():
    event = Deployment(source="s", external_id="e", service="till", stage="planned", at=0)
    words = Contribution(feature="la", log_odds=1, words="\x1b[2J\rgone\n::set-output")
    assert not any(
        character < " " for line in lines(event, risk(event, contributions=[words]), ()) for character in line
    )
