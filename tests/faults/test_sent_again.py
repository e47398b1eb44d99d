"""Senders that send a tenth of all events again, at other offsets: each counts once."""

import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tests.faults.checks import check_rebuild, check_steps
from tests.support import Sender, counts, fresh_environment, opened_stores, read_topic, wait_until, worker
from tests.support.bad_case import decision, deployment, encoded, outcome, sample
from vigia.events.summaries import WindowSummary
from vigia.stores.sql.summary_rows import select_rows, to_struct

SEED = 8
EACH = 500
"""Events of each topic."""
OWN = {"ai-decisions": 2 * EACH}
"""What Vigia tells itself: each risk score is a decision, and each outcome judges one."""
SETTINGS: dict[str, Any] = {"VIGIA_METRICS_IDLE_TIMEOUT": "3s", "VIGIA_KAFKA_MAX_POLL_RECORDS": "200"}

Event = tuple[str, str, dict[str, Any]]


def events(now: float) -> Iterator[Event]:
    """Topic, key and event: all of them with an id of their own."""
    for number in range(EACH):
        service, scope, agent = f"service-{number % 20}", f"team-{number % 7}", f"agent-{number % 3}"
        at = now - 3_600 + number
        yield "metrics", service, sample(at, service=service, event_id=f"sample-{number}", value=float(number))
        yield "deployments", scope, deployment(at, scope=scope, external_id=f"d{number}", stage="planned")
        yield "feedback", scope, outcome(at, scope=scope, external_id=f"d{number}")
        yield "ai-decisions", agent, decision(at, agent=agent, decision_id=f"decision-{number}")


def test_a_tenth_of_all_events_that_are_sent_again_count_once(stack, tmp_path):
    rnd = random.Random(SEED)
    once = list(events(time.time()))
    again = rnd.sample(range(len(once)), len(once) // 10)
    # at any distance behind the first one: next to it, in its batch, or long after
    repeats = [(place + rnd.expovariate(1 / 200), place) for place in again]
    order = sorted([*((float(place), place) for place in range(len(once))), *repeats])
    expected = Counter(once[place][0] for place in again)
    with fresh_environment(stack, tmp_path, **SETTINGS) as env:
        with worker(env), worker(env):
            with Sender(env) as sender:
                for _, place in order:
                    topic, key, event = once[place]
                    sender.send(topic, encoded(event), key=key.encode())

            def all_in() -> bool:
                found = counts(env)
                return all(found[f"{topic}.in"] >= EACH + OWN.get(topic, 0) + expected[topic] for topic in expected)

            wait_until(all_in, 90, f"all events ({counts(env)})", pause=0.5)
            wait_until(lambda: windows(env) >= EACH, 60, "the end of every window", pause=0.5)
        found = counts(env)
        assert {topic: (found[f"{topic}.applied"], found[f"{topic}.duplicate"]) for topic in expected} == {
            topic: (EACH + OWN.get(topic, 0), repeated) for topic, repeated in expected.items()
        }
        assert windows(env) == EACH
        risks = [json.loads(record.value or b"")["external_id"] for record in read_topic(env, "risk")]
        assert sorted(risks) == sorted(f"d{number}" for number in range(EACH))
        check_steps(env)
        check_rebuild(env)


def windows(env: Mapping[str, str]) -> int:
    """The samples in all windows that are closed."""
    with opened_stores(env) as stores:
        return sum(to_struct(WindowSummary, row).count for row in stores.summaries.fetch(select_rows(WindowSummary)))
