"""Mutes by event, as they are kept: order, repeats, limits, and when they end."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigia.events.invalid import InvalidEvent, Reason
from vigia.events.mutes import Muted, MuteLifted
from vigia.events.samples import Series
from vigia.models.detectors.said import DAY, KEPT, MOST, MOST_OVER, WAITED, SaidMute, SaidMutes, prune_at, pruned, take

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
    # as long as it has not begun it counts: its lift is what makes room
    take(lift("m3", after=0.0), NOW, mutes, LONGEST, DETECTORS)
    take(mute("more"), NOW, mutes, LONGEST, DETECTORS)
    with pytest.raises(InvalidEvent, match="50 mutes"):
        take(mute("again"), NOW, mutes, LONGEST, DETECTORS)
    take(mute("later", begin=2 * DAY, end=3 * DAY), NOW + 3_600, mutes, LONGEST, DETECTORS)


def test_a_pipeline_that_mutes_and_lifts_at_each_deployment_takes_nobodys_place():
    mutes: SaidMutes = {}
    for number in range(1_000):
        time = NOW + 300.0 * number
        take(mute(f"ci-{number}", 300.0 * number, 300.0 * number + 300), time, mutes, LONGEST, DETECTORS)
        take(lift(f"ci-{number}", after=300.0 * number + 60), time + 60, mutes, LONGEST, DETECTORS)
    time = NOW + 300_000.0
    take(mute("maria", 300_000.0, 303_600.0), time, mutes, LONGEST, DETECTORS)
    assert holds(mutes, 300_001.0, clock=time)
    # what is over is still held against windows that come late, up to a bound
    assert [f"ci-{number}" in mutes for number in (799, 800, 999)] == [False, True, True]
    assert len(mutes) == MOST_OVER + 1


def test_one_that_was_over_long_before_it_came_is_taken_whatever_else_is_over():
    mutes = taken(*(mute(f"m{number}", 100.0 + number, 101.0 + number) for number in range(MOST)))
    for number in range(MOST_OVER):
        take(mute(f"n{number}", 200.0, 201.0 + number), NOW + 3_600, mutes, LONGEST, DETECTORS)
    take(mute("late", 0.0, 1.0), NOW + 3_600, mutes, LONGEST, DETECTORS)
    assert "late" in mutes


def test_lifts_whose_mute_never_comes_count():
    mutes = taken(*(lift(f"m{number}") for number in range(MOST)))
    with pytest.raises(InvalidEvent, match="50 mutes"):
        take(mute("more"), NOW + 3_600, mutes, LONGEST, DETECTORS)


@given(arrival=st.floats(-1.0, 10.0), clock=st.floats(-1.0, 20.0), judged=st.floats(0.0, 1.0))
def test_whether_it_was_pruned_cannot_be_seen_by_what_waits_for_a_week(arrival, clock, judged):
    """`arrival` and `clock` are days after the mute has ceased to count; `judged` is how far the next sample has come
    from one to the other.
    """
    mutes, end = taken(mute()), NOW + 3_600 + KEPT
    arrival, clock = end + arrival * DAY, end + max(arrival, clock) * DAY
    left = pruned(mutes, arrival, clock)
    time = arrival + judged * (clock - arrival)
    if clock < end + WAITED:
        assert holds(mutes, 10, clock=time) is holds(left, 10, clock=time)
    else:
        assert left == {}


def test_it_is_looked_at_again_until_it_is_pruned():
    mutes, end, looks = taken(mute()), NOW + 3_600 + KEPT, []
    due = prune_at(mutes, NOW)
    while due is not None:
        looks.append(due - end)
        due = prune_at(pruned(mutes, NOW, due), due)
    assert looks == [day * DAY for day in range(8)]
    assert prune_at(pruned(mutes, end, end), end) is None


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
