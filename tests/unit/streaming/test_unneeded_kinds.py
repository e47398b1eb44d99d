"""A webhook of all events of a tool does not stop its lane, whatever else comes; what is wrong still does."""

from dataclasses import replace

import pytest

from tests.support.fakes.notes import NOTES, Note, encode, notes_route
from tests.unit.events.formats.payloads import (
    REPOSITORY,
    SENDER,
    cdevent,
    encoded,
    github_deployment,
    github_run,
    translated,
)
from tests.unit.streaming.computing import RIGHT, Computing, batch, record
from vigia.events.invalid import Invalid, Reason
from vigia.streaming.flood import FloodLimits

PUSH = {"ref": "refs/heads/main", "commits": [], "repository": REPOSITORY, "sender": SENDER}
GITLAB = {"object_kind": "push", "event_name": "push", "project": {"id": 15, "name": "shop"}, "commits": []}
UNNEEDED = {
    "by header": (PUSH, [("X-GitHub-Event", b"push")]),
    "by header alone": ({"zen": "Half measures are as bad as nothing at all."}, [("X-GitHub-Event", b"ping")]),
    "by payload": (PUSH, []),
    "of an organisation": ({"action": "added", "team": {}, "organization": {"login": "acme"}, "sender": SENDER}, []),
    "another action": (github_run() | {"action": "rerequested"}, [("X-GitHub-Event", b"workflow_run")]),
    "cdevent": (cdevent("build.finished"), []),
    "approval": (cdevent("approval.created", "0.6.0-draft"), []),
    "custom cdevent": (cdevent(type="dev.cdeventsx.acme-tool.happened.0.1.0"), []),
    "gitlab by header": (GITLAB, [("X-Gitlab-Event", b"Push Hook")]),
    "gitlab by payload": (GITLAB, []),
}
WRONG = {
    "not json": (b"{", [("X-GitHub-Event", b"push")]),
    "no event's name": (encoded(PUSH), [("X-GitHub-Event", b"Push 7!")]),
    "who sent it is not known": (encoded({"action": "added", "sender": {"name": "ada"}}), []),
    "no action's name": (encoded(github_deployment() | {"action": "Created!"}), []),
    "a field is wrong": (encoded(github_deployment(number="42")), []),
    "no cdevent's type": (encoded(cdevent(type="dev.cdevents.build")), []),
    "a cdevent's version": (encoded(cdevent("build.finished", "0.3.0")), []),
    "a kind that is no text": (encoded({"object_kind": 7, "project": {}}), []),
}


def lane(limits):
    return Computing(limits, route=notes_route(replace(NOTES, formats=True)))


@pytest.mark.parametrize("name", UNNEEDED)
def test_what_a_known_sender_sends_and_nobody_needs_is_told_from_what_is_wrong(name):
    body, headers = UNNEEDED[name]
    (refused,) = translated(encoded(body), headers)
    assert (refused.reason, refused.unneeded, refused.detail[:10]) == (Reason.UNKNOWN_TYPE, True, "not needed")


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_counts_whoever_sent_it(name):
    value, headers = WRONG[name]
    (refused,) = replace(NOTES, formats=True).decode(value, headers)
    assert isinstance(refused, Invalid)
    assert not refused.unneeded


def test_a_flood_of_unneeded_kinds_stops_nothing_and_each_is_kept_and_accepted():
    stream = lane(FloodLimits(ratio=0.0, minimum=1, run=1))
    sent = [record(encoded(body), None, headers=headers) for body, headers in UNNEEDED.values()]
    for _ in range(3):
        commit = stream.apply(batch(*sent))
        assert (commit.lane.stopped, commit.lane.flood_seen, commit.lane.flood_run) == ("", 0, 0)
        assert [letter.status for letter in commit.dead_letters] == ["accepted"] * len(sent)
    assert stream.count("in") == stream.count("invalid") == 3 * len(sent)


def test_unneeded_kinds_between_neither_hide_a_flood_nor_end_a_run():
    bad, unneeded = record(b"{", None), record(encoded(PUSH), None)
    stream = lane(FloodLimits(ratio=1.0, minimum=100, run=3))
    assert stream.apply(batch(bad, unneeded)).lane.flood_run == 1
    assert stream.apply(batch(unneeded)).lane.flood_run == 1
    commit = stream.apply(batch(unneeded, bad, unneeded, bad))
    assert commit.lane.stopped == "3 invalid events in a row (limit 3)"
    assert [letter.status for letter in commit.dead_letters] == ["accepted", "open", "accepted", "open"]
    share = lane(FloodLimits(ratio=0.5, minimum=2, run=100))
    good = Note(service=RIGHT[0])
    kept = share.apply(batch(record(encode(good), good.service), *[unneeded] * 9, bad)).lane
    assert (kept.flood_seen, kept.flood_invalid, kept.stopped) == (2, 1, "")
    assert share.apply(batch(*[unneeded] * 9, bad)).lane.stopped
