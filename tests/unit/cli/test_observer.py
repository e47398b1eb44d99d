"""The observer adds lanes up, and does not take an earlier broker's positions for this one's."""

import msgspec
import pytest

from tests.contract.summaries_rows import commit, deployment, take
from vigia.cli.run.observer import Observer
from vigia.events.effects import Timer
from vigia.stores.base import LaneId, LaneRow
from vigia.stores.sql.summaries import open_summaries


def lane(agent, partition, offsets, counts, cluster="now", **fields):
    return LaneRow(
        lane=LaneId(agent, partition),
        version=1,
        step=1,
        cluster_id=cluster,
        partition_count=4,
        offsets=offsets,
        clock=0.0,
        outbox_next=0,
        counts=counts,
        **fields,
    )


class Database:
    def __init__(self, lanes):
        self._lanes = lanes
        self.waiting = {}
        self.timers = {}

    def lanes(self):
        return self._lanes

    def outbox(self, lane, limit):
        return self.waiting.get(lane, [])[:limit]

    def due(self, lane, until, limit):
        return [timer for timer in self.timers.get(lane, []) if timer.due <= until][:limit]


@pytest.fixture
def database():
    return Database(
        [
            lane("metrics", 0, {"metrics": 5}, {"metrics.in": 5, "windows_closed": 1}),
            lane("metrics", 1, {"metrics": 7}, {"metrics.in": 7}, stopped="a flood"),
            lane("deployments", 0, {"deployments": 900}, {"deployments.in": 3}, cluster="before"),
        ]
    )


def test_figures_are_those_of_all_lanes_together(database):
    figures = Observer(database, "now").reading().figures
    assert figures == {"metrics.in": 12, "windows_closed": 1, "deployments.in": 3}


def test_positions_on_an_earlier_broker_are_none_on_this_one(database):
    observer = Observer(database, "now")
    assert observer.positions() == observer.reading().positions == {("metrics", 0): 5, ("metrics", 1): 7}


def test_a_lane_that_has_stopped_is_named_with_its_reason(database):
    assert Observer(database, "now").reading().stopped == ["metrics 1: a flood"]


def test_a_step_between_two_queries_does_not_look_like_rest(database):
    """It fires the last timer and closes a window: once the timer is gone the window must be counted."""
    first, *others = database.lanes()

    def due(lane, until, limit):
        database._lanes = [lane_of(first, windows_closed=2), *others]
        return []

    database.due = due
    reading = Observer(database, "now").reading(whole=True)
    assert reading.next_due is None
    assert reading.figures["windows_closed"] == 2


def lane_of(row, **counts):
    return msgspec.structs.replace(row, counts={**row.counts, **counts})


def test_what_waits_is_read_only_when_it_is_asked_for(database):
    first, second, third = (row.lane for row in database.lanes())
    database.waiting[second] = ["an output", "another"]
    rolling = Timer("roll", "shop", 30.0)
    database.timers = {first: [rolling, Timer("idle", "shop", 50.0)], third: [Timer("idle", "mail", 40.0)]}
    observer = Observer(database, "now")
    whole, part = observer.reading(whole=True), observer.reading()
    assert (whole.outbox, whole.next_due) == (1, 40.0)
    assert (part.outbox, part.next_due) == (0, None)


def test_a_history_is_read_back_by_id_and_scope_from_the_real_database(tmp_path):
    summaries = open_summaries(f"sqlite:///{tmp_path}/summaries.db")
    summaries.migrate()
    past = deployment("1", scope="sentry", environment="history")
    elsewhere = deployment("1", scope="other", environment="history")
    present = deployment("2", scope="sentry", environment="production")
    commit(summaries, take(summaries), summaries=[past, elsewhere, present])
    asked = [(row.deployment_id, row.scope) for row in (present, past)]
    assert Observer(summaries, "now").played_back([*asked, ("0" * 32, "sentry")]) == [past]
    assert Observer(summaries, "now").played_back([]) == []
    summaries.close()
