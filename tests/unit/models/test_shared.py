"""Which problems are taken for one: whatever the order they come in, what a plain look at all of them says."""

import sys
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigia.models.detectors.shared_dependency import SharedDependency
from vigia.models.remediation.runs import Member, Thing
from vigia.models.remediation.shared import MAX_MEMBERS, SharedState, over, put, settle

THING = "orders-db"
LIMITS = SharedDependency(within=600.0, least=3, share=0.5, least_with_own=2, close_below=2)
IT = Thing(THING, LIMITS)


def member(service, opened_at=0.0, severity="P2", version=1):
    return Member(service, severity, opened_at, version)


def thing_with(known):
    """The thing, with so many services that are known to depend on it."""
    return Thing(THING, LIMITS, lambda _: known)


def settled(state, it=IT):
    """The one thing that changed."""
    (change,) = settle(state, it)
    return change


def told(*members, it=IT):
    """The state after these were told of, one after the other, and all that changed."""
    state, changes = SharedState(), []
    for number, one in enumerate(members):
        put(state, f"p{number}", one)
        changes += settle(state, it)
    return state, changes


def together(state):
    """What is taken for one: by the problems in it, since when, how bad, and which dependents."""
    inside = {number: {each for each, one in state.members.items() if one.group == number} for number in state.groups}
    return {
        frozenset(inside[number]): (group.opened_at, group.severity, group.services)
        for number, group in state.groups.items()
    }


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
        ([member(THING, 300.0), member(THING, 1.0), member("a")], 0),  # the thing is none of its dependents
    ]
    for members, known in cases:
        state, changes = told(*members, it=thing_with(known))
        assert changes == []
        assert state.groups == {}
    assert told(member("a"), member("b"), member("c"), member("d"), it=thing_with(8))[1]


def test_two_are_enough_when_the_thing_itself_fails_then():
    for own, counts in (
        (member(THING, -550.0, "P3"), True),
        (member(THING, 600.0, "P3"), True),
        (member(THING, -9_000.0, "P0"), False),
    ):
        _, changes = told(own, member("a"), member("b", 20.0), it=thing_with(40))
        assert bool(changes) == counts
        if counts:
            # the cause is one of them
            assert set(changes[0].joined) == {"p0", "p1", "p2"}


def test_a_problem_of_the_thing_that_is_days_old_says_nothing_of_today():
    old = member(THING, -864_000.0, "P0")
    for members in permutations([old, member("a"), member("b"), member("c", 10.0)]):
        state, _ = told(*members)
        ((since, severity, services),) = together(state).values()
        assert (since, severity, services) == (0.0, "P2", ("a", "b", "c"))
    # the thing and another service fail hours after two that had nothing to do with it
    for members in permutations([member("a"), member("b"), member(THING, 5_000.0), member("c", 5_000.0)]):
        assert told(*members)[1] == []


def test_a_problem_of_the_thing_joins_late_and_its_severity_counts():
    state, _ = told(member("a"), member("b"), member("c"))
    put(state, "own", member(THING, 550.0, "P0"))
    change = settled(state)
    assert (change.joined, change.group.severity, change.group.services) == (("own",), "P0", ("a", "b", "c"))


def test_what_opens_near_enough_joins_and_the_severity_only_rises():
    state, _ = told(member("a"), member("b"), member("c"))
    put(state, "p3", member("d", 1_100.0, "P0"))
    assert settle(state, IT) == []
    put(state, "p4", member("e", 600.0))
    change = settled(state)
    # d is near e, which is near the others
    assert (change.joined, change.group.severity, change.group.version) == (("p4", "p3"), "P0", 2)
    over(state, "p3")
    change = settled(state)
    assert (change.group.severity, change.group.version, change.joined) == ("P0", 3, ())


def test_what_opened_before_the_first_that_was_told_dates_the_group():
    state, _ = told(member("a"), member("b"), member("c"))
    put(state, "p3", member("d", -500.0))
    assert settled(state).group.opened_at == -500.0


