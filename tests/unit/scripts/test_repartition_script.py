"""`scripts/topics.py repartition`: refused unless all is at rest, said before it is done, finished when run again."""

import time

import pytest

from scripts import topics
from scripts.operations.kafka_view import Log
from scripts.repartitioning import acting, command
from tests.contract.summaries_rows import commit, output
from tests.unit.scripts.test_lanes_script import beating
from vigia.events.effects import Timer
from vigia.stores.base import LaneId, StateRow
from vigia.stores.errors import Transient, Unusable
from vigia.streaming.partitions import partition_of

SERVICES = [f"service-{number}" for number in range(40)]
NOW = ("--watch", "0")


class FakeKafka:
    """A broker with the topics of one agent; every log goes from 0 to 10, and has records up to 10."""

    def __init__(self) -> None:
        self.partitions = {"metrics": 4, "mutes": 4}
        self.ends: dict[tuple[str, int], int] = {}
        self.last_record = 9
        self.growing = False
        self.cluster = "cluster-1"
        self.refuses = self.killed = False
        self.asked: list[tuple[list[str], int, bool]] = []

    def cluster_id(self):
        return self.cluster

    def counts(self, names):
        return {name: self.partitions[name] for name in names if name in self.partitions}

    def logs(self, partitions):
        if self.growing:
            self.ends["metrics", 2] = self.ends.get(("metrics", 2), 10) + 1
        return {each: Log(0, self.ends.get(each, 10 if each[1] < 4 else 0)) for each in partitions}

    def topic_ids(self, _names):
        return {}

    def has_records(self, places):
        return {each for each, offset in places.items() if offset <= self.last_record}

    def grow(self, names, count, *, only_ask=False):
        self.asked.append((list(names), count, only_ask))
        if self.refuses:
            raise Unusable("the broker refuses more partitions")
        if not only_ask:
            self.partitions.update(dict.fromkeys(names, count))
        if self.killed:
            raise KeyboardInterrupt


@pytest.fixture
def kafka(monkeypatch):
    fake = FakeKafka()
    monkeypatch.setattr(command, "GrowingView", lambda _settings: fake)
    return fake


@pytest.fixture
def summaries(summaries, url, monkeypatch, kafka):
    monkeypatch.setenv("VIGIA_SUMMARIES_URL", url)
    for number in range(4):
        mine = [name for name in SERVICES if partition_of(name.encode(), 4) == number]
        commit(
            summaries,
            summaries.acquire(LaneId("metrics", number), "worker-1", "cluster-1", 4),
            lane={"offsets": {"metrics": 10, "mutes": 10}, "clock": 100.0},
            states=[StateRow(name, 2, b"x") for name in mine],
            timers_set=[Timer("idle", name, 200.0) for name in mine],
        )
    return summaries


