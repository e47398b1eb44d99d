"""Signatures: only the sender's key makes them, of this very event, and they outlive the event's way through lanes."""

import hashlib
import hmac
import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.models.guard.guarding import AT, OWN, SECRETS, guard, incident, judgement, outcome
from vigia.events.effects import Changes, States
from vigia.events.feedback import Feedback
from vigia.events.invalid import Reason
from vigia.events.signing import sign, signed_bytes
from vigia.models.guard.model import GuardedModel

UNTIL = AT + 100.0
RULES = {
    "sender": {
        **OWN,
        "shop": {
            "names": ["shop", "ci", "pager"],
            "keys": [
                {"variable": "NEW_KEY"},
                {"variable": "OLD_KEY", "until": datetime.fromtimestamp(UNTIL, UTC)},
            ],
        },
    }
}
NEW, OLD, OWN_KEY = SECRETS["NEW_KEY"], SECRETS["OLD_KEY"], SECRETS["OWN_KEY"]
DECODER = msgspec.json.Decoder(Feedback)


def why(event, at=AT):
    """Why the event is refused as it arrives, through its bytes."""
    found = guard(RULES).refusal(DECODER.decode(msgspec.json.encode(event)), at)
    return None if found is None else found[0]


def test_what_a_sender_has_signed_is_accepted():
    for event in (outcome(), incident(deployments=[("ci", "7")], title="é\n☠"), judgement(sender="shop")):
        assert why(sign(event, NEW)) is None


@pytest.mark.parametrize(
    "signature", ["", "sha256=", "sha256=" + "0" * 64, "é" * 64, "sha1=" + "0" * 40, "0" * 64, "none"]
)
def test_what_is_no_signature_is_refused(signature):
    assert why(outcome(signature=signature)) is Reason.BAD_SIGNATURE


def test_without_a_signature_it_is_said_that_there_is_none():
    assert guard(RULES).refusal(outcome(sender="shop"), AT)[1] == (
        "the sender 'shop' ([sender.shop] of feedback.toml) signs what it sends, and there is no signature"
    )


def test_another_senders_key_is_no_key_of_this_one():
    assert why(sign(outcome(), OWN_KEY)) is Reason.BAD_SIGNATURE
    assert why(sign(outcome(sender="vigia"), NEW)) is Reason.BAD_SIGNATURE
    assert why(sign(outcome(), b"")) is Reason.BAD_SIGNATURE


@pytest.mark.parametrize(
    "change",
    [
        {"external_id": "8"},
        {"source": "pager"},
        {"failed": False},
        {"label": "defect"},
        {"at": AT + 1},
        {"service": "till"},
        {"scope": "pay"},
        {"event_id": "another"},
        {"by": "eve"},
        {"reason": "because"},
        {"sender": "shop"},
    ],
    ids=str,
)
def test_a_signature_is_worth_nothing_for_anything_else(change):
    signed = sign(outcome(), NEW)
    assert why(signed) is None
    assert why(msgspec.structs.replace(signed, **change)) is Reason.BAD_SIGNATURE


def test_a_signature_of_one_kind_is_none_of_another():
    opened = sign(incident(), NEW)
    resolved = {**msgspec.to_builtins(opened), "type": "incident.resolved"}
    assert why(msgspec.convert(resolved, Feedback)) is Reason.BAD_SIGNATURE


def test_the_older_key_counts_until_its_time_by_the_records_clock():
    assert why(sign(outcome(), OLD), at=UNTIL - 0.001) is None
    assert why(sign(outcome(), OLD), at=UNTIL) is Reason.BAD_SIGNATURE
    assert why(sign(outcome(), NEW), at=UNTIL) is None


def test_a_scope_that_the_catalog_fills_in_does_not_break_the_signature():
    signed = sign(outcome(), NEW)
    assert why(msgspec.structs.replace(signed, scope="shop")) is None
    assert why(msgspec.structs.replace(signed, scope="pay")) is Reason.BAD_SIGNATURE


def test_a_scope_that_the_sender_has_said_is_part_of_what_is_signed():
    signed = sign(outcome(scope="pay"), NEW)
    assert why(signed) is None
    assert why(msgspec.structs.replace(signed, scope="shop")) is Reason.BAD_SIGNATURE
    assert why(msgspec.structs.replace(signed, scope="")) is Reason.BAD_SIGNATURE


@given(st.sampled_from([outcome(), incident(), judgement(sender="shop")]), st.data())
def test_no_single_changed_bit_of_the_record_is_accepted_as_something_else(event, data):
    signed = sign(event, NEW)
    body = bytearray(msgspec.json.encode(signed))
    body[data.draw(st.integers(0, len(body) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        changed = DECODER.decode(bytes(body))
    except (msgspec.MsgspecError, ValueError):
        return
    if guard(RULES).refusal(changed, AT) is None:
        # a field's name was hit: it is unknown now, and was its default before, or it is another sender's
        same = msgspec.structs.replace(changed, signature="") == msgspec.structs.replace(signed, signature="")
        assert same or guard(RULES).entry_of(changed).name == "[others]"


def test_a_program_of_another_kind_signs_as_the_page_says():
    page = Path("docs/feedback.md").read_text()
    program = page.partition("```python\n")[2].partition("```")[0]
    names: dict[str, Any] = {}
    exec(program, names)
    event = {
        "type": "deployment.outcome",
        "source": "ci",
        "external_id": "7",
        "service": "shop-web",
        "failed": True,
        "label": "intervention",
        "reason": "größer ☠",
        "at": AT,
        "sender": "shop",
    }
    value = names["signed"](event, NEW.decode())
    assert guard(RULES).refusal(DECODER.decode(value), AT) is None
    plain = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert plain == signed_bytes(DECODER.decode(value))
    assert hmac.new(NEW, plain, hashlib.sha256).hexdigest() in value.decode()


def test_what_vigia_says_itself_is_signed_and_what_it_passes_on_is_not():
    speaker: Any = SimpleNamespace(name="speaker", schema=1)

    def apply(events, _times, _states, changes):
        changes.emit("ai-decisions", "bot", events[0])
        changes.emit("ai-decisions", "bot", judgement(sender="vigia", by="me"))

    speaker.apply = apply

    passed_on, changes = judgement(sender="vigia"), Changes()
    GuardedModel(speaker, guard(RULES)).apply([passed_on], [AT], States({}), changes)
    events: list[Any] = [each.event for each in changes.outputs]
    first, own = events
    assert first is passed_on
    assert not passed_on.signature
    assert why(own) is None


def test_no_key_is_shown(caplog):
    caplog.set_level(logging.DEBUG)
    there = guard(RULES)
    said = [repr(there), repr(there.entry_of(outcome())), str(there.refusal(outcome(), AT)), caplog.text]
    assert not any(key.decode() in text for key in SECRETS.values() for text in said)
