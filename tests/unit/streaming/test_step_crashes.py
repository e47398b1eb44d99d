"""Whatever moment a process dies at, the next one leaves stores and outputs as if nothing had happened."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fakes.clock import run
from tests.support.fakes.notes import Note, encode
from tests.support.fakes.process import Mishap
from tests.support.fakes.world import World
from tests.unit.streaming.histories import RIGHT, WRONG, Cutter, Sending, arrive, sendings, sizes
from tests.unit.streaming.playing import left_by, play, played
from vigia.streaming.crash_points import Point

STEP_POINTS = [point for point in Point if point is not Point.ACKNOWLEDGED]
CALLS = ["append", "load", "due", "rows", "commit", "publish", "delete_outbox", "next_due", "outbox"]
CRASHES = [Mishap.CRASH_BEFORE, Mishap.CRASH_AFTER]
SURVIVED = [Mishap.REFUSED, Mishap.UNANSWERED]


def note(service: str, **fields: Any) -> bytes:
    return encode(Note(service=service, **fields))


FULL = [
    Sending("notes", note(RIGHT[0], do="emit", event_id="a"), RIGHT[0].encode()),
    Sending("notes", note(RIGHT[1], do="wake twice", wait=5.0), RIGHT[1].encode(), pause=0.5),
    Sending("more", note(RIGHT[0], do="correct", event_id="b"), RIGHT[0].encode()),
    Sending("notes", note(WRONG[0], do="emit"), WRONG[0].encode()),
    Sending("notes", b"{", None),
    Sending("notes", note(RIGHT[0], do="emit", event_id="a"), RIGHT[0].encode(), pause=10.0),
    Sending("more", note(RIGHT[2], do="write"), RIGHT[2].encode(), pause=90.0),
    Sending("more", note(RIGHT[2], do="correct"), RIGHT[2].encode()),
]
"""A history in which every call of a step is made, and every point reached, more than once."""

FULL_SIZES = [2, 1]


def everywhere() -> Iterator[dict[str, Any]]:
    """Every crash point, and every call, each time it is reached in FULL."""
    quiet = World()
    arrive(quiet, FULL)
    process = quiet.process()
    run(play(quiet, process, Cutter(quiet, FULL_SIZES).batches()))
    for point, times in process.points.items():
        yield from ({"crash_at": (point, number)} for number in range(times))
    for call, times in process.calls.items():
        yield from ({"mishaps": {(call, number): kind}} for number in range(times) for kind in (*CRASHES, *SURVIVED))


def test_the_full_history_reaches_every_point_and_makes_every_call():
    found = list(everywhere())
    assert {mishap["crash_at"][0] for mishap in found if "crash_at" in mishap} == set(STEP_POINTS)
    assert {call for mishap in found for call, _ in mishap.get("mishaps", ())} == set(CALLS)


@pytest.mark.parametrize("lands", [False, True], ids=["requests die", "requests land"])
def test_a_crash_at_any_point_or_call_changes_nothing(lands):
    undisturbed = left_by(played(FULL, FULL_SIZES))
    for mishap in everywhere():
        assert left_by(played(FULL, FULL_SIZES, {**mishap, "lands_after_death": lands})) == undisturbed, mishap


crashes = st.one_of(
    st.builds(lambda point, number: {"crash_at": (point, number)}, st.sampled_from(STEP_POINTS), st.integers(0, 5)),
    st.builds(
        lambda calls, kind: {"mishaps": dict.fromkeys(calls, kind)},
        st.lists(st.tuples(st.sampled_from(CALLS), st.integers(0, 5)), max_size=3),
        st.sampled_from([*CRASHES, *SURVIVED]),
    ),
)


@settings(max_examples=150)
@given(
    history=sendings(),
    cuts=sizes,
    mishaps=st.lists(crashes, min_size=1, max_size=3),
    lands=st.booleans(),
    packed=st.booleans(),
)
def test_any_history_with_any_crashes_equals_the_history_without(history, cuts, mishaps, lands, packed):
    undisturbed = left_by(played(history, cuts))
    disturbed = played(history, cuts, *({**mishap, "lands_after_death": lands} for mishap in mishaps))
    assert left_by(disturbed) == undisturbed