def test_a_burst_a_day_later_is_another_one_though_the_first_is_open():
    state, _ = told(member("a"), member("b"), member("c"))
    for number, name in enumerate("def"):
        put(state, f"q{number}", member(name, 90_000.0, "P1"))
    change = settled(state)
    assert (change.group.number, change.joined, change.group.severity) == (2, ("q0", "q1", "q2"), "P1")
    assert (change.group.opened_at, change.group.services) == (90_000.0, ("d", "e", "f"))
    # each ends for itself
    for number in range(3):
        over(state, f"p{number}")
    change = settled(state)
    assert (change.group.number, change.resolved, change.became) == (1, True, 0)
    assert list(state.groups) == [2]
    # one alone, as long after, is of neither
    put(state, "late", member("g", 180_000.0))
    assert settle(state, IT) == []


def test_two_groups_become_the_first_of_them_when_it_shows_that_they_are_one():
    state, _ = told(*(member(name) for name in "abc"), *(member(name, 1_000.0, "P1") for name in "def"))
    over(state, "p5")
    settle(state, IT)
    put(state, "between", member("g", 500.0))
    first, second = settle(state, IT)
    assert (first.group.number, first.resolved, first.group.severity) == (1, False, "P1")
    assert (first.joined, first.released) == (("between", "p3", "p4"), ())
    assert first.group.services == ("a", "b", "c", "d", "e", "g")
    assert (second.group.number, second.resolved, second.released, second.became) == (2, True, ("p3", "p4"), 1)
    assert list(state.groups) == [1]


def test_of_groups_that_become_one_all_of_it_comes_also_what_lost_its_neighbours():
    state, _ = told(*(member(name) for name in "abc"), *(member(name, 1_100.0) for name in "defg"))
    put(state, "link", member("h", 1_700.0))
    put(state, "far", member("i", 2_300.0))
    settle(state, IT)
    over(state, "link")
    settle(state, IT)
    put(state, "between", member("j", 550.0))
    first, second = settle(state, IT)
    assert first.joined == ("between", "p3", "p4", "p5", "p6", "far")
    assert (second.released, second.became) == (("p3", "p4", "p5", "p6", "far"), 1)


def test_it_is_over_when_too_few_are_left_which_then_stand_for_themselves():
    state, _ = told(member("a"), member("b"), member("c"))
    over(state, "p0")
    assert not settled(state).resolved
    over(state, "p1")
    change = settled(state)
    assert (change.resolved, change.released, change.group.version) == (True, ("p2",), 3)
    assert state.groups == {}
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
    assert state.members["p0"].group == 1


def test_switched_off_it_opens_nothing_and_lets_go():
    off = Thing(THING, SharedDependency(enabled=False))
    assert told(*(member(name) for name in "abcd"), it=off)[1] == []
    state, _ = told(member("a"), member("b"), member("c"))
    assert settled(state, off).released == ("p0", "p1", "p2")


def test_what_is_held_is_bounded():
    state, _ = told(*(member(f"s{number}") for number in range(MAX_MEMBERS + 5)))
    assert len(state.members) == MAX_MEMBERS


def test_what_opens_in_a_mute_opens_nothing_and_what_is_still_wrong_afterwards_is_taken_together_then():
    it = Thing(THING, LIMITS, muted=lambda at: 0.0 <= at < 1_000.0)
    state, changes = told(member("a", 900.0), member("b", 900.0), member("c", 950.0), member(THING, 960.0), it=it)
    assert (changes, state.groups) == ([], {})
    put(state, "p4", member("d", 1_000.0))
    change = settled(state, it)
    assert (change.joined, change.group.opened_at) == (("p0", "p1", "p2", "p3", "p4"), 900.0)
    # what is open goes on: it may take in what opens in a mute, and end in it
    put(state, "p5", member("e", 999.0))
    assert settled(state, it).joined == ("p5",)
    # a problem of the thing itself that opens afterwards is one that is still wrong, too
    state, changes = told(member("a", 900.0), member("b", 900.0), member(THING, 1_001.0), it=it)
    assert len(changes) == 1


openings = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "d", "e", THING, THING]),
        st.sampled_from([0.0, 200.0, 500.0, 700.0, 1_100.0, 1_500.0, 2_400.0, 9_000.0, 9_300.0, 90_000.0]),
        st.sampled_from(["P0", "P1", "P2", "P3"]),
    ),
    max_size=12,
)
quiet = st.sampled_from([(0.0, 0.0), (0.0, 600.0), (300.0, 2_000.0), (9_000.0, 9_200.0)])


