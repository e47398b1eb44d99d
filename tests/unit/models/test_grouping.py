"""Shared dependencies through the remediation model: what lanes tell each other until nothing is left to tell."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.models.laws import START, Lane, Sent
from vigia.events.catalog import Catalog
from vigia.events.problem_links import PROBLEM_LINKS
from vigia.events.problems import Problem
from vigia.events.summaries import ProblemGroupSummary, ProblemSummary
from vigia.models.detectors.mutes import Mute
from vigia.models.remediation.model import RemediationConfig, RemediationModel
from vigia.models.remediation.state import service_in

THING = "orders-db"
CATALOG = Catalog.parse(
    {
        "service": [
            *({"name": name, "team": "unassigned", "depends_on": [THING]} for name in ("shop", "cart", "mail")),
            {"name": "search", "team": "unassigned", "depends_on": [THING, "index"]},
        ]
    },
    "catalog",
)


def problem(service, status="open", version=1, severity="P2", at=0.0, **fields):
    return Problem(
        **{
            "problem_id": f"of {service}",
            "service": service,
            "detector": "high_error_rate",
            "severity": severity,
            "status": status,
            "opened_at": START,
            "at": START + at,
            "why": f"{service} fails",
            "series_id": "s",
            "metric": "error_rate",
            "version": version,
            **fields,
        }
    )


class Lanes:
    """All lanes in one: what is told comes back, in the order of its keys' lanes, until nothing is left to tell."""

    def __init__(self, catalog=CATALOG, mutes=()):
        self.lane = Lane(RemediationModel(RemediationConfig(dependencies=catalog.dependencies, mutes=mutes)))
        self.clock = START

    def restart(self, catalog):
        """All workers start again, with another catalog."""
        self.lane.model = RemediationModel(RemediationConfig(dependencies=catalog.dependencies))

    def tell(self, *problems):
        waiting: list[Any] = list(problems)
        while waiting:
            self.clock += 1.0
            before = len(self.lane.outputs)
            self.lane.apply([Sent(waiting.pop(0), self.clock)])
            for output in self.lane.outputs[before:]:
                event: Any = output.event
                if output.topic in {PROBLEM_LINKS, "problems"}:
                    assert output.key == event.service
                    waiting.append(event)
        return self

    def rows(self, kind):
        return [row for row in self.lane.rows.values() if isinstance(row, kind)]

    def groups(self):
        return {row.problem_id: row.released for row in self.rows(ProblemGroupSummary)}

    def shared(self):
        return [row for row in self.rows(ProblemSummary) if row.detector == "shared_dependency"]

    def proposals(self):
        """The latest status of each problem's proposal."""
        found: list[Any] = [each.event for each in self.lane.outputs if each.topic == "approvals"]
        return {each.service: each.status for each in sorted(found, key=lambda each: each.version)}


def test_the_problems_of_all_that_depend_on_one_thing_are_told_as_one_that_names_them():
    lanes = Lanes().tell(problem("shop"), problem("cart"))
    assert lanes.proposals() == {"shop": "proposed", "cart": "proposed"}
    lanes.tell(problem("mail", severity="P1"))
    (row,) = lanes.shared()
    assert (row.service, row.severity, row.status) == (THING, "P1", "open")
    assert row.why == "3 services that depend on orders-db have problems since 22:14 UTC: cart, mail, shop."
    assert lanes.groups() == {"of shop": 0, "of cart": 0, "of mail": 0}
    events: list[Any] = [each.event for each in lanes.lane.outputs if (each.topic, each.key) == ("problems", THING)]
    assert [each.services for each in events] == [("cart", "mail", "shop")]
    assert set(lanes.proposals().values()) == {"withdrawn"}
    # the versions of one proposal count up, and the lane's own problem is offered no fix that nobody knows
    told: list[Any] = [each.event for each in lanes.lane.outputs if (each.topic, each.key) == ("approvals", "shop")]
    assert [each.version for each in told] == [1, 2]


