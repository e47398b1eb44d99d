"""Rules for senders in the very step of the workers, on SQLite stores: limits are rebuilt equal, repeats count once, a
forged event hides no true one, and refusals stop no lane.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from tests.unit.scripts.rebuild_running import compared, lived, rebuilt
from tests.unit.scripts.rebuild_world import START, World, settings_in
from vigia.events.base import Event
from vigia.events.deployments import Deployment
from vigia.events.feedback import DecisionFeedback, Judgement, Outcome
from vigia.events.signing import sign
from vigia.settings import Settings
from vigia.streaming.intake import encoded

KEY, OWN_KEY = b"a key of the CI's own", b"a key of the workers'"
SIGNED = """
[others]
kinds = ["incident"]
a_day = 2

[sender.ci]
kinds = ["outcome", "judgement"]
a_day = 5
keys = [{ variable = "VIGIA_KEY_CI" }]

[sender.vigia]
keys = [{ variable = "VIGIA_KEY_OWN" }]
"""
CLAIMED = """
[others]
kinds = ["incident", "judgement"]
a_day = 4

[sender.ci]
kinds = ["outcome"]
services = ["checkout", "payments-*"]
a_day = 3
"""


def guarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rules: str, **more: str) -> Settings:
    monkeypatch.setenv("VIGIA_KEY_CI", KEY.decode())
    monkeypatch.setenv("VIGIA_KEY_OWN", OWN_KEY.decode())
    (tmp_path / "feedback.toml").write_text(rules)
    return settings_in(tmp_path, VIGIA_FEEDBACK=str(tmp_path / "feedback.toml"), **more)


def outcome(number: int, **more: object) -> Outcome:
    said = {"source": "ci", "external_id": str(number), "scope": "payments", "service": "checkout", "at": START}
    return msgspec.convert({"type": "deployment.outcome", "failed": True, "label": "defect", **said, **more}, Outcome)


def applied(settings: Settings, *batches: tuple[str, str, Sequence[Event]]) -> tuple[dict[str, int], list[str]]:
    """Apply records one batch after the other; return what the lanes counted, and why letters were written."""
    world = World(settings)
    # the world releases a lane that has stopped, as a person would
    setattr(world.stores.summaries, "release", lambda lane: pytest.fail(f"lane {lane} was stopped"))  # noqa: B010
    for topic, key, events in batches:
        for event in events:
            world.append(topic, encoded(event), key=key.encode())
        asyncio.run(world.drain())
    counts: dict[str, int] = {}
    for row in world.stores.summaries.lanes():
        assert not row.stopped
        for name, value in row.counts.items():
            counts[name] = counts.get(name, 0) + value
    letters = [letter.reason for letter in world.stores.summaries.dead_letters("open", limit=1000)]
    world.close()
    return counts, letters


@pytest.mark.parametrize("seed", range(2))
def test_random_events_of_senders_with_limits_are_rebuilt_equal(tmp_path, monkeypatch, seed):
    settings = guarded(tmp_path, monkeypatch, CLAIMED)
    lived(settings, seed, 300)
    rebuilt(settings)
    report = compared(settings)
    assert report.equal, report.differences
    assert report.rows["sender_surpluses"] > 0
    assert report.rows["dead_letters"] > 10


def test_contradictions_are_rebuilt_equal(tmp_path, monkeypatch):
    settings = guarded(tmp_path, monkeypatch, "")
    said = [outcome(n % 4, failed=n % 3 == 0, at=START + n, sender=f"s{n % 2}") for n in range(20)]
    words: tuple[Judgement, ...] = ("correct", "partly", "partly", "incorrect")
    judged = [
        DecisionFeedback(agent="bot", decision_id="1", judgement=word, judge="person", at=START + n, by="ada")
        for n, word in enumerate(words)
    ]
    applied(settings, ("feedback", "payments", said[:10]), ("ai-decisions", "bot", judged))
    applied(settings, ("feedback", "payments", said[10:]))
    rebuilt(settings)
    report = compared(settings)
    assert report.equal, report.differences
    expected = sum(said[n].failed != said[n - 4].failed for n in range(4, 20)) + 2
    assert report.rows["contradictions"] == expected


def test_a_repeat_counts_once_towards_the_limit(tmp_path, monkeypatch):
    settings = guarded(tmp_path, monkeypatch, SIGNED)
    said = [sign(outcome(n), KEY) for n in range(5)]
    counts, letters = applied(settings, ("feedback", "payments", said * 3), ("feedback", "payments", said))
    assert letters == []
    assert (counts["feedback.applied"], counts["feedback.duplicate"]) == (5, 15)


def test_the_surplus_is_refused_and_the_others_go_on(tmp_path, monkeypatch):
    settings = guarded(tmp_path, monkeypatch, CLAIMED)
    said = [outcome(n) for n in range(10)]
    judged = [
        DecisionFeedback(agent="bot", decision_id=str(n), judgement="correct", judge="person", at=START)
        for n in range(3)
    ]
    counts, letters = applied(settings, ("feedback", "payments", said), ("ai-decisions", "bot", judged))
    assert letters == ["over_limit"] * 7
    assert (counts["feedback.applied"], counts["ai-decisions.applied"]) == (3, 3)


def test_a_forged_event_in_front_of_a_true_one_hides_nothing(tmp_path, monkeypatch):
    settings = guarded(tmp_path, monkeypatch, SIGNED)
    true = sign(outcome(1, event_id="one"), KEY)
    forged = [msgspec.structs.replace(true, failed=False), msgspec.structs.replace(true, signature="sha256=00")]
    counts, letters = applied(settings, ("feedback", "payments", [*forged, true, *forged]))
    assert letters == ["bad_signature"] * 4
    assert (counts["feedback.applied"], counts["feedback.duplicate"]) == (1, 0)


def test_an_event_that_is_signed_anew_with_another_key_is_the_same_event(tmp_path, monkeypatch):
    rules = SIGNED.replace(
        'keys = [{ variable = "VIGIA_KEY_CI" }]', 'keys = [{ variable = "VIGIA_KEY_CI" }, { variable = "NEXT" }]'
    )
    monkeypatch.setenv("NEXT", "the next key of the CI")
    settings = guarded(tmp_path, monkeypatch, rules)
    said = outcome(1, event_id="one")
    both = [sign(said, KEY), sign(said, b"the next key of the CI")]
    counts, letters = applied(settings, ("feedback", "payments", both))
    assert letters == []
    assert counts["feedback.duplicate"] == 1


def test_refusals_for_who_sent_it_stop_no_lane(tmp_path, monkeypatch):
    settings = guarded(tmp_path, monkeypatch, SIGNED, VIGIA_STREAM_INVALID_RUN="5", VIGIA_STREAM_INVALID_MINIMUM="10")
    forged = [outcome(n, sender=sender) for n in range(20) for sender in ("", "nobody")]
    surplus = [sign(outcome(n), KEY) for n in range(30)]
    counts, letters = applied(settings, ("feedback", "payments", [*forged, *surplus]))
    assert sorted(set(letters)) == ["bad_signature", "not_allowed", "over_limit"]
    assert counts["feedback.invalid"] == len(letters) == 40 + 25


def test_a_signed_event_reaches_its_lane_by_way_of_another_and_vigias_own_words_are_signed(tmp_path, monkeypatch):
    settings = guarded(tmp_path, monkeypatch, SIGNED)
    planned = Deployment(source="ci", external_id="1", service="checkout", scope="payments", stage="planned", at=START)
    moved = sign(outcome(1, scope="", service="nobody-knows", label="intervention"), KEY)
    said = [sign(outcome(1, label=label), KEY) for label in ("intervention", "defect")]
    judged = DecisionFeedback(agent="bot", decision_id="1", judgement="correct", judge="person", at=START, sender="ci")
    counts, letters = applied(
        settings,
        ("deployments", "payments", [planned]),
        ("feedback", "elsewhere", [moved]),
        ("feedback", "payments", [*said, msgspec.structs.replace(sign(judged, KEY), scope="unassigned")]),
    )
    assert letters == []
    assert counts["feedback.moved"] == 2
    # the score's decision, what an outcome says of it, and the judgement on the bot
    assert counts["ai-decisions.applied"] == 3
