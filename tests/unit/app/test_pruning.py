"""One worker deletes what is no longer kept, in pieces, and stops when it is told to."""

import logging
from types import SimpleNamespace

from vigia.app.pruning import FIRST_LANE, Pruner
from vigia.stores.base import LaneId
from vigia.stores.errors import Transient


def having(*lanes):
    return lambda: [SimpleNamespace(row=SimpleNamespace(lane=lane)) for lane in lanes]


def test_only_the_worker_with_the_first_lane_deletes():
    done = []

    def prune():
        done.append(True)
        yield 1

    Pruner(prune, having(LaneId("metrics", 1), LaneId("deployments", 0))).look()
    assert done == []
    Pruner(prune, having(LaneId("metrics", 1), FIRST_LANE)).look()
    assert done == [True]


def test_it_stops_between_two_pieces():
    pieces = []

    def prune():
        for number in range(100):
            pieces.append(number)
            if number == 2:
                pruner.stop()
            yield 1

    pruner = Pruner(prune, having(FIRST_LANE))
    pruner.look()
    assert pieces == [0, 1, 2]


def test_a_store_that_is_away_is_said_once_and_is_no_bug(caplog):
    def prune():
        yield 5
        raise Transient("gone")

    with caplog.at_level(logging.INFO):
        Pruner(prune, having(FIRST_LANE)).look()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "deleted 5 rows" in caplog.text
