"""The supervisor restarts what may recover, stops where a person is needed, and leaves nobody behind."""

from collections import deque

import pytest

from vigia.cli.exits import BUG, NEEDS_PERSON, TRANSIENT, RunFailed
from vigia.cli.run.supervisor import MOST_FAILURES, STEADY_SECONDS, Supervisor


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Process:
    def __init__(self, pid, log, clock):
        self.pid = pid
        self.log = log
        self.code = None
        self.stubborn = False
        self.signals = []
        self.closed = False
        self._clock = clock

    def poll(self):
        return self.code

    def terminate(self):
        self.signals.append("term")
        if not self.stubborn:
            self.code = 0

    def kill(self):
        self.signals.append("kill")
        self.code = -9

    def wait(self, seconds):
        if self.code is None:
            self._clock.now += seconds
        return self.code is not None

    def close(self):
        self.closed = True


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def started():
    return deque()


@pytest.fixture
def supervise(clock, started, tmp_path):
    def make(count=1):
        def start(number):
            started.append(Process(1_000 + len(started), tmp_path / f"worker-{number}.log", clock))
            return started[-1]

        supervisor = Supervisor(start, count, clock)
        supervisor.start()
        return supervisor

    return make


@pytest.mark.parametrize("code", [BUG, TRANSIENT, -9, 0, 1])
def test_a_worker_that_ends_is_started_again_after_a_pause(supervise, started, clock, code):
    supervisor = supervise()
    started[0].code = code
    (said,) = supervisor.tick()
    assert "starting it again in 1 s" in said
    assert len(started) == 1
    clock.now += 1.0
    assert supervisor.tick() == []
    (status,) = supervisor.statuses()
    assert (status.state, status.pid, status.restarts) == ("running", 1_001, 1)


def test_the_pause_doubles_up_to_half_a_minute(supervise, started, clock):
    supervisor = supervise()
    pauses = []
    for _ in range(8):
        started[-1].code = BUG
        supervisor.tick()
        pauses.append(supervisor.statuses()[0].seconds)
        clock.now += pauses[-1]
        supervisor.tick()
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


def test_a_worker_that_ran_for_a_while_starts_again_quickly(supervise, started, clock):
    supervisor = supervise()
    for _ in range(3 * MOST_FAILURES):
        clock.now += STEADY_SECONDS
        started[-1].code = TRANSIENT
        supervisor.tick()
        assert supervisor.statuses()[0].seconds == 1.0
        clock.now += 1.0
        supervisor.tick()


def test_78_ends_the_run_with_the_end_of_the_workers_log(supervise, started):
    supervisor = supervise(count=2)
    started[1].log.write_text("".join(f"line {number}\n" for number in range(100)) + "the schema is from the future\n")
    started[1].code = NEEDS_PERSON
    with pytest.raises(RunFailed, match="the schema is from the future") as failed:
        supervisor.tick()
    assert failed.value.code == NEEDS_PERSON
    assert "line 99" in str(failed.value)
    assert "line 50" not in str(failed.value)


def test_a_worker_that_never_gets_going_ends_the_run(supervise, started, clock):
    supervisor = supervise()

    def fail():
        started[-1].code = BUG
        supervisor.tick()
        clock.now += 30.0
        supervisor.tick()

    for _ in range(MOST_FAILURES - 1):
        fail()
    with pytest.raises(RunFailed, match="in a row") as failed:
        fail()
    assert failed.value.code == BUG
    assert len(started) == MOST_FAILURES


def test_stopping_asks_all_workers_and_waits_for_them(supervise, started):
    supervisor = supervise(count=3)
    assert supervisor.stop() == []
    assert [process.signals for process in started] == [["term"]] * 3
    assert all(process.closed for process in started)


def test_a_worker_that_does_not_end_is_killed_after_the_stated_time(supervise, started, clock):
    supervisor = supervise(count=2)
    started[0].stubborn = True
    began = clock.now
    (said,) = supervisor.stop(5.0)
    assert "1000" in said
    assert started[0].signals == ["term", "kill"]
    assert started[1].signals == ["term"]
    assert 5.0 <= clock.now - began < 6.0


def test_whoever_insists_need_not_wait(supervise, started, clock):
    supervisor = supervise()
    started[0].stubborn = True
    began = clock.now
    supervisor.stop(25.0, lambda: True)
    assert started[0].signals == ["term", "kill"]
    assert clock.now - began < 1.0


def test_a_stopped_worker_is_not_started_again(supervise, started, clock):
    supervisor = supervise()
    supervisor.stop()
    clock.now += 3600.0
    assert supervisor.tick() == []
    assert len(started) == 1
