"""Reading changes: whatever is in names and messages, and whatever a repository's own configuration wants."""

import pytest

from tests.support.repositories import START, Repository, numbered
from vigia.feeds.git.changes import FileChange, between, listed
from vigia.feeds.git.command import Git, GitError
from vigia.feeds.git.patches import patches

STRANGE = [
    "with space.py",
    'quo"te.py',
    "new\nline.py",
    "tab\tbed.py",
    "\x1erecord.py",
    "-rf.py",
    "ünï.py",
    "[a]*?.py",
    "12\t3\tx",
]


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "r")


def changes(repository, *arguments):
    return list(between(Git(repository.folder), ["--topo-order", "--reverse", *(arguments or ["HEAD"])]))


def test_a_change_is_read_as_it_was_recorded(repository):
    first = repository.commit({"a.py": numbered(1, 2, 3)}, "The first\n\nwith a body", at=START, written=START - 60)
    second = repository.commit({"a.py": numbered(1, 3, 4, 5), "b.py": ""}, author="Bob")
    one, two = changes(repository)
    assert (one.sha, one.parents, one.author, one.message.strip()) == (first, (), "Ada", "The first\n\nwith a body")
    assert (one.authored_at, one.committed_at) == (START - 60, START)
    assert (two.sha, two.parents, two.author) == (second, (first,), "Bob")
    assert two.files == (FileChange("a.py", "a.py", 2, 1), FileChange("b.py", "b.py", 0, 0))


@pytest.mark.parametrize("path", STRANGE)
def test_a_file_may_have_any_name(repository, path):
    repository.commit({path: numbered(1)})
    repository.commit({path: numbered(1, 2)}, renames={})
    repository.commit({}, renames={path: f"moved/{path}"})
    assert [each.files for each in changes(repository)] == [
        (FileChange(path, path, 1, 0),),
        (FileChange(path, path, 1, 0),),
        (FileChange(f"moved/{path}", path, 0, 0),),
    ]


@pytest.mark.parametrize("message", ["", "\x1e" + "0" * 40, "a\n\n1\t2\tb.py\n", "\N{SNOWMAN}", "x" * 100_000])
def test_a_message_may_say_anything(repository, message):
    repository.commit({"a.py": "1\n"}, message)
    repository.commit({"a.py": "2\n"})
    one, two = changes(repository)
    assert one.message.strip() == message.strip()[:10_000]
    assert one.files == (FileChange("a.py", "a.py", 1, 0),)
    assert two.files == (FileChange("a.py", "a.py", 1, 1),)


def test_commits_are_listed_in_the_order_that_was_asked_for(repository):
    shas = [repository.commit({"a.py": numbered(number)}) for number in range(4)]
    wanted = [shas[2], shas[0], shas[3]]
    assert [each.sha for each in listed(Git(repository.folder), wanted)] == wanted
    assert list(listed(Git(repository.folder), [])) == []


def test_a_merge_has_no_files_and_binary_files_no_lines(repository):
    start = repository.commit({"a.py": "1\n"})
    side = repository.commit({"b.py": "1\n"}, branch="side", start=start)
    repository.commit({"c.bin": b"\0\1", "b.py": "1\n"}, merge=side)
    found = changes(repository)
    assert found[-1].parents[1:] == (side,)
    assert found[-1].files == ()
    repository.commit({"c.bin": b"\0\2"})
    assert changes(repository)[-1].files == (FileChange("c.bin", "c.bin", 0, 0, is_text=False),)


def test_a_file_that_is_too_large_to_be_looked_at_counts_as_binary(repository):
    repository.commit({"big.sql": b"x\n" * 9_000_000, "small.py": "1\n"})
    (one,) = changes(repository)
    assert [each.is_text for each in one.files] == [False, True]


def test_programs_that_a_repository_names_are_not_run(repository, tmp_path):
    program = tmp_path / "evil"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\ncat\n")
    program.chmod(0o700)
    repository.commit({"a.py": "1\n", ".gitattributes": "*.py diff=evil\n"})
    repository.commit({"a.py": "2\n"})
    repository.git("reset", "--hard", "--quiet")
    for name in (
        "diff.external",
        "diff.evil.command",
        "diff.evil.textconv",
        "core.fsmonitor",
        "gpg.program",
        "core.pager",
    ):
        repository.git("config", name, str(program))
    for name, value in (("log.showSignature", "true"), ("diff.renames", "copies"), ("diff.noprefix", "true")):
        repository.git("config", name, value)
    assert [each.files[-1] for each in changes(repository)][-1] == FileChange("a.py", "a.py", 1, 1)
    assert [len(patch) for _, patch in patches(Git(repository.folder), "HEAD")] == [2, 1]
    assert not (tmp_path / "ran").exists()


def test_what_git_complains_about_is_told(tmp_path):
    with pytest.raises(GitError, match="not a git repository"):
        Git(tmp_path).text("rev-parse", "HEAD")
    with pytest.raises(GitError, match="there is no folder"):
        Git(tmp_path / "absent").text("rev-parse", "HEAD")


@pytest.mark.parametrize("revision", ["-x", "--output=/tmp/x", "", "HEAD\0", "no-such-branch", "HEAD:a.py"])
def test_only_commits_are_resolved(repository, revision):
    repository.commit({"a.py": "1\n"})
    with pytest.raises(GitError, match=r"no revision|no commit"):
        Git(repository.folder).resolve(revision)


def test_a_branch_that_begins_with_a_dash_is_no_option(repository):
    tip = repository.commit({"a.py": "1\n"})
    repository.git("update-ref", "refs/heads/--all", tip)
    with pytest.raises(GitError, match="no revision"):
        Git(repository.folder).resolve("--all")
    assert Git(repository.folder).resolve("refs/heads/--all") == tip
