"""Which problems are taken for one: whatever the order they come in, what a plain look at all of them says."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vigia.models.detectors.shared_dependency import SharedDependency
from vigia.models.remediation.shared import MAX_MEMBERS, Member, SharedState, over, put, settle

THING = "orders-db"
LIMITS = SharedDependency(within=600.0, least=3, share=0.5, least_with_own=2, close_below=2)


def member(service, opened_at=0.0, severity="P2", version=1):
    return Member(service, severity, opened_at, version)


def settled(state, limits=LIMITS):
    """What changed; something must have."""
    change = settle(state, THING, 0, limits)
    assert change is not None
    return change


def told(*members, known=0, limits=LIMITS):
    """The state after these were told of, one after the other, and all that changed."""
    state, changes = SharedState(), []
    for number, one in enumerate(members):
        put(state, f"p{number}", one)
        changes.append(settle(state, THING, known, limits))
    return state, [change for change in changes if change is not None]


def test_problems_of_enough_services_within_a_span_are_one():
    _, (change,) = told(member("a"), member("b", 599.0), member("c", 600.0, "P1"))
    assert (change.joined, change.released, change.resolved) == (("p0", "p1", "p2"), (), False)
    assert (change.group.severity, change.group.opened_at, change.group.version) == ("P1", 0.0, 1)
    assert change.group.services == ("a", "b", "c")


def test_near_misses_are_not():
    cases = [
        ([member("a"), member("b"), member("b", 1.0)], 0),  # two services
        ([member("a"), member("b", 300.0), member("c", 601.0)], 0),  # too far apart
        ([member("a"), member("b"), member("c")], 7),  # three of seven
        ([member("a"), member(THING)], 0),  # one, and the thing itself
    ]
    for members, known in cases:
        state, changes = told(*members, known=known)
        assert changes == []
        assert state.group is None
    assert told(member("a"), member("b"), member("c"), member("d"), known=8)[1]


def test_two_are_enough_when_the_thing_itself_fails_then():
    for own, counts in (
        (member(THING, -550.0, "P3"), True),
        (member(THING, 600.0, "P3"), True),
        (member(THING, -9_000.0, "P0"), False),
    ):
        _, changes = told(own, member("a"), member("b", 20.0), known=40)
        assert bool(changes) == counts
        if counts:
            # the cause is one of them
            assert set(changes[0].joined) == {"p0", "p1", "p2"}


def test_what_opens_near_enough_joins_and_the_severity_only_rises():
    state, _ = told(member("a"), member("b"), member("c"))
    put(state, "p3", member("d", 1_100.0, "P0"))
    assert settle(state, THING, 0, LIMITS) is None
    put(state, "p4", member("e", 600.0))
    change = settled(state)
    # d is near e, which is near the others
    assert (change.joined, change.group.severity, change.group.version) == (("p4", "p3"), "P0", 2)
    over(state, "p3")
    change = settled(state)
    assert (change.group.severity, change.group.version, change.joined) == ("P0", 3, ())


def test_it_is_over_when_too_few_are_left_which_then_stand_for_themselves():
    state, _ = told(member("a"), member("b"), member("c"))
    over(state, "p0")
    assert not settled(state).resolved
    over(state, "p1")
    change = settled(state)
    assert (change.resolved, change.released, change.group.version) == (True, ("p2",), 3)
    assert state.group is None
    # the same three again are another one
    put(state, "p5", member("a", 10.0))
    put(state, "p6", member("b", 10.0))
    assert settled(state).group.number == 2


def test_while_the_thing_itself_fails_one_is_enough_to_stay():
    state, _ = told(member(THING, 0.0, "P0"), member("a"), member("b"))
    over(state, "p1")
    assert not settled(state).resolved
    over(state, "p2")
    assert settled(state).resolved


def test_a_later_version_changes_the_severity_and_an_earlier_one_nothing():
    state, _ = told(member("a"), member("b"), member("c"))
    put(state, "p0", member("a", severity="P0", version=2))
    assert settled(state).group.severity == "P0"
    put(state, "p0", member("a", severity="P3", version=1))
    assert state.members["p0"].severity == "P0"
    assert state.members["p0"].grouped


def test_switched_off_it_opens_nothing_and_lets_go():
    off = SharedDependency(enabled=False)
    assert told(*(member(name) for name in "abcd"), limits=off)[1] == []
    state, _ = told(member("a"), member("b"), member("c"))
    assert settled(state, off).released == ("p0", "p1", "p2")


def test_what_is_held_is_bounded():
    state, _ = told(*(member(f"s{number}") for number in range(MAX_MEMBERS + 5)))
    assert len(state.members) == MAX_MEMBERS


openings = st.lists(
    st.tuples(
        st.sampled_from("abcde"), st.sampled_from([0.0, 200.0, 500.0, 700.0, 1_100.0, 1_500.0, 2_400.0, 9_000.0])
    ),
    max_size=12,
)


@given(openings, st.randoms())
def test_however_they_are_told_the_same_ones_are_taken_together(openings, random):
    assert_taken_together(openings, random)


def plainly(members, elsewhere=frozenset()):
    """Runs of problems without a longer gap, of which one span has enough services, and not all are `elsewhere`."""
    ordered = sorted(members, key=lambda problem_id: members[problem_id].opened_at)
    runs, taken = [ordered[:1]], set()
    for before, problem_id in pairwise(ordered):
        if members[problem_id].opened_at - members[before].opened_at > LIMITS.within:
            runs.append([])
        runs[-1].append(problem_id)
    for run in runs:
        times = [members[problem_id].opened_at for problem_id in run]
        spans = [
            {members[each].service for each in run if 0 <= members[each].opened_at - time <= LIMITS.within}
            for time in times
        ]
        left = {members[problem_id].service for problem_id in run} <= elsewhere
        if any(len(services) >= LIMITS.least for services in spans) and not left:
            taken |= set(run)
    return taken


@given(openings, st.randoms())
def test_what_has_its_cause_elsewhere_is_left_alone_until_one_comes_that_has_not(openings, random):
    assert_taken_together(openings, random, elsewhere={"a", "b", "c"})


def assert_taken_together(openings, random, elsewhere=frozenset()):
    members = [(f"p{number}", member(*opening)) for number, opening in enumerate(openings)]
    random.shuffle(members)
    state = SharedState()
    for problem_id, one in members:
        put(state, problem_id, one)
        settle(state, THING, 0, LIMITS, lambda some: {each.service for each in some} <= elsewhere)
    found = {problem_id for problem_id, one in state.members.items() if one.grouped}
    assert found == plainly(dict(members), elsewhere)
    assert (state.group is None) == (not found)


def test_what_has_its_cause_elsewhere_is_of_the_thing_when_that_fails_itself():
    state, _ = told(member(THING), member("a"))
    put(state, "p2", member("b"))
    change = settle(state, THING, 0, LIMITS, lambda _: True)
    assert change is not None
    assert change.group.services == ("a", "b")
