"""An event that a release cannot take: the worker ends twice, the third one sets the event aside and goes on."""

import time

from tests.faults.checks import check_rebuild, check_steps
from tests.support import Sender, counts, fresh_environment, opened_stores, start_worker, wait_until, worker
from tests.support.bad_case import encoded, sample

BUG = 70
POISON = 666.0
COMMAND = ("-m", "tests.faults.buggy_worker", str(POISON))


def test_a_poison_batch_ends_the_worker_twice_and_is_then_applied_without_the_event_that_it_fails_on(stack, tmp_path):
    with fresh_environment(stack, tmp_path) as env:
        with Sender(env) as sender:
            for number in range(20):
                value = POISON if number == 13 else float(number)
                sender.send("metrics", encoded(sample(time.time(), value=value)), key=b"shop")
        for _ in range(2):
            one = start_worker(env, command=COMMAND)
            try:
                assert one.wait_ended(90) == BUG, one.log
            finally:
                if one.running:
                    one.kill()
            assert "this release cannot take this value" in one.log
            assert counts(env)["metrics.in"] == 0
        with worker(env, command=COMMAND) as third:
            wait_until(lambda: counts(env)["metrics.in"] == 20, 60, "the batch")
            with Sender(env) as sender:
                sender.send("metrics", encoded(sample(time.time())), key=b"shop")
            wait_until(lambda: counts(env)["metrics.in"] == 21, 30, "what came after it")
            assert third.running
        found = counts(env)
        assert (found["metrics.applied"], found["metrics.invalid"]) == (20, 1)
        with opened_stores(env) as stores:
            (letter,) = stores.summaries.dead_letters("open", 10)
        assert (letter.reason, letter.offset) == ("model_error", 13)
        assert "ZeroDivisionError: this release cannot take this value" in letter.detail
        check_steps(env)
        check_rebuild(env)
