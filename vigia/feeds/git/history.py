"""Looks into the history before a few changes: as much of it as their features need, and no more."""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from vigia.feeds.git.changes import epoch, tokens
from vigia.feeds.git.command import DIFF_OPTIONS, Git, GitTooLong

MAX_NAMED = 20
"""Up to so many paths or authors git is told to look for; with more, looking through everything is faster."""

MAX_COUNTED = 400
"""Most files whose lines are counted."""

MAX_CHARACTERS = 100_000
"""Most characters of names on one command line: systems take about a million."""

_BEGIN = b"\x1e"
_FORMAT = "--format=%x1e%H%x00%at%x00%aN"


class Step(NamedTuple):
    """A commit as far as the past of others needs it; `at` is when it was written, in epoch seconds."""

    sha: str
    at: float
    author: str
    paths: tuple[str, ...]


def few(names: Collection[str]) -> bool:
    """Return whether git should be told to look for these names."""
    return len(names) <= MAX_NAMED and sum(map(len, names)) <= MAX_CHARACTERS


def of_files(git: Git, tip: str, paths: Sequence[str]) -> Iterator[Step]:
    """Yield the commits before `tip` that touched one of these few `paths`, newest first; raises GitError."""
    if paths:
        # or commits would be left out whose work a merge did not take
        yield from _steps(git, ["--full-history", tip, "--", *paths])


def of_authors(git: Git, tip: str, authors: Collection[str]) -> Iterator[Step]:
    """Yield the commits before `tip` by one of these few `authors`, newest first; raises GitError."""
    limits = [f"--author={author}" for author in sorted(authors)]
    # what git matches is a part of "name <address>", and what is not UTF-8 it does not find
    if not all(author and "\ufffd" not in author for author in authors):
        limits = []
    yield from (step for step in _steps(git, ["--fixed-strings", *limits, tip, "--"]) if step.author in authors)


def of_either(git: Git, tip: str, paths: Collection[str], authors: Collection[str]) -> Iterator[Step]:
    """Yield the commits before `tip` that touched one of `paths` or are by one of `authors`, newest first; raises
    GitError.
    """
    wanted = frozenset(paths)
    for step in _steps(git, [tip, "--"]):
        if step.author in authors or not wanted.isdisjoint(step.paths):
            yield step


def lines(git: Git, commit: str, paths: Sequence[str]) -> dict[str, int]:
    """Return how many lines each of `paths` has in `commit` (empty: before everything); raises GitError.

    Files that are not there are left out, and so are binary ones.
    """
    if not commit or not paths:
        return {}
    if len(paths) > MAX_COUNTED or sum(map(len, paths)) > MAX_CHARACTERS:
        raise GitTooLong(f"{len(paths):,} files are too many")
    nothing = git.text("hash-object", "-t", "tree", "--stdin")
    options = [option for option in DIFF_OPTIONS if not option.startswith("--encoding")]
    chunks = git.chunks(["diff-tree", "-r", "-z", "--numstat", *options, "--no-renames", nothing, commit, "--", *paths])
    entries = b"".join(chunks).split(b"\0")
    found = (entry.split(b"\t", 2) for entry in entries if entry)
    return {path.decode("utf-8", "surrogateescape"): int(added) for added, _, path in found if added.isdigit()}


def _steps(git: Git, limits: Sequence[str]) -> Iterator[Step]:
    arguments = [
        "log",
        "-z",
        "--topo-order",
        "--no-merges",
        "--name-status",
        _FORMAT,
        *DIFF_OPTIONS,
        "--no-renames",
        *limits,
    ]
    parts = tokens(git.chunks(arguments))
    header: tuple[bytes, bytes, bytes] | None = None
    paths: list[str] = []
    for token in parts:
        if token.startswith(_BEGIN):
            if header is not None:
                yield _step(header, paths)
            header, paths = (token[1:], next(parts, b""), next(parts, b"")), []
        elif token.strip(b"\n"):
            # a letter for what was done comes before each path
            paths.append(next(parts, b"").decode("utf-8", "surrogateescape"))
    if header is not None:
        yield _step(header, paths)


def _step(header: tuple[bytes, bytes, bytes], paths: list[str]) -> Step:
    sha, at, author = header
    return Step(sha.decode("ascii"), epoch(at), author.decode("utf-8", "replace"), tuple(paths))