def test_a_problem_that_joins_gets_no_proposal_and_the_words_name_it():
    lanes = Lanes().tell(problem("shop"), problem("cart"), problem("mail"), problem("search", severity="P0"))
    (row,) = lanes.shared()
    assert (row.severity, row.version) == ("P0", 2)
    assert "cart, mail, search, shop" in row.why
    assert lanes.proposals()["search"] in {"proposed", "withdrawn"}
    assert lanes.proposals()["search"] == "withdrawn"


def test_what_outlives_the_others_stands_for_itself_again_and_is_proposed_again():
    lanes = Lanes().tell(problem("shop"), problem("cart"), problem("mail"))
    lanes.tell(problem("cart", "resolved", 2, at=60.0), problem("mail", "resolved", 2, at=60.0))
    (row,) = lanes.shared()
    assert (row.status, row.at) == ("resolved", START + 60.0)
    assert lanes.groups() == {"of shop": 1, "of cart": 0, "of mail": 0}
    assert lanes.proposals() == {"shop": "proposed", "cart": "withdrawn", "mail": "withdrawn"}
    lanes.tell(problem("shop", "resolved", 2, at=90.0))
    assert lanes.proposals()["shop"] == "withdrawn"


def test_a_fix_of_the_thing_itself_is_still_proposed():
    lanes = Lanes().tell(problem(THING, severity="P1"), problem("shop"), problem("cart"))
    (row,) = lanes.shared()
    assert row.why.endswith("cart, shop; so has orders-db itself.")
    assert lanes.groups() == {f"of {THING}": 0, "of shop": 0, "of cart": 0}
    assert lanes.proposals() == {THING: "proposed", "shop": "withdrawn", "cart": "withdrawn"}


def test_environments_stale_problems_and_limits_are_left_apart():
    lanes = Lanes().tell(
        problem("shop"),
        problem("cart", environment="staging"),
        problem("mail", "stale"),
        problem("search", detector="problem_limit", problem_id="limit"),
        problem("elsewhere"),
    )
    assert lanes.shared() == []
    # a stale one that is still there when the backlog is over counts
    assert (
        Lanes().tell(problem("shop"), problem("mail", "stale"), problem("search"), problem("mail", version=2)).shared()
    )


def test_what_fills_up_where_it_is_has_no_cause_elsewhere_but_may_be_one():
    lanes = Lanes().tell(*(problem(service, detector="disk_space_low") for service in ("shop", "cart", "mail")))
    assert lanes.shared() == []
    assert Lanes().tell(problem(THING, detector="disk_space_low"), problem("shop"), problem("cart")).shared()


def test_many_services_are_counted_not_listed():
    every = [f"s{number:02}" for number in range(30)]
    catalog = Catalog.parse({"service": [{"name": "s*", "team": "unassigned", "depends_on": [THING]}]}, "catalog")
    lanes = Lanes(catalog)
    lanes.tell(*(problem(service) for service in every))
    (row,) = lanes.shared()
    assert row.why.endswith("s00, s01, s02, s03, s04, s05, s06, s07 and 22 more.")


def needing(**things):
    entries = [{"name": name, "team": "unassigned", "depends_on": some.split()} for name, some in things.items()]
    return Catalog.parse({"service": entries}, "catalog")


def test_of_several_things_that_all_depend_on_the_one_with_fewer_dependents_has_the_problem_and_names_the_other():
    catalog = needing(shop="queue orders-db", cart="queue orders-db", mail="orders-db queue", search="queue")
    lanes = Lanes(catalog).tell(problem("shop"), problem("cart"), problem("mail"))
    (row,) = lanes.shared()
    assert row.service == THING
    assert row.why.endswith(": cart, mail, shop; all of them depend on queue, too.")
    # one that depends on the other alone: then that explains more
    lanes.tell(problem("search"))
    assert {each.service for each in lanes.shared()} == {THING, "queue"}
    (queue,) = (each for each in lanes.shared() if each.service == "queue")
    assert queue.why.endswith(": cart, mail, search, shop.")


