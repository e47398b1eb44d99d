"""A thing that services depend on fails: embedded broker, one worker, SQLite, and `vigia problems` in its process."""

import json
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from tests.support import Sender, counts, opened_stores, topic_records, wait_until, worker
from tests.support.processes import without_settings
from vigia.app import migrate
from vigia.cli.run import environment
from vigia.cli.run.broker import EmbeddedBroker, touch_topics
from vigia.events.samples import Sample
from vigia.settings import load
from vigia.stores.queries.open_proposals import open_proposals
from vigia.streaming.intake import encoded
from vigia.topics import TOPICS

ROOT = Path(__file__).resolve().parents[2]
DEPENDENTS = ("cart", "mail", "shop")
CATALOG = "\n".join(
    f'[[service]]\nname = "{name}"\nteam = "unassigned"\ndepends_on = ["orders-db"]' for name in DEPENDENTS
)
AGO = 1_200
"""Seconds before the test at which the samples begin: nothing is stale, and no window has to be waited for."""


def samples(service, begin, first, last, ratio):
    """Four samples in each of these minutes after `begin`."""
    for minute in range(first, last):
        at = begin + 60.0 * minute
        points = [(at + second, ratio) for second in (5.0, 20.0, 35.0, 50.0)]
        yield Sample(service=service, metric="error_rate", unit="1", points=points)


def problems(env):
    done = subprocess.run(
        [sys.executable, "-m", "vigia", "problems", "--json"],
        cwd=ROOT,
        env={**without_settings(), **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(done.stdout)


def wait_for_proposals(reader, number):
    wait_until(lambda: len(open_proposals(reader)) == number, 60, f"{number} proposals")


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What `vigia problems` said while all failed, and when two were over; with the proposals that waited then."""
    folder = tmp_path_factory.mktemp("shared")
    (folder / "catalog.toml").write_text(CATALOG)
    with ExitStack() as ending:
        broker = EmbeddedBroker(folder / "broker.log", {})
        ending.callback(broker.stop)
        env = environment.embedded({}, folder, broker.bootstrap, broker.cluster_id)
        env |= {"VIGIA_KAFKA_TOPIC_PREFIX": "", "VIGIA_CATALOG": str(folder / "catalog.toml")}
        settings = load(env)
        touch_topics(settings.kafka.confluent_config(), [settings.kafka.physical(topic.name) for topic in TOPICS])
        migrate(settings)
        ending.enter_context(worker(env))
        found, begin = [], int(time.time()) // 60 * 60 - AGO
        with Sender(env) as sender:
            for first, last, ratios, shared in (
                (0, 8, dict.fromkeys(DEPENDENTS, 0.3), "open"),
                (8, 16, {"cart": 0.0, "mail": 0.0, "shop": 0.3}, "resolved"),
            ):
                for service, ratio in ratios.items():
                    for event in samples(service, begin, first, last, ratio):
                        sender.send("metrics", encoded(event), key=service.encode())
                sender.flush()

                def said(shared=shared):
                    rows = {each["detector"]: each["status"] for each in problems(env)["problems"]}
                    return rows.get("shared_dependency") == shared

                wait_until(said, 90, f"the shared problem to be {shared}")
                with opened_stores(env) as stores:
                    wait_for_proposals(stores.summaries, 0 if shared == "open" else 1)
                    found.append((problems(env), [each.service for each in open_proposals(stores.summaries)]))
        links = [msgspec.json.decode(each.value or b"") for each in topic_records(env, "problem-links")]
        yield *found, links, counts(env)


def test_the_problems_of_all_are_part_of_one_that_names_them_and_none_is_proposed_a_fix(told):
    answer, proposed = told[0]
    rows = {(each["service"], each["detector"]): each for each in answer["problems"]}
    cause = rows["orders-db", "shared_dependency"]
    assert "3 services that depend on orders-db have problems" in cause["why"]
    assert "cart, mail, shop" in cause["why"]
    members = {rows[name, "high_error_rate"]["problem_id"] for name in DEPENDENTS}
    assert answer["part_of"] == dict.fromkeys(members, cause["problem_id"])
    assert proposed == []


def test_the_one_that_outlives_the_others_stands_for_itself_and_is_proposed_a_fix_again(told):
    answer, proposed = told[1]
    rows = {(each["service"], each["detector"]): each for each in answer["problems"]}
    assert rows["orders-db", "shared_dependency"]["status"] == "resolved"
    assert rows["shop", "high_error_rate"]["status"] == "open"
    assert rows["shop", "high_error_rate"]["problem_id"] not in answer["part_of"]
    assert proposed == ["shop"]


def test_each_word_between_the_lanes_was_taken_once(told):
    assert {each["type"] for each in told[2]} == {"problem.of.dependent", "problem.grouped"}
    assert told[3]["problem-links.applied"] == len(told[2])
    assert told[3]["problem-links.invalid"] == 0
