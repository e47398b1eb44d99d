"""`scripts/lanes.py`: where lanes stand, and how a person moves one: only where nothing else is at work on it."""

import json
import time

import pytest

from scripts import lanes
from scripts.operations.kafka_view import Log
from tests.contract.summaries_rows import LANE, OTHER, commit, take
from tests.support.heartbeats import beat_at
from vigia.stores.base import WorkerRow
from vigia.stores.errors import Transient

MOVE = ("move", "metrics", "0", "metrics")
BECAUSE = ("--because", "the broker lost its disk")


class FakeKafka:
    """A broker with one log for all partitions."""

    def __init__(self) -> None:
        self.log = Log(5, 40)
        self.cluster = "cluster-1"
        self.ids = {"metrics": "id1"}
        self.down = False

    def cluster_id(self):
        return self.cluster

    def logs(self, partitions):
        if self.down:
            raise Transient("no broker")
        return dict.fromkeys(partitions, self.log)

    def topic_ids(self, topics):
        return {topic: self.ids[topic] for topic in topics if topic in self.ids}


@pytest.fixture
def kafka(monkeypatch):
    fake = FakeKafka()
    monkeypatch.setattr(lanes, "KafkaView", lambda _settings: fake)
    return fake


@pytest.fixture
def summaries(summaries, url, monkeypatch, kafka):
    monkeypatch.setenv("VIGIA_SUMMARIES_URL", url)
    commit(summaries, take(summaries), lane={"offsets": {"metrics": 30}})
    summaries.keep_topic_ids(LANE, {"metrics": "id1"})
    return summaries


@pytest.fixture
def run(capsys):
    def command(*arguments):
        code = lanes.main(list(arguments))
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


def beating(name, at, interval=5.0):
    return WorkerRow(
        worker=name,
        host="h",
        pid=1,
        slot=0,
        version="1",
        schemas={},
        started_at=at,
        beat_at=at,
        interval=interval,
        resident=1,
    )


def test_all_lanes_are_listed_with_their_offsets_the_log_and_the_lag(summaries, run):
    take(summaries, OTHER, owner="worker-2")
    code, out, _ = run("list", "--json")
    assert code == 0
    rows = json.loads(out)
    assert [each["topic"] for each in rows] == ["metrics", "mutes"] * 2
    one, other = (each for each in rows if each["topic"] == "metrics")
    assert (one["agent"], one["partition"], one["topic"], one["partitions"]) == ("metrics", 0, "metrics", 4)
    assert (one["offset"], one["log_start"], one["log_end"], one["lag"]) == (30, 5, 40, 10)
    assert (one["step"], one["version"], one["worker"], one["stopped"]) == (1, 2, "worker-1", "")
    # nothing of it was read yet: all that is there waits
    assert (other["offset"], other["lag"], other["worker"]) == (None, 35, "worker-2")


def test_the_table_shows_the_same_and_nothing_in_it_is_obeyed(summaries, run):
    commit(summaries, take(summaries, owner="a\x1b[2J"), lane={"offsets": {"metrics": 39}, "stopped": "a flood\x1b[1m"})
    code, out, _ = run("list")
    assert code == 0
    (line,) = [line for line in out.splitlines() if line.startswith("metrics/0")]
    assert line.split()[1:7] == ["metrics", "39", "5", "to", "40", "1"]
    assert "a flood\\x1b[1m" in line
    assert "\x1b[2J" not in out


def test_without_a_broker_the_lag_is_unknown_and_the_rest_is_listed(summaries, run, kafka):
    kafka.down = True
    code, out, err = run("list")
    assert code == 0
    assert "metrics/0" in out
    assert "without the broker there is no lag" in err


def test_a_move_is_said_first_and_done_with_yes(summaries, run):
    before = summaries.read_lane(LANE)
    code, out, _ = run(*MOVE, "35", *BECAUSE)
    assert code == 0
    assert "from offset 30 to 35" in out
    assert "offsets 30 to 34 are skipped" in out
    assert "dry run" in out
    assert summaries.read_lane(LANE) == before

    code, out, _ = run(*MOVE, "35", *BECAUSE, "--yes")
    assert code == 0
    row = summaries.read_lane(LANE)
    assert (row.offsets, row.step, row.version) == ({"metrics": 35}, before.step + 1, before.version + 1)
    (done,) = summaries.interventions(LANE)
    assert (done.before, done.after, done.because, done.sequence) == (30, 35, "the broker lost its disk", row.step)
    assert "@" in done.by
    assert abs(done.at - time.time()) < 60