def test_when_the_catalog_changes_in_an_outage_a_likelier_cause_hears_of_what_was_told_before():
    services = {"shop": "queue", "cart": "queue", "mail": "queue db"}
    lanes = Lanes(needing(**services, search="queue")).tell(problem("shop"), problem("cart"))
    lanes.restart(needing(shop="queue db", cart="queue db", mail="queue db", search="queue"))
    lanes.tell(*(problem(name, version=2, severity="P1") for name in ("shop", "cart")), problem("mail"))
    (row,) = lanes.shared()
    assert (row.service, row.status) == ("db", "open")
    # what no longer depends on something still tells it that it is over
    lanes.restart(needing(**services))
    lanes.tell(problem("shop", version=3, severity="P0"))
    lanes.tell(*(problem(name, "resolved", 4) for name in ("shop", "cart")))
    assert {each.service: each.status for each in lanes.shared()}["db"] == "resolved"


def maintenance(**fields):
    """A mute of the detectors' file from START to five minutes later."""
    since = datetime.fromtimestamp(START, UTC)
    until = since + timedelta(minutes=5)
    return Mute(**{"author": "maria", "reason": "moved", "since": since, "until": until, "service": THING, **fields})


@pytest.mark.parametrize("mute", [maintenance(), maintenance(service="*", detectors=("shared_dependency",))])
def test_a_mute_of_the_thing_leaves_the_problems_of_its_dependents_to_themselves(mute):
    lanes = Lanes(mutes=[mute]).tell(problem("shop"), problem("cart"), problem("mail"))
    assert (lanes.shared(), lanes.groups()) == ([], {})
    assert lanes.proposals() == {"shop": "proposed", "cart": "proposed", "mail": "proposed"}
    # nothing else is blamed for what the mute explains
    assert lanes.tell(problem("search", opened_at=START + 299.0)).shared() == []
    lanes.tell(problem("search", problem_id="again", opened_at=START + 300.0))
    (row,) = lanes.shared()
    assert (row.service, row.opened_at) == (THING, START)


@pytest.mark.parametrize(
    "mute",
    [
        maintenance(detectors=("high_error_rate",)),
        maintenance(metric="error_rate"),
        maintenance(service="shop"),
        maintenance(environment="staging"),
        maintenance(since=datetime.fromtimestamp(START - 9_000, UTC), until=datetime.fromtimestamp(START, UTC)),
    ],
)
def test_a_mute_of_something_else_leaves_it_alone(mute):
    assert Lanes(mutes=[mute]).tell(problem("shop"), problem("cart"), problem("mail")).shared()


def test_problems_a_day_apart_are_two_each_of_which_names_its_own():
    catalog = needing(**dict.fromkeys("abcdef", THING))
    lanes = Lanes(catalog).tell(*(problem(name) for name in "abc"))
    lanes.tell(*(problem(name, opened_at=START + 90_000) for name in "def"))
    first, second = lanes.shared()
    assert first.why == "3 services that depend on orders-db have problems since 22:14 UTC: a, b, c."
    assert second.why == "3 services that depend on orders-db have problems since 23:14 UTC: d, e, f."
    parts = {row.problem_id: row.part_of for row in lanes.rows(ProblemGroupSummary)}
    assert {name: parts[f"of {name}"] for name in "abcdef"} == {
        **dict.fromkeys("abc", first.problem_id),
        **dict.fromkeys("def", second.problem_id),
    }


def test_when_two_turn_out_to_be_one_no_proposal_comes_back_in_between():
    catalog = needing(**{"*": THING})
    lanes = Lanes(catalog).tell(*(problem(name) for name in "abc"))
    lanes.tell(*(problem(name, opened_at=START + 1_000) for name in "def"))
    lanes.tell(problem("g", opened_at=START + 500))
    first, second = lanes.shared()
    assert (first.status, second.status) == ("open", "resolved")
    assert first.why == "7 services that depend on orders-db have problems since 22:14 UTC: a, b, c, d, e, f, g."
    assert second.why == "What opened in between shows that this is one with the problem of orders-db since 22:14 UTC."
    told: list[Any] = [each.event for each in lanes.lane.outputs if (each.topic, each.key) == ("approvals", "d")]
    assert [each.status for each in told] == ["proposed", "withdrawn"]
    still = {row.problem_id: row.part_of for row in lanes.rows(ProblemGroupSummary) if not row.released}
    assert set(still.values()) == {first.problem_id}
    assert len(still) == 7


