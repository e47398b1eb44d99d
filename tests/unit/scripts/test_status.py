"""The status says who lives, what waits and what was refused; and it fails exactly when a person must look."""

import json
import time

import msgspec
import pytest

from scripts import status
from scripts.operations.report import read_status
from tests.contract.summaries_rows import OTHER, commit, letter, output, take
from tests.support.glances import beat
from tests.support.heartbeats import beat_at
from vigia.events.summaries import SenderSurplusSummary
from vigia.stores.base import WorkerRow

NOW = 1_800_000_000.0


def worker(name, at=NOW, **changes):
    row = WorkerRow(
        worker=name,
        host="host",
        pid=1,
        slot=0,
        version="1",
        schemas={},
        started_at=at - 100,
        beat_at=at,
        interval=5.0,
        resident=10_000_000,
        lanes=(beat(partition=0),),
    )
    return msgspec.structs.replace(row, **changes)


def read(summaries, oldest=300.0):
    return read_status(summaries, NOW, oldest)


def test_an_installation_at_work_is_healthy_and_shows_what_its_workers_say(summaries):
    commit(summaries, take(summaries, owner="a"), outbox=[output(0)], dead_letters=[letter("x")])
    told = beat(partition=0, state="working", lag={"metrics": 7}, oldest_at=NOW - 9, stepped_at=NOW - 4)
    beat_at(summaries, worker("a", NOW - 2, lanes=(told,)))
    found = read(summaries)
    assert found.healthy
    (one,), (lane,), (refused,) = found.workers, found.lanes, found.dead_letters
    assert (one.state, one.age, one.lanes, one.uptime) == ("beating", 2, 1, 102)
    assert (lane.lane, lane.worker, lane.state) == ("metrics/0", "a", "working")
    assert (lane.lag, lane.oldest_age, lane.step_age, lane.step, lane.outbox) == ({"metrics": 7}, 9, 4, 1, 1)
    assert (refused.topic, refused.reason, refused.count) == ("metrics", "not_json", 1)


def test_no_worker_at_all_needs_a_person(summaries):
    assert read(summaries).findings == ["no worker gives a sign of life"]


def test_a_late_worker_that_owns_lanes_needs_a_person_and_its_lanes_say_nothing(summaries):
    take(summaries, owner="a")
    take(summaries, OTHER, owner="b")
    beat_at(summaries, worker("a"))
    beat_at(summaries, worker("b", NOW - 21, lanes=(beat(),)))
    found = read(summaries)
    assert [each.state for each in found.workers] == ["beating", "late"]
    assert [lane.lag for lane in found.lanes] == [{"metrics": 0}, None]
    (finding,) = found.findings
    assert finding == "worker b is late: its last sign of life is 21 s old, and it owns 1 lanes"


def test_a_late_worker_whose_lanes_others_have_taken_is_gone_and_needs_nobody(summaries):
    take(summaries, owner="a")
    beat_at(summaries, worker("a"))
    beat_at(summaries, worker("b", NOW - 500))
    found = read(summaries)
    assert (found.healthy, [each.state for each in found.workers]) == (True, ["beating", "gone"])


def test_a_lane_of_nobody_needs_a_person(summaries):
    take(summaries, owner="a")
    take(summaries, OTHER, owner="forgotten")
    beat_at(summaries, worker("a"))
    assert read(summaries).findings == ["no living worker owns metrics/1"]


def test_a_stopped_lane_needs_a_person_and_says_why(summaries):
    commit(summaries, take(summaries, owner="a"), lane={"stopped": "1000 invalid events in a row"})
    beat_at(summaries, worker("a"))
    found = read(summaries)
    assert found.lanes[0].state == "stopped"
    (finding,) = found.findings
    assert finding.startswith("lane metrics/0 is stopped: 1000 invalid events in a row; release it with")


def test_a_record_that_waits_for_too_long_needs_a_person(summaries):
    take(summaries, owner="a")
    beat_at(summaries, worker("a", lanes=(beat(partition=0, oldest_at=NOW - 31),)))
    assert read(summaries, oldest=40).healthy
    assert read(summaries, oldest=30).findings == ["lane metrics/0 is behind: its oldest record waits for 31 s"]


def test_a_sender_that_said_too_much_needs_a_person_until_the_day_after(summaries):
    today = int(NOW // 86_400)
    rows = [
        SenderSurplusSummary(
            day=day,
            counted_by="scope",
            record_key="shop\x1b[2J",
            sender="[sender.ci]",
            a_day=5,
            surplus=day - today + 9,
        )
        for day in (today, today - 1, today - 2)
    ]
    commit(summaries, take(summaries, owner="a"), summaries=rows)
    beat_at(summaries, worker("a"))
    assert read(summaries).findings == [
        "[sender.ci] said more of scope 'shop\\x1b[2J' on 2027-01-15 than its 5 a day: 9 refused (`over_limit`)",
        "[sender.ci] said more of scope 'shop\\x1b[2J' on 2027-01-14 than its 5 a day: 8 refused (`over_limit`)",
    ]


def test_the_command_prints_both_ways_and_its_exit_code_is_the_verdict(summaries, url, monkeypatch, capsys):
    monkeypatch.setenv("VIGIA_SUMMARIES_URL", url)
    take(summaries, owner="a\x1b[2J")
    beat_at(summaries, worker("a\x1b[2J", time.time()))
    assert status.main([]) == 0
    shown = capsys.readouterr().out
    assert "healthy" in shown
    assert "metrics/0" in shown
    assert "\x1b[2J" not in shown
    commit(summaries, take(summaries, owner="a\x1b[2J"), lane={"stopped": "flood"})
    assert status.main(["--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["lanes"][0]["stopped"] == "flood"
    assert len(told["findings"]) == 1


@pytest.mark.parametrize(
    ("url", "code"), [("sqlite:////nowhere/at/all.db", 78), ("mysql+pymysql://a@127.0.0.1:1/b", 75)]
)
def test_a_database_that_cannot_be_asked_is_told_apart_from_a_bad_status(monkeypatch, capsys, url, code):
    monkeypatch.setenv("VIGIA_SUMMARIES_URL", url)
    assert status.main([]) == code
    assert capsys.readouterr().err
