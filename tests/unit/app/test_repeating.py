"""A thread that repeats one thing goes on whatever that does."""

import threading

from vigia.app.repeating import Repeating


def test_what_runs_beside_goes_on_after_a_bug_until_it_is_stopped(caplog):
    calls, twice = [], threading.Event()

    def task():
        calls.append(1)
        if len(calls) == 2:
            twice.set()
        raise ZeroDivisionError

    beside = Repeating("test", 0.001, task)
    beside.start()
    assert twice.wait(10)
    beside.stop(10)
    made = len(calls)
    assert "a bug in test" in caplog.text
    assert len(calls) == made
