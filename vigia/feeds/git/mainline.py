"""A repository's main line: its steps, oldest first, and the commits that each of them brings.

A step is a commit that the head reaches by first parents alone: a change that was committed to the main line, or a
merge, which brings all that was not reachable before. Each commit belongs to exactly one step.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from vigia.feeds.git.changes import epoch, tokens
from vigia.feeds.git.command import Git, GitError
from vigia.feeds.git.kamei import repairs


class Step(NamedTuple):
    """One step: its commit, when it came (epoch seconds, never before the step before), and the commits that it brings,
    in an order in which none precedes its parents; merges are not among them. `repairs` says that its own message names
    a repair.
    """

    sha: str
    at: float
    commits: tuple[str, ...]
    repairs: bool


class _Commit(NamedTuple):
    at: float
    parents: tuple[str, ...]
    repairs: bool


def steps(git: Git, now: float, head: str = "HEAD") -> list[Step]:
    """Return the steps of `head`; raises GitError, also for a shallow repository.

    `now` (epoch seconds) bounds their times: a commit from the future has the time of the one before it.
    """
    tip = git.resolve(head)
    if git.is_shallow():
        raise GitError(
            f"{git.folder} is shallow: its history begins in the middle; `git fetch --unshallow` gets the rest"
        )
    commits = dict(_commits(git, tip))
    # git lists children before their parents
    rank = {sha: -position for position, sha in enumerate(commits)}
    line = _first_parents(commits, tip)
    times = straightened([commits[sha].at for sha in line], now)
    seen: set[str] = set()
    found = []
    for sha, at in zip(line, times, strict=True):
        brought = _not_seen(commits, sha, seen)
        own = sorted((each for each in brought if len(commits[each].parents) < 2), key=rank.__getitem__)  # noqa: PLR2004
        found.append(Step(sha, at, tuple(own), commits[sha].repairs))
    return found


def straightened(times: Sequence[float], now: float) -> list[float]:
    """Return times that never go back: as many as possible are kept (a longest ascending subsequence of those up to
    `now`), the others, which a wrong clock made, become that of the one before.

    >>> straightened([1.0, 2.0, 99.0, 3.0, 0.0, 4.0], now=50.0)
    [1.0, 2.0, 2.0, 3.0, 3.0, 4.0]
    """
    lowest: list[float] = []
    ends: list[int] = []
    before: list[int] = []
    for index, time in enumerate(times):
        place = bisect_right(lowest, time) if time <= now else -1
        before.append(ends[place - 1] if place > 0 else -1)
        if place < 0:
            continue
        lowest[place : place + 1] = [time]
        ends[place : place + 1] = [index]
    kept = set()
    index = ends[-1] if ends else -1
    while index >= 0:
        kept.add(index)
        index = before[index]
    current = times[min(kept)] if kept else now
    result = []
    for index, time in enumerate(times):
        current = time if index in kept else current
        result.append(current)
    return result


def _commits(git: Git, tip: str) -> Iterator[tuple[str, _Commit]]:
    parts = tokens(
        git.chunks(["log", "-z", "--topo-order", "--format=%H%x00%ct%x00%P%x00%s", "--encoding=UTF-8", tip, "--"])
    )
    while fields := list(islice(parts, 4)):
        sha, at, parents, subject = (field.decode("utf-8", "replace") for field in fields)
        yield sha, _Commit(epoch(at.encode()), tuple(parents.split()), repairs(subject))


def _first_parents(commits: dict[str, _Commit], tip: str) -> list[str]:
    line = [tip]
    while parents := commits[line[-1]].parents:
        line.append(parents[0])
    return line[::-1]


def _not_seen(commits: dict[str, _Commit], start: str, seen: set[str]) -> list[str]:
    """Return what is reachable from `start` and was not seen, and mark it as seen."""
    found: list[str] = []
    waiting = [start]
    while waiting:
        sha = waiting.pop()
        if sha not in seen:
            seen.add(sha)
            found.append(sha)
            waiting += commits[sha].parents
    return found