def test_a_move_back_says_what_counts_twice(summaries, run):
    code, out, _ = run(*MOVE, "5", *BECAUSE)
    assert code == 0
    assert "offsets 5 to 29 are read again" in out


@pytest.mark.parametrize("offset", ["5", "40"])
def test_both_ends_of_the_log_can_be_moved_to(summaries, run, offset):
    assert run(*MOVE, offset, *BECAUSE, "--yes")[0] == 0


@pytest.mark.parametrize("offset", ["4", "41", "-1"])
def test_an_offset_outside_the_log_is_refused(summaries, run, offset):
    code, _, err = run(*MOVE[:3], "metrics", *BECAUSE, "--yes", "--", offset)
    assert code == 1
    assert f"offset {offset} lies outside the log of metrics/0: 5 to 40" in err
    assert summaries.read_lane(LANE).offsets == {"metrics": 30}


def test_a_lane_whose_owner_is_alive_is_refused_and_one_of_a_silent_owner_is_not(summaries, run):
    beat_at(summaries, beating("worker-1", summaries.now() - 19))
    code, _, err = run(*MOVE, "35", *BECAUSE, "--yes")
    assert code == 1
    assert "worker worker-1 owns lane metrics/0 and is alive" in err
    assert summaries.read_lane(LANE).offsets == {"metrics": 30}
    beat_at(summaries, beating("worker-1", summaries.now() - 30))
    assert run(*MOVE, "35", *BECAUSE, "--yes")[0] == 0


def test_the_id_of_a_topic_that_was_created_anew_is_forgotten(summaries, run, kafka):
    kafka.ids["metrics"], kafka.log = "id2", Log(0, 12)
    code, out, _ = run(*MOVE, "0", *BECAUSE, "--yes")
    assert code == 0
    assert "was created anew: its old id is forgotten" in out
    assert "cannot be rebuilt" in out
    assert "read again" not in out
    assert summaries.topic_ids(LANE) == {}


def test_a_topic_that_lost_its_end_says_that_offsets_are_given_out_again(summaries, run, kafka):
    kafka.log = Log(0, 12)
    code, out, _ = run(*MOVE, "12", *BECAUSE, "--yes")
    assert code == 0
    assert "given out a second time" in out
    assert summaries.topic_ids(LANE) == {"metrics": "id1"}


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("move", "metrics", "7", "metrics", "35"), "there is no lane metrics/7; there are: metrics/0"),
        (("move", "metrics", "0", "risk", "35"), "metrics reads metrics, mutes, not risk"),
        ((*MOVE, "30"), "is at offset 30 of metrics already"),
    ],
)
def test_what_makes_no_sense_is_refused(summaries, run, arguments, why):
    code, _, err = run(*arguments, *BECAUSE, "--yes")
    assert code == 1
    assert why in err


def test_another_cluster_is_refused(summaries, run, kafka):
    kafka.cluster = "another"
    code, _, err = run(*MOVE, "35", *BECAUSE, "--yes")
    assert code == 1
    assert "on cluster cluster-1, but another answers" in err


def test_a_worker_that_is_quicker_wins(summaries, run, kafka, monkeypatch):
    def take_over_meanwhile(topics):
        take(summaries, owner="quick")
        return {}

    monkeypatch.setattr(kafka, "topic_ids", take_over_meanwhile)
    code, _, err = run(*MOVE, "35", *BECAUSE, "--yes")
    assert code == 75
    assert "nothing was changed" in err
    assert summaries.read_lane(LANE).offsets == {"metrics": 30}


def test_a_reason_is_needed(summaries, run):
    for reason in ((), ("--because", "  ")):
        with pytest.raises(SystemExit):
            run(*MOVE, "35", *reason, "--yes")


def test_a_stopped_lane_stays_stopped(summaries, run):
    row = take(summaries)
    commit(summaries, row, lane={"stopped": "1000 invalid events in a row"})
    code, out, _ = run(*MOVE, "35", *BECAUSE, "--yes")
    assert code == 0
    assert "stays stopped: 1000 invalid events in a row" in out
    assert summaries.read_lane(LANE).stopped
