"""A repository's history as deployments and outcomes: known answers on small repositories, and laws on random ones."""

import pytest

from tests.support.repositories import START, Repository, numbered
from tests.unit.feeds.git.test_kamei import history as changes_of
from tests.unit.feeds.git.test_kamei import random_repository
from vigia.events.deployments import Deployment
from vigia.events.feedback import Outcome
from vigia.feeds.git.kamei import Past
from vigia.feeds.git_history import WAITING_TIME, History

DAY = 86_400
NOW = START + 10**9


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "till")


def events(repository, newest=None):
    return [sent.event for sent in History(repository.folder, "till", "payments", NOW, newest).events()]


def deployments(told):
    return [event for event in told if isinstance(event, Deployment)]


def outcomes(told):
    """(number of the commit, days after its deployment, failed) in the order in which they came."""
    order = {event.external_id: (number, event.at) for number, event in enumerate(deployments(told))}
    return [
        (order[event.external_id][0], round((event.at - order[event.external_id][1]) / DAY, 3), event.failed)
        for event in told
        if isinstance(event, Outcome)
    ]


def at(day):
    return START + day * DAY


def test_a_repair_tells_which_deployments_added_the_lines_that_it_removes(repository):
    repository.commit({"a.py": numbered("one", "two")}, at=at(0))
    repository.commit({"a.py": numbered("one", "two", "three")}, at=at(1))
    repository.commit({"b.py": numbered("other")}, at=at(2))
    repository.commit({"a.py": numbered("one", "2", "3")}, "Fix two and three", at=at(9))
    assert outcomes(events(repository)) == [(0, 9, True), (1, 8, True)]


def test_a_deployment_is_clean_after_90_days_and_may_prove_defective_later(repository):
    repository.commit({"a.py": numbered("one")}, at=at(0))
    repository.commit({"b.py": numbered("one")}, at=at(50))
    repository.commit({"b.py": numbered("1")}, "fix", at=at(95))
    repository.commit({"a.py": numbered("1")}, "bug", at=at(150))
    assert WAITING_TIME == 90 * DAY
    # the repairs' own 90 days are not over when the history ends
    assert outcomes(events(repository)) == [(0, 90, False), (1, 45, True), (0, 150, True)]


def test_what_is_no_repair_blames_nobody(repository):
    repository.commit({"a.py": numbered("one")}, at=at(0))
    repository.commit({"a.py": numbered("1")}, "Refactor", at=at(1))
    repository.commit({"a.py": numbered("1", "2")}, "Fix by adding", at=at(2))
    assert outcomes(events(repository)) == []


def test_a_repair_blames_once_and_never_itself(repository):
    repository.commit({"a.py": numbered("one", "two")}, at=at(0))
    repository.commit({"a.py": numbered("1", "two")}, "fix", at=at(1))
    repository.commit({"a.py": numbered("1", "2")}, "fix again", at=at(2))
    assert outcomes(events(repository)) == [(0, 1, True)]


def test_renamed_files_and_white_space_lead_to_who_added_the_line(repository):
    repository.commit({"a.py": numbered("one", "two", "three", "four")}, at=at(0))
    repository.commit({}, renames={"a.py": "lib/b.py"}, at=at(1))
    repository.commit({"lib/b.py": numbered("one", "  two", "three", "four")}, "Indent", at=at(2))
    repository.commit({"lib/b.py": numbered("one", "  2", "three", "four")}, "Fixed", at=at(3))
    assert outcomes(events(repository)) == [(0, 3, True)]


def test_binary_files_comments_and_prose_blame_nobody(repository):
    repository.commit(
        {"a.png": b"\0\1", "CHANGELOG.md": numbered("- one"), "a.py": numbered("# note", "one")}, at=at(0)
    )
    repository.commit(
        {"a.png": b"\0\2", "CHANGELOG.md": numbered("- 1"), "a.py": numbered("# Note", "one")}, "fix", at=at(1)
    )
    assert outcomes(events(repository)) == []


def test_steps_that_the_repository_lists_as_formatting_are_looked_through(repository):
    repository.commit({"a.py": numbered("x = [1,2]", "y = 1")}, at=at(0))
    formatting = repository.commit({"a.py": numbered("x = [", "1, 2,", "]", "y = 1")}, "Format, fix style", at=at(1))
    repository.commit({".git-blame-ignore-revs": numbered("# black", f"{formatting}  # all")}, at=at(2))
    repository.commit({"a.py": numbered("x = [", "1, 3,", "]", "y = 1")}, "fix", at=at(3))
    assert outcomes(events(repository)) == [(0, 3, True)]