def plainly(members, elsewhere, mute, known):
    """What is taken together, by a look at all problems at once: every pair and every span, in no order."""
    at = {problem_id: one.opened_at for problem_id, one in members.items()}
    near = {a: {b for b in at if abs(at[a] - at[b]) <= LIMITS.within} for a in at}
    found, left = {}, set(members)
    while left:
        run, reached = set(), {min(left)}
        while reached:
            run |= reached
            reached = {b for a in reached for b in near[a]} - run
        left -= run
        some = [members[each] for each in run]
        own = any(one.service == THING for one in some)
        fewest = min(known(at[each]) for each in run)
        least = LIMITS.least_with_own if own else max(LIMITS.least, LIMITS.share * fewest)
        services = {one.service for one in some} - {THING}
        enough = any(
            len({one.service for one in some if 0 <= end.opened_at - one.opened_at <= LIMITS.within} - {THING}) >= least
            for end in some
            if not mute[0] <= end.opened_at < mute[1]
        )
        if enough and (own or not services <= elsewhere):
            since, worst = min(one.opened_at for one in some), min(one.severity for one in some)
            found[frozenset(run)] = (since, worst, tuple(sorted(services)))
    return found


@given(openings, st.randoms(), st.sampled_from([frozenset(), frozenset("abc")]), quiet)
def test_however_they_are_told_the_same_ones_are_taken_together(openings, random, elsewhere, mute):
    def known(at):
        return 8 if at < 500.0 else 2

    it = Thing(
        THING,
        LIMITS,
        lambda times: min(known(at) for at in times),
        lambda some: {each.service for each in some} <= elsewhere,
        lambda at: mute[0] <= at < mute[1],
    )
    members = [(f"p{number}", member(*opening)) for number, opening in enumerate(openings)]
    random.shuffle(members)
    state = SharedState()
    inside: dict[str, set[int]] = {}
    standing: dict[int, int] = {}
    for problem_id, one in members:
        put(state, problem_id, one)
        for change in settle(state, it):
            # what is told adds up to what is so
            for each in change.joined:
                inside.setdefault(each, set()).add(change.group.number)
            for each in change.released:
                inside[each].remove(change.group.number)
            assert change.group.version == standing.get(change.group.number, 0) + 1
            standing[change.group.number] = change.group.version
    assert together(state) == plainly(dict(members), elsewhere, mute, known)
    assert {each: numbers for each, numbers in inside.items() if numbers} == {
        each: {one.group} for each, one in state.members.items() if one.group
    }


@pytest.mark.parametrize(
    "openings",
    [
        [("a", 0.0), ("b", 0.0), (THING, 0.0), ("c", 5_000.0)],
        [("a", 0.0), ("b", 0.0), (THING, 5_000.0), ("c", 5_000.0)],
        [("a", 0.0), ("b", 0.0), ("c", 0.0), (THING, 0.0, "P0")],
        [("a", 0.0), ("b", 500.0), (THING, 1_000.0), ("c", 1_500.0)],
    ],
)
def test_in_every_order_of_a_few_the_same_ones_are_taken_together(openings):
    members = {f"p{number}": member(*opening) for number, opening in enumerate(openings)}
    expected = plainly(members, frozenset(), (0.0, 0.0), lambda _: 0)
    for order in permutations(members):
        state = SharedState()
        for problem_id in order:
            put(state, problem_id, members[problem_id])
            settle(state, IT)
        assert together(state) == expected


def test_what_has_its_cause_elsewhere_is_of_the_thing_when_that_fails_itself():
    it = Thing(THING, LIMITS, elsewhere=lambda _: True)
    state, _ = told(member(THING), member("a"))
    put(state, "p2", member("b"))
    assert settled(state, it).group.services == ("a", "b")


def calls(do):
    """How many functions of Python and of C are called."""
    count = 0

    def counted(frame, event, argument):
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(counted)
    try:
        do()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("known", [0, 10_000])
def test_one_more_problem_takes_work_in_proportion_to_those_that_are_open(known):
    it = thing_with(known)

    def one_more(open_ones):
        state, changes = told(*(member(f"s{number}") for number in range(open_ones)), it=it)
        assert bool(changes) == (not known)
        put(state, "more", member("more"))
        return calls(lambda: settle(state, it))

    assert one_more(480) < 5 * one_more(120)