def test_of_things_with_as_many_dependents_the_name_decides_and_one_that_fails_itself_is_the_cause():
    catalog = needing(shop="queue orders-db", cart="queue orders-db", mail="orders-db queue")
    (row,) = Lanes(catalog).tell(problem("shop"), problem("cart"), problem("mail")).shared()
    assert row.service == THING
    (row,) = Lanes(catalog).tell(problem("queue"), problem("shop"), problem("cart")).shared()
    assert row.service == "queue"
    assert row.why.endswith("; so has queue itself.")


depending = st.lists(
    st.lists(st.sampled_from(["db", "index", "queue"]), unique=True, max_size=3), min_size=5, max_size=5
)


@given(depending, st.permutations(["a", "b", "c", "d", "e"]), st.integers(0, 5))
def test_what_one_thing_could_explain_is_told_by_some_thing_whatever_the_order(depending, order, failing):
    catalog = needing(**{name: " ".join(some) for name, some in zip("abcde", depending, strict=True)})
    lanes = Lanes(catalog).tell(*(problem(name) for name in order[:failing]))
    needed = {
        thing: {name for name, some in zip("abcde", depending, strict=True) if thing in some}
        for thing in ("db", "index", "queue")
    }
    broken = {thing: names & set(order[:failing]) for thing, names in needed.items()}
    could = {thing for thing, names in broken.items() if len(names) >= 3 and len(names) >= len(needed[thing]) / 2}
    told = {row.service: set(row.why.split(": ")[1].split(";")[0].rstrip(".").split(", ")) for row in lanes.shared()}
    # of those that explain the same problems, or more, one tells it
    assert told == {
        thing: broken[thing]
        for thing in could
        if not any(broken[thing] <= broken[other] and better(needed, other, thing) for other in needed)
    }
    assert all(any(broken[thing] <= names for names in told.values()) for thing in could)


def better(needed, other, thing):
    return (len(needed[other]), other) < (len(needed[thing]), thing)


def test_the_state_of_the_release_before_is_read_and_written():
    model = RemediationModel(RemediationConfig())
    lanes = Lanes().tell(problem("shop"), problem("cart"), problem("mail"))
    for key, state in lanes.lane.states.items():
        old: Any = model.load(key, 1, model.dump_previous(key, state))
        if key.startswith("problem:"):
            assert len(msgspec.msgpack.decode(model.dump_previous(key, state))) == 2
            assert (old.version, old.proposal, old.part_of) == (state.version, state.proposal, ())
        assert service_in(key) in {"shop", "cart", "mail", THING}


def told_once(service, status, version, severity, opened_at):
    """A version of the one problem of a service; what is over stays over: one that returns is another problem."""
    last = status == "resolved"
    return problem(service, status, 9 if last else version, severity, opened_at=opened_at)


events = st.lists(
    st.builds(
        told_once,
        st.sampled_from(["shop", "cart", "mail", "search", THING, "index"]),
        st.sampled_from(["open", "open", "open", "resolved"]),
        st.integers(1, 5),
        st.sampled_from(["P0", "P2"]),
        st.sampled_from([START, START + 300, START + 5_000]),
    ),
    max_size=16,
)


@given(events)
def test_no_open_problem_is_left_without_a_proposal_unless_it_is_part_of_an_open_one(told):
    lanes = Lanes().tell(*told)
    latest: dict[str, Problem] = {}
    for each in told:
        if each.service not in latest or each.version > latest[each.service].version:
            latest[each.service] = each
    standing = {row.problem_id: row.status for row in lanes.shared()}
    held = {
        row.service for row in lanes.rows(ProblemGroupSummary) if not row.released and standing[row.part_of] == "open"
    }
    for service, each in latest.items():
        wanted = each.status == "open" and (service in {THING, "index"} or service not in held)
        assert (lanes.proposals().get(service) == "proposed") == wanted
