"""What delivery and AI agents are measured by: three workers, one of them killed, tell what one and a rebuild do."""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.faults.checks import check_rebuild
from tests.faults.crew import Crew
from tests.support import Sender, counts, fresh_environment, read_topic, wait_until
from tests.support.processes import without_settings

ROOT = Path(__file__).resolve().parents[2]
DAYS = 60
TEAMS = [f"team-{number}" for number in range(8)]
AGENTS = [f"agent-{number}" for number in range(6)]
SETTINGS: dict[str, Any] = {"VIGIA_KAFKA_SESSION_TIMEOUT": "6s", "VIGIA_KAFKA_HEARTBEAT_INTERVAL": "1s"}

Record = tuple[str, str, dict[str, Any]]
"""Topic, key, event."""


def history(seed: int, until: float) -> list[Record]:
    """Return two months of eight teams and six agents, in an order that is not that of their times."""
    rnd = random.Random(seed)
    records = [record for number in range(400) for record in _delivered(rnd, number, until)]
    records += [record for number in range(1_500) for record in _decided(rnd, number, until)]
    rnd.shuffle(records)
    # some are sent again
    return records + rnd.sample(records, len(records) // 20)


def _delivered(rnd: random.Random, number: int, until: float) -> Iterator[Record]:
    scope = rnd.choice(TEAMS)
    at = round(until - rnd.uniform(2.0, DAYS) * 86_400.0, 3)
    about = {"source": "ci", "external_id": f"d{number}", "scope": scope}
    service = f"{scope}-{rnd.randrange(3)}"
    commits = [
        {"sha": f"{number:06x}{index}", "committed_at": at - rnd.uniform(60.0, 9e5)}
        for index in range(rnd.randrange(4))
    ]
    deployed = {**about, "service": service, "commits": commits, "runs": [f"run-{number}"]}
    yield "deployments", scope, {**deployed, "stage": "planned", "at": at}
    status = "failed" if rnd.random() < 0.1 else "succeeded"
    yield "deployments", scope, {**deployed, "stage": "finished", "status": status, "at": at + 300}
    if rnd.random() < 0.3:
        merged = {"type": "change.merged", "source": "git", "external_id": f"c{number}", "names": [f"run-{number}"]}
        yield "feedback", scope, {**merged, "scope": scope, "at": at - 500}
    if rnd.random() < 0.25:
        incident = {"source": "pager", "external_id": f"i{number}", "scope": scope, "service": service}
        linked = {"deployments": [["ci", f"d{number}"]]} if rnd.random() < 0.5 else {}
        yield "feedback", scope, {"type": "incident.opened", **incident, **linked, "at": at + 900}
        yield "feedback", scope, {"type": "incident.resolved", **incident, "at": at + 900 + rnd.uniform(60.0, 9e4)}
        if rnd.random() < 0.2:
            said = {"type": "attribution.corrected", **incident, "by": "eve", "deployment": ["ci", f"d{number}"]}
            yield "feedback", scope, {**said, "at": at + 100_000}
    if rnd.random() < 0.4:
        label = {"label": "intervention", "failed": rnd.random() < 0.3, "at": at + 2_000}
        yield "feedback", scope, {"type": "deployment.outcome", **about, **label}


def _decided(rnd: random.Random, number: int, until: float) -> Iterator[Record]:
    agent, at = rnd.choice(AGENTS), round(until - rnd.uniform(2.0, DAYS) * 86_400.0, 3)
    made = {
        "type": "decision",
        "agent": agent,
        "decision_id": f"x{number}",
        "decision_type": "review",
        "decision": "approve",
        "at": at,
    }
    yield "ai-decisions", agent, {**made, "confidence": round(rnd.random(), 3), "execution_time": rnd.randrange(9_000)}
    if rnd.random() < 0.4:
        judged = {"type": "decision.feedback", "agent": agent, "decision_id": f"x{number}", "at": at + 3_600}
        answer = {
            "judgement": rnd.choice(["correct", "correct", "partly", "incorrect"]),
            "judge": "person",
            "by": "eve",
        }
        yield "ai-decisions", agent, {**judged, **answer}


@contextmanager
def applied(stack: Mapping[str, str], folder: Path, records: list[Record], size: int) -> Iterator[dict[str, str]]:
    """Give an environment in which `size` workers have applied all records; of several, one was killed meanwhile."""
    with fresh_environment(stack, folder, **SETTINGS) as env, Sender(env) as sender, Crew(env, size=size) as crew:
        for worker in crew.workers:
            worker.wait_ready()
        for number, (topic, key, event) in enumerate(records):
            if number == len(records) // 2:
                sender.flush()
                if size > 1:
                    crew.workers[0].kill()
            sender.send(topic, json.dumps(event).encode(), key=key.encode())
        sender.flush()
        wanted = Counter(topic for topic, _, _ in records)

        def done() -> bool:
            found = counts(env)
            # Vigia's own decisions come on top of those that were sent
            return all(
                sum(found[f"{topic}.{part}"] for part in ("applied", "duplicate", "invalid")) >= number
                for topic, number in wanted.items()
            )

        wait_until(done, 120, "all records", pause=0.5)
        assert [record.value for record in read_topic(env, "dead-letters")] == []
        check_rebuild(env)
        yield env


def told(env: Mapping[str, str], *words: str) -> Any:
    """Return what a command of ours says as JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "vigia", *words, "--json"],
        cwd=ROOT,
        env={**without_settings(), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [1])
def test_three_workers_with_one_killed_measure_what_one_does(stack, tmp_path, seed):
    until = float(int(time.time()) // 86_400 * 86_400)
    records = history(seed, until)
    first, last = (datetime.fromtimestamp(until - days * 86_400, UTC).date().isoformat() for days in (DAYS, 1))
    span = "--since", first, "--until", last
    answers = []
    for size in (3, 1):
        with applied(stack, tmp_path / str(size), records, size) as env:
            delivery = told(env, "dora", "--days", *span)
            assert all(found["value"] is not None for found in delivery["metrics"])
            agents = [told(env, "ai-agents", "--agent", agent, *span) for agent in AGENTS]
            assert all(agents)
            answers.append((delivery, agents))
    assert answers[0] == answers[1]