@pytest.fixture
def run(capsys):
    def line(*arguments):
        code = topics.main(["repartition", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return line


def places(summaries):
    """Where each service's state lies."""
    return {key: row.lane.partition for row in summaries.lanes() for key in summaries.state_keys(row.lane)}


def expected(count):
    return {name: partition_of(name.encode(), count) for name in SERVICES}


def test_it_is_said_first_and_done_with_yes(summaries, run, kafka):
    before = summaries.lanes()
    code, out, err = run("metrics", "6", *NOW)
    assert (code, err) == (0, "")
    moving = sum(expected(4)[name] != expected(6)[name] for name in SERVICES)
    assert f"4 become 6; {moving} of 40 states change lanes, their timers with them (40 in all)" in " ".join(
        out.split()
    )
    assert "dry run: nothing speaks against it" in out
    assert kafka.asked == [(["metrics", "mutes"], 6, True)]
    assert summaries.lanes() == before

    code, out, err = run("metrics", "6", *NOW, "--because", "more services", "--yes")
    assert (code, err) == (0, "")
    assert "done: metrics has 6 lanes; start the workers, then the senders" in out
    assert kafka.partitions == {"metrics": 6, "mutes": 6}
    assert places(summaries) == expected(6)
    (done,) = summaries.interventions(LaneId("metrics", 5))
    assert (done.because, done.before, done.after) == ("more services", 4, 6)
    assert abs(done.at - time.time()) < 60

    code, _, err = run("metrics", "6", *NOW, "--yes")
    assert code == 1
    assert "metrics has 6 partitions already, and so have its lanes" in err


def break_worker(summaries, _kafka):
    summaries.beat(beating("worker-1", time.time()))


def break_stop(summaries, _kafka):
    commit(summaries, summaries.read_lane(LaneId("metrics", 1)), lane={"stopped": "a flood"})


def break_outbox(summaries, _kafka):
    commit(summaries, summaries.read_lane(LaneId("metrics", 1)), outbox=[output(0)])


def break_timer(summaries, _kafka):
    commit(summaries, summaries.read_lane(LaneId("metrics", 1)), timers_set=[Timer("idle", "x", 100.0)])


def break_lag(_summaries, kafka):
    kafka.ends["metrics", 3], kafka.last_record = 12, 11


def break_rest(_summaries, kafka):
    kafka.growing = True


def break_cluster(_summaries, kafka):
    kafka.cluster = "another"


def break_count(_summaries, kafka):
    kafka.partitions["metrics"] = 5


def break_place(summaries, _kafka):
    stranger = next(name for name in SERVICES if partition_of(name.encode(), 4) != 1)
    commit(summaries, summaries.read_lane(LaneId("metrics", 1)), states=[StateRow(stranger + "!", 2, b"x")])


def break_offset(_summaries, kafka):
    kafka.ends["metrics", 3] = 9


@pytest.mark.parametrize(
    ("breaks", "why"),
    [
        (break_worker, "worker worker-1 gives signs of life"),
        (break_stop, "lane metrics/1 is stopped (a flood): release it with"),
        (break_outbox, "lane metrics/1 has 1 outputs that wait to be published"),
        (break_timer, "lane metrics/1 has timers that its clock has passed"),
        (break_lag, "metrics/3 hold records that are not applied: let the workers apply them"),
        (break_rest, "records come in (metrics/2 grew within 0 s): stop the senders"),
        (break_cluster, "is on cluster cluster-1, but another answers"),
        (break_count, "topic metrics has 5 partitions, neither 4 as its lanes know nor 6: give 5"),
        (break_place, "lies in lane metrics/1, where its key does not belong"),
        (break_offset, "metrics/3 stand outside their logs"),
    ],
)
def test_what_is_not_at_rest_is_refused_and_said(summaries, run, kafka, breaks, why):
    breaks(summaries, kafka)
    rows, counts = summaries.lanes(), dict(kafka.partitions)
    for more in ((), ("--yes", "--despite-lag")):
        code, _, err = run("metrics", "6", *NOW, *more)
        assert code == 1
        assert why in err
        assert "refused: nothing was changed" in err
        assert (summaries.lanes(), kafka.partitions, kafka.asked) == (rows, counts, [])


def test_everything_that_speaks_against_it_is_said_at_once(summaries, run, kafka):
    for breaks in (break_worker, break_lag, break_outbox, break_rest):
        breaks(summaries, kafka)
    _, _, err = run("metrics", "6", *NOW)
    assert err.count("\n- ") + err.startswith("- ") == 4


def test_the_mark_of_a_transaction_behind_the_last_record_is_no_lag(summaries, run, kafka):
    kafka.ends = {("metrics", number): 11 for number in range(4)}
    assert run("metrics", "6", *NOW, "--yes")[0] == 0


def test_after_a_kill_between_the_topics_and_the_database_it_is_finished(summaries, run, kafka):
    kafka.killed = True
    with pytest.raises(KeyboardInterrupt):
        run("metrics", "6", *NOW, "--yes")
    assert kafka.partitions == {"metrics": 6, "mutes": 6}
    assert places(summaries) == expected(4)
    kafka.killed = False
    assert run("metrics", "6", *NOW, "--yes")[0] == 0
    assert places(summaries) == expected(6)
    assert [row.step for row in summaries.lanes()] == [2, 2, 2, 2, 1, 1]


def test_what_waits_may_be_overtaken_only_where_no_worker_could_apply_it(summaries, run, kafka):
    kafka.partitions["metrics"] = 6
    break_lag(summaries, kafka)
    # those are where they belong already
    kafka.ends["metrics", 5] = 3
    code, _, err = run("metrics", "6", *NOW, "--yes")
    assert code == 1
    assert "metrics/3 hold records that are not applied, and no worker starts" in err
    assert run("metrics", "6", *NOW, "--yes", "--despite-lag")[0] == 0
    assert places(summaries) == expected(6)


def test_a_worker_that_starts_meanwhile_wins(summaries, run, kafka, monkeypatch):
    taken = acting.take_over

    def quicker(_summaries, rows):
        held = taken(_summaries, rows)
        _summaries.acquire(LaneId("metrics", 0), "quick", "cluster-1", 4)
        return held

    monkeypatch.setattr(command, "take_over", quicker)
    code, _, err = run("metrics", "6", *NOW, "--yes")
    assert code == 75
    assert "Nothing was moved" in err
    assert places(summaries) == expected(4)


@pytest.mark.parametrize("count", ["4", "3"])
def test_partitions_are_not_taken_away(summaries, run, count):
    code, _, err = run("metrics", count, *NOW, "--yes")
    assert code == 1
    assert "metrics has 4 partitions" in err


def test_a_broker_that_refuses_or_stays_away_is_told_apart(summaries, run, kafka, monkeypatch):
    kafka.refuses = True
    assert run("metrics", "6", *NOW, "--yes")[0] == 78
    assert places(summaries) == expected(4)

    def away(_names):
        raise Transient("no broker")

    monkeypatch.setattr(kafka, "counts", away)
    assert run("metrics", "6", *NOW, "--yes")[0] == 75


def test_agents_topics_and_numbers_that_are_none_are_refused(summaries, run, kafka):
    code, _, err = run("nobody", "6", *NOW)
    assert code == 1
    assert "there is no agent nobody; there are: deployments, metrics" in err
    code, _, err = run("deployments", "6", *NOW)
    assert code == 1
    assert "there is no topic deployments, feedback" in err
    for count in ("0", "six", "10001"):
        with pytest.raises(SystemExit):
            run("metrics", count)


def test_an_agent_that_never_lived_gets_its_lanes_at_once(summaries, run, kafka):
    kafka.partitions = {"ai-decisions": 4}
    kafka.last_record = -1
    assert run("telemetry", "8", *NOW, "--yes")[0] == 0
    rows = [row for row in summaries.lanes() if row.lane.agent == "telemetry"]
    assert [row.partition_count for row in rows] == [8] * 8
