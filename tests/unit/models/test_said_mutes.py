"""Mutes by event, as they are kept: order, repeats, limits, and when they end."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigia.events.invalid import InvalidEvent, Reason
from vigia.events.mutes import Muted, MuteLifted
from vigia.events.samples import Series
from vigia.models.detectors.said import DAY, KEPT, MOST, SaidMute, SaidMutes, pruned, take

NOW = 1_700_000_000.0
LONGEST = 14 * DAY
DETECTORS = {"high_error_rate", "memory_leak"}
SERIES = Series("id", "shop", "production", "error_rate", (("zone", "a"),), "gauge", "1")


def mute(name="m1", begin=0.0, end=3_600.0, **fields):
    said = {"at": NOW, "by": "maria", "reason": "the database is moved", **fields}
    return Muted(mute_id=name, service="shop", since=NOW + begin, until=NOW + end, **said)


def lift(name="m1", after=600.0, by="maria"):
    return MuteLifted(mute_id=name, service="shop", at=NOW + after, by=by, reason="done")


def taken(*events, time=NOW):
    mutes: SaidMutes = {}
    for event in events:
        take(event, time, mutes, LONGEST, DETECTORS)
    return mutes


def holds(mutes, after, detector="high_error_rate", clock=NOW):
    return any(each.holds(SERIES, detector, NOW + after, clock) for each in mutes.values())


def refused(*events, time=NOW):
    with pytest.raises(InvalidEvent) as told:
        taken(*events, time=time)
    return told.value.reason


def test_it_holds_from_its_beginning_to_before_its_end():
    mutes = taken(mute())
    assert [holds(mutes, after) for after in (-1, 0, 3_599, 3_600)] == [False, True, True, False]


def test_a_lift_ends_it_whichever_comes_first():
    for mutes in (taken(mute(), lift()), taken(lift(), mute())):
        assert [holds(mutes, after) for after in (0, 599, 600)] == [True, True, False]


def test_a_lift_before_the_beginning_lets_it_never_begin():
    assert not any(holds(taken(mute(begin=60), lift(after=30)), after) for after in (30, 60, 600))


@given(st.permutations([mute(), mute(), lift(after=900), lift(after=600, by="jo"), lift(after=900)]))
def test_order_and_repeats_do_not_matter(events):
    mutes = taken(*events)
    assert [holds(mutes, after) for after in (0, 599, 600, 899)] == [True, True, False, False]
    assert len(mutes) == 1


def test_an_id_keeps_its_first_content():
    assert refused(mute(), mute(end=7_200.0)) is Reason.CONFLICTING_ID


@pytest.mark.parametrize(
    ("fields", "is_muted"),
    [
        ({"environment": "staging"}, False),
        ({"environment": "prod*"}, True),
        ({"metric": "error_*"}, True),
        ({"metric": "latency"}, False),
        ({"labels": {"zone": "?"}}, True),
        ({"labels": {"zone": "b"}}, False),
        ({"labels": {"host": "*"}}, False),
        ({"detectors": ("memory_leak",)}, False),
        ({"detectors": ("high_error_rate",)}, True),
    ],
)
def test_it_is_about_what_it_names(fields, is_muted):
    assert holds(taken(mute(**fields)), 0) is is_muted


def test_what_is_too_long_or_too_far_ahead_or_long_over_or_of_no_detector_is_refused():
    assert holds(taken(mute(end=LONGEST)), 0)
    assert refused(mute(end=LONGEST + 1)) is Reason.BAD_VALUE
    assert refused(mute(begin=91 * DAY, end=92 * DAY)) is Reason.BAD_VALUE
    assert refused(mute(), time=NOW + 3_600 + KEPT) is Reason.TOO_OLD
    assert refused(mute(detectors=("no_such",))) is Reason.BAD_VALUE


def test_what_no_mute_by_event_reaches_is_refused_with_where_it_can_be_muted():
    with pytest.raises(InvalidEvent, match="mute it in config/detectors"):
        taken(mute(detectors=("shared_dependency",)))


def test_beyond_the_most_it_is_refused_until_others_are_over():
    mutes = taken(*(mute(f"m{number}") for number in range(MOST)))
    with pytest.raises(InvalidEvent, match="50 mutes"):
        take(mute("more"), NOW, mutes, LONGEST, DETECTORS)
    with pytest.raises(InvalidEvent, match="50 mutes"):
        take(lift("unknown"), NOW, mutes, LONGEST, DETECTORS)
    take(lift("m3"), NOW, mutes, LONGEST, DETECTORS)
    later = NOW + 3_600 + KEPT
    take(mute("more", begin=2 * DAY, end=3 * DAY), later, mutes, LONGEST, DETECTORS)
    assert set(pruned(mutes, later)) == {"more"}


def test_whether_it_was_pruned_cannot_be_seen():
    mutes = taken(mute())
    for clock in (NOW, NOW + 3_599 + KEPT, NOW + 3_600 + KEPT):
        assert holds(mutes, 10, clock=clock) is holds(pruned(mutes, clock), 10, clock=clock)
    assert pruned(mutes, NOW + 3_600 + KEPT) == {}


def test_it_comes_back_from_its_stored_form():
    mutes = taken(mute(labels={"zone": "a"}, detectors=("memory_leak",)), lift(), lift("early"))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(mutes), type=dict[str, SaidMute]) == mutes


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"by": ""}, Reason.BAD_NAME),
        ({"by": "ma\x1b[2Jria"}, Reason.BAD_NAME),
        ({"reason": "  "}, Reason.MISSING_FIELD),
        ({"reason": "x" * 1_001}, Reason.TOO_LARGE),
        ({"metric": "x" * 201}, Reason.BAD_NAME),
        ({"labels": {str(number): "*" for number in range(17)}}, Reason.TOO_LARGE),
        ({"detectors": ("high_error_rate",) * 21}, Reason.TOO_LARGE),
    ],
)
def test_hostile_text_is_refused(changes, reason):
    with pytest.raises(InvalidEvent) as told:
        mute(**changes)
    assert told.value.reason is reason


def test_a_mute_that_ends_before_it_begins_is_refused():
    with pytest.raises(InvalidEvent, match="before `until`"):
        mute(begin=10.0, end=10.0)
