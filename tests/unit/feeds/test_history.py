"""The recorded history: real changes in time order, and outcomes when they became known."""

import csv
import gzip
from pathlib import Path

import msgspec
import pytest

from vigia.events.decoding import EventDecoder
from vigia.events.deployments import Deployment
from vigia.events.feedback import Outcome
from vigia.feeds import history

EVENTS = list(history.events("test"))
DEPLOYMENTS = [sent.event for sent in EVENTS if isinstance(sent.event, Deployment)]
OUTCOMES = [sent.event for sent in EVENTS if isinstance(sent.event, Outcome)]
HEADER = "commit_ts,defect_found_ts,defective," + ",".join(history.FEATURES)
DAY = 86_400


def recorded(path: Path, *changes: tuple[int, int | None]) -> Path:
    rows = [f"{at},{found or ''},{int(bool(found))}" + ",1" * len(history.FEATURES) for at, found in changes]
    path.write_bytes(gzip.compress("\n".join([HEADER, *rows]).encode()))
    return path


def told(path):
    return [
        (
            sent.event.external_id[:4],
            sent.event.failed if isinstance(sent.event, Outcome) else "deployed",
            sent.event.at,
        )
        for sent in history.events("test", path)
    ]


def test_time_never_goes_back():
    times = [sent.event.at for sent in EVENTS]
    assert times == sorted(times)


def test_every_change_is_one_deployment_with_all_of_its_features():
    assert len(DEPLOYMENTS) == 600
    assert len({each.deployment_id for each in DEPLOYMENTS}) == 600
    for each in DEPLOYMENTS:
        assert (each.environment, each.scope, each.stage) == ("history", "sentry", "finished")
        assert all(getattr(each.features, name) is not None for name in history.FEATURES)


def test_every_deployment_has_its_outcome_in_the_end():
    with gzip.open(history.DATA, "rt") as lines:
        rows = list(csv.DictReader(lines))
    last = {each.deployment_id: each.failed for each in OUTCOMES}
    assert [last[each.deployment_id] for each in DEPLOYMENTS] == [bool(row["defect_found_ts"]) for row in rows]


def test_no_outcome_is_told_before_it_was_known():
    deployed = {each.deployment_id: each.at for each in DEPLOYMENTS}
    for each in OUTCOMES:
        assert each.at >= deployed[each.deployment_id]
        assert each.failed or each.at == deployed[each.deployment_id] + 90 * DAY


def test_a_defect_found_late_corrects_a_clean_outcome(tmp_path):
    path = recorded(tmp_path / "a.csv.gz", (0, 100 * DAY), (DAY, 2 * DAY), (95 * DAY, None))
    assert told(path) == [
        ("0001", "deployed", 0),
        ("0002", "deployed", DAY),
        ("0002", True, 2 * DAY),
        ("0001", False, 90 * DAY),
        ("0003", "deployed", 95 * DAY),
        ("0001", True, 100 * DAY),
        ("0003", False, 185 * DAY),
    ]


def test_what_is_known_at_the_moment_of_a_change_comes_before_it(tmp_path):
    assert told(recorded(tmp_path / "a.csv.gz", (0, DAY), (DAY, None)))[1] == ("0001", True, DAY)


def test_another_run_is_another_set_of_deployments_and_outcomes():
    again = list(history.events("again"))
    assert {sent.event.identity for sent in EVENTS}.isdisjoint(sent.event.identity for sent in again)
    assert len({sent.event.identity for sent in EVENTS}) == len(EVENTS)
    assert [sent.event.at for sent in again] == [sent.event.at for sent in EVENTS]


def test_the_history_is_the_same_every_time():
    assert list(history.events("test")) == EVENTS


@pytest.mark.parametrize(("topic", "kind"), [("deployments", Deployment), ("feedback", Outcome)])
def test_what_is_sent_can_be_read(topic, kind):
    decoder = EventDecoder((kind,))
    for sent in EVENTS[:50] + EVENTS[-50:]:
        if sent.topic == topic:
            assert decoder.decode(msgspec.json.encode(sent.event)) == [sent.event]


def test_the_data_is_small_and_says_where_it_is_from():
    assert history.DATA.stat().st_size <= 200_000
    notes = (history.DATA.parent / "README.md").read_text()
    assert history.DATA.name in notes
    assert "Attribution-ShareAlike 3.0" in notes
    assert "Cabral" in notes