def test_a_merge_is_one_deployment_of_its_commits_and_is_blamed_as_one(repository):
    first = repository.commit({"a.py": numbered("one")}, at=at(0))
    side = [
        repository.commit({"b.py": numbered(*range(n + 1))}, branch="side", start=first, at=at(1) + n) for n in range(2)
    ]
    repository.commit({"b.py": numbered(0, 1)}, "Merge", merge=side[-1], at=at(5))
    repository.commit({"b.py": numbered(0, "I")}, "fix", at=at(6))
    told = events(repository)
    assert [[each.sha for each in event.commits] for event in deployments(told)][:2] == [[first], side]
    assert deployments(told)[1].at == at(5)
    assert outcomes(told) == [(1, 1, True)]


def test_a_merge_repairs_only_in_the_files_that_its_repairing_commits_touched(repository):
    first = repository.commit({"a.py": numbered("one"), "b.py": numbered("one")}, at=at(0))
    second = repository.commit({"b.py": numbered("one", "two")}, at=at(1))
    repository.commit({"b.py": numbered("one", "II")}, "Rework", branch="side", start=second, at=at(2))
    tip = repository.commit({"a.py": numbered("1")}, "fix", branch="side", at=at(3))
    repository.commit({"a.py": numbered("1"), "b.py": numbered("one", "II")}, "Merge", merge=tip, at=at(4))
    assert first
    assert outcomes(events(repository)) == [(0, 4, True)]


def test_a_merge_whose_message_names_the_repair_repairs_in_all_of_its_files(repository):
    first = repository.commit({"a.py": numbered("one")}, at=at(0))
    tip = repository.commit({"a.py": numbered("1")}, "wip", branch="side", start=first, at=at(1))
    repository.commit({"a.py": numbered("1")}, "Merge: fix the crash", merge=tip, at=at(2))
    assert outcomes(events(repository)) == [(0, 2, True)]


def test_a_merge_that_brings_nothing_is_no_deployment(repository):
    first = repository.commit({"a.py": "1\n"})
    repository.commit({"a.py": "2\n"})
    repository.commit({}, "Merge", merge=first)
    assert len(deployments(events(repository))) == 2


def test_events_are_of_a_history_and_in_time_order_whatever_the_clocks(repository):
    for number, time in enumerate((at(0), at(200), at(100), at(5000), at(300), at(301))):
        repository.commit({"a.py": numbered(number)}, "fix", at=time)
    told = events(repository)
    assert [event.at for event in told] == sorted(event.at for event in told)
    assert {(event.environment, event.stage, event.status, event.scope) for event in deployments(told)} == {
        ("history", "finished", "succeeded", "payments")
    }
    assert max(event.at for event in told) == at(301)


def test_played_twice_it_is_the_same_and_a_history_that_grew_only_adds(repository):
    for number in range(6):
        repository.commit({"a.py": numbered(*range(number), "end")}, "fix" if number % 3 else "add", at=at(40 * number))
    once, twice = events(repository), events(repository)
    assert once == twice
    assert len({event.identity for event in once}) == len(once)
    repository.commit({"a.py": "gone\n"}, "fix", at=at(400))
    assert events(repository)[: len(once)] == once


def test_of_the_newest_steps_the_past_is_known_all_the_same(repository):
    for number in range(6):
        repository.commit({"a.py": numbered(*range(number), "end")}, "fix" if number % 3 else "add", at=at(40 * number))
    whole, part = events(repository), events(repository, newest=2)
    assert deployments(part) == deployments(whole)[-2:]
    shas = {event.external_id for event in deployments(part)}
    assert part == [event for event in whole if event.external_id in shas]


@pytest.mark.parametrize("seed", range(3))
def test_features_are_those_that_emit_sends(tmp_path, seed):
    repository = random_repository(tmp_path / "r", seed)
    past, expected = Past(), {}
    for change in changes_of(repository):
        expected[change.sha] = past.features(change)
        past.record(change)
    told = deployments(events(repository))
    assert {commit.sha: commit.features for event in told for commit in event.commits} == expected
