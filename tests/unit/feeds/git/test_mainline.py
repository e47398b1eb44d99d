"""The steps of a main line: what each brings, and their times when clocks were wrong."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.repositories import START, Repository
from vigia.feeds.git.command import Git, GitError
from vigia.feeds.git.mainline import steps, straightened

NOW = START + 10**8


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "r")


def test_a_merge_brings_what_was_not_there_and_each_commit_is_brought_once(repository):
    first = repository.commit({"a.py": "1\n"})
    side = [repository.commit({"b.py": f"{n}\n"}, branch="side", start=first) for n in range(2)]
    nested = repository.commit({"c.py": "1\n"}, branch="nested", start=side[0])
    second = repository.commit({"a.py": "2\n"})
    inner = repository.commit({"c.py": "1\n"}, branch="side", merge=nested)
    last = repository.commit({"b.py": "1\n", "c.py": "1\n"}, "Merge the fix of a bug", merge=inner)
    again = repository.commit({}, "Merge what is there", merge=side[0])
    found = steps(Git(repository.folder), NOW)
    assert [each.sha for each in found] == [first, second, last, again]
    assert [set(each.commits) for each in found] == [{first}, {second}, {*side, nested}, set()]
    assert [each.repairs for each in found] == [False, False, True, False]
    assert found[2].commits.index(side[0]) < min(found[2].commits.index(side[1]), found[2].commits.index(nested))


def test_a_history_of_its_own_that_is_merged_belongs_to_its_merge(repository):
    first = repository.commit({"a.py": "1\n"})
    imported = [repository.commit({"lib/x.py": f"{n}\n"}, branch="import") for n in range(2)]
    merge = repository.commit({"lib/x.py": "1\n"}, merge=imported[-1])
    assert [(each.sha, each.commits) for each in steps(Git(repository.folder), NOW)] == [
        (first, (first,)),
        (merge, tuple(imported)),
    ]


def test_times_never_go_back_and_wrong_ones_take_that_of_the_step_before(repository):
    for at in (START, START + 50, START + 10**9, START + 60, 5, START + 70):
        repository.commit({"a.py": f"{at}\n"}, at=at)
    found = [each.at - START for each in steps(Git(repository.folder), NOW)]
    assert found == [0, 50, 50, 60, 60, 70]


def test_a_shallow_repository_is_refused_with_what_helps(repository, tmp_path):
    for number in range(3):
        repository.commit({"a.py": f"{number}\n"})
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth=1", repository.folder.as_uri(), str(clone)], check=True)
    with pytest.raises(GitError, match="git fetch --unshallow"):
        steps(Git(clone), NOW)


def test_a_repository_without_a_commit_is_refused(repository):
    with pytest.raises(GitError, match="there is no commit 'HEAD'"):
        steps(Git(repository.folder), NOW)


@given(st.lists(st.integers(0, 30).map(float), min_size=1, max_size=30), st.integers(0, 30))
def test_straightened_times_keep_as_many_as_any_choice_can(times, now):
    found = straightened(times, now)
    assert len(found) == len(times)
    assert found == sorted(found)
    best: list[int] = []
    for index, time in enumerate(times):
        before = [best[j] for j in range(index) if times[j] <= time and times[j] <= now]
        best.append(1 + max(before, default=0) if time <= now else 0)
    kept = sum(a == b for a, b in zip(times, found, strict=True))
    assert kept >= max(best)
    assert max(found) <= max(now, 0)


@given(st.lists(st.integers(0, 100).map(float), min_size=1, max_size=30).map(sorted))
def test_times_that_are_right_stay(times):
    assert straightened(times, 100) == times
