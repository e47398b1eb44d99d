"""What a checkout brings: which commits, their features as in a whole history, and what is said of what lacks."""

import os
import time

import pytest

from tests.support.repositories import START, Repository, numbered
from tests.unit.feeds.git.test_kamei import history, random_repository
from vigia.feeds.git import history as looking
from vigia.feeds.git.checkout import read
from vigia.feeds.git.command import Git, GitError, GitTooLong
from vigia.feeds.git.kamei import Past

OF_FILES, OF_AUTHOR = ("ndev", "age", "nuc"), ("exp", "rexp", "sexp")


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "r")


def line(repository, number=6):
    return [repository.commit({"a.py": numbered(*range(index + 1))}, f"number {index}") for index in range(number)]


def features(brought):
    found = [each.features for each in brought.commits]
    assert None not in found
    return [each for each in found if each is not None]


def shas(brought):
    return [each.sha for each in brought.commits]


def test_since_a_commit_it_is_all_that_followed(repository):
    made = line(repository)
    found = read(repository.folder, since=made[2])
    assert (found.head, found.since, shas(found), found.notes) == (made[-1], made[2], made[3:], ())
    assert [each.committed_at for each in found.commits] == [START + 3600 * number for number in (4, 5, 6)]


def test_asked_of_nothing_it_is_the_last_commit(repository):
    made = line(repository)
    assert shas(read(repository.folder)) == made[-1:]
    assert shas(read(repository.folder, head=made[2])) == [made[2]]


def test_asked_of_nothing_a_merge_is_what_it_brought(repository):
    start = line(repository)[-1]
    side = [repository.commit({"b.py": numbered(number)}, branch="side", start=start) for number in range(3)]
    repository.commit({"c.py": "1\n"})
    repository.commit({"b.py": "2\n"}, merge=side[-1])
    assert shas(read(repository.folder)) == side


def test_the_first_commit_of_all_is_what_it_is(repository):
    made = line(repository, 1)
    found = read(repository.folder)
    assert (found.since, shas(found)) == ("", made)
    assert [(each.lt, each.ndev) for each in features(found)] == [(0, 0)]


def test_since_a_tag_it_is_the_newest_one_that_matches_and_was_before(repository):
    made = line(repository)
    for name, at in (("v1", 0), ("v2", 2), ("other-3", 3), ("v4", 5)):
        repository.git("tag", name, made[at])
    repository.commit({"x.py": "1\n"}, branch="elsewhere", start=made[0])
    repository.git("tag", "v3", "elsewhere")
    # v4 is the head's own, v3 is not before it
    assert read(repository.folder, since_tag="v*").since == made[2]
    with pytest.raises(GitError, match="no tag matches 'w\\*'"):
        read(repository.folder, since_tag="w*")
    with pytest.raises(GitError, match="no tag matches"):
        read(repository.folder, since_tag="--format=%(objectname)")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("few", [20, 0])
def test_features_are_those_of_the_whole_history_played_back(tmp_path, monkeypatch, seed, few):
    repository = random_repository(tmp_path / "r", seed)
    changes = history(repository)
    past = Past()
    whole = {}
    for each in changes:
        whole[each.sha] = past.features(each)
        past.record(each)
    # by looking for a few names, and by looking through everything
    monkeypatch.setattr(looking, "MAX_NAMED", few)
    for back in (1, 4):
        found = read(repository.folder, since=changes[-1 - back].sha, budget=60)
        assert len(found.commits) == back
        for sha, each in zip(shas(found), features(found), strict=True):
            for name in each.__struct_fields__:
                assert getattr(each, name) == pytest.approx(getattr(whole[sha], name)), name


def test_of_a_shallow_checkout_the_past_is_missing_and_said_so(repository, tmp_path):
    made = line(repository)
    clone = shallow(repository, tmp_path, 3)
    found = read(clone, since=made[-3])
    assert shas(found) == made[-2:]
    for each in features(found):
        assert (each.la, each.fix) == (1, 0)
        assert {getattr(each, name) for name in (*OF_FILES, *OF_AUTHOR)} == {None}
    assert "ndev, age, nuc not known: the checkout is shallow" in " ".join(found.notes)
    assert "fetch-depth: 0" in " ".join(found.notes)


def test_of_the_oldest_commit_of_a_shallow_checkout_not_even_its_lines_are_known(repository, tmp_path):
    made = line(repository)
    clone = shallow(repository, tmp_path, 2)
    repository.commit({"a.py": "1\n"}, branch="side", start=made[0])
    # everything that the clone holds: git takes the whole tree of its oldest commit for added
    found = read(clone, since=Git(clone).text("commit-tree", "-m", "unrelated", "HEAD^{tree}"))
    assert shas(found) == made[-2:]
    assert [(each.la, each.nf) for each in features(found)] == [(None, None), (1, 1)]
    assert "what its oldest commit changed is not known" in found.notes[-1]


def test_what_is_deployed_may_lie_beyond_a_shallow_checkout(repository, tmp_path):
    made = line(repository)
    clone = shallow(repository, tmp_path, 1)
    for found in (read(clone, since=made[0]), read(clone), read(clone, since_tag="v*")):
        assert (found.head, found.commits) == (made[-1], ())
        assert "the commits are missing" in found.notes[0]
        assert "fetch" in found.notes[0]
    with pytest.raises(GitError, match="there is no commit"):
        read(repository.folder, since="f" * 40)


def test_when_the_time_is_up_features_are_missing_and_the_commits_are_not(repository):
    made = line(repository)
    found = read(repository.folder, since=made[2], budget=0.25)
    assert shas(found) == made[3:]

    class Slow(Git):
        def chunks(self, arguments, stdin=()):
            if "--numstat" in arguments and "--no-patch" not in arguments:
                raise GitTooLong("git log takes too long")
            return super().chunks(arguments, stdin)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vigia.feeds.git.checkout.Git", Slow)
        found = read(repository.folder, since=made[2])
    assert shas(found) == made[3:]
    assert {each.features for each in found.commits} == {None}
    assert found.notes == ("features are missing: git log takes too long",)


def test_of_more_commits_than_an_event_may_list_the_newest_are_listed_without_features(repository, monkeypatch):
    monkeypatch.setattr("vigia.feeds.git.checkout.MAX_COMMITS", 3)
    made = line(repository)
    found = read(repository.folder, since=made[0])
    assert shas(found) == made[-3:]
    assert {each.features for each in found.commits} == {None}
    assert "only the newest 3 are listed" in found.notes[0]


def test_an_author_whose_name_is_no_name_is_left_out(repository):
    repository.commit({"a.py": "1\n"}, author="x" * 300)
    assert read(repository.folder).commits[0].author == ""


def test_a_command_that_takes_too_long_is_ended_with_all_it_started(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "git").write_text(
        f"#!/bin/sh\nsleep 1000 &\necho $! > {tmp_path}/child\necho $$ > {tmp_path}/own\nwait\n"
    )
    (folder / "git").chmod(0o700)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    started = time.monotonic()
    with pytest.raises(GitTooLong, match="takes too long"):
        Git(tmp_path, started + 1.0).text("log")
    assert time.monotonic() - started < 30
    for name in ("own", "child"):
        pid = int((tmp_path / name).read_text())
        for _ in range(100):
            if not alive(pid):
                break
            time.sleep(0.05)
        assert not alive(pid), name


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 - a process's file may vanish between two calls
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def shallow(repository, tmp_path, depth):
    clone = tmp_path / "clone"
    repository.git("clone", "--quiet", f"--depth={depth}", repository.folder.as_uri(), str(clone))
    return clone
