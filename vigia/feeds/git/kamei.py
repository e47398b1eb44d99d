"""The fourteen features of a change, and the past that they are computed from.

After Kamei et al., "A large-scale empirical study of just-in-time quality assurance", IEEE TSE 39(6), 2013. There is
one definition, whether a whole history is played back or a few commits are looked at before they go out:

| feature | what it is here |
|---|---|
| fix | 1 when the message names a repair (`repairs`), else 0 |
| nf, nd, ns | files, their directories, their subsystems (first folder of the path) that the change touches |
| entropy | -sum(p log2 p) over the files, p being a file's share of the lines changed (bits, not normalised) |
| la, ld | lines added, lines deleted, over all files |
| lt | lines in the files before the change, the mean over its files (a new file has none) |
| ndev | developers whose earlier changes touched these files |
| age | days since each file's last change, the mean over its files (0 for a new file) |
| nuc | distinct changes among the files' last ones |
| exp | earlier changes of the author |
| rexp | the same, each weighted by 1 / (1 + its age in whole weeks) |
| sexp | earlier changes of the author that touched any of these subsystems |

The files of a change are its text files: binary ones, and those too large to be looked at, are left out. A file's past
is what was done under its name, its removal included; a change that renames it sees the past under the old name, and is
part of the past of both. Earlier means earlier in the
order in which changes are recorded; times are those at which changes were written (author dates), authors are known by
name. Kamei et al. weight experience by years and normalise entropy; weeks and bits are what the recorded projects have
from which the risk model's prior was learned (Cabral et al., ICSE 2019).
"""

import math
import re
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from vigia.events.deployments import ChangeFeatures
from vigia.feeds.git.changes import Change, FileChange

DAY = 86_400.0
WEEK = 7 * DAY

ROOT = ""
"""The subsystem of files that are in no folder."""

_REPAIR = re.compile(r"\b(bugs?|bugfix\w*|fix|fixe[sd]|fixing|hotfix\w*|defects?|patch(es|ed)?)\b", re.IGNORECASE)


def repairs(message: str) -> bool:
    """Return whether a change's message says that it repairs something, by the words of Kamei et al.

    >>> repairs("Fix a crash when the list is empty"), repairs("Add a prefix to names")
    (True, False)
    """
    return _REPAIR.search(message) is not None


def subsystem_of(path: str) -> str:
    """Return the first folder of a path, `ROOT` for a file in none.

    >>> subsystem_of("vigia/events/base.py"), subsystem_of("README.md")
    ('vigia', '')
    """
    first, slash, _ = path.partition("/")
    return first if slash else ROOT


@dataclass
class _File:
    lines: int = 0
    changed_at: float | None = None
    """When its last change was written; None: none is known."""
    last_change: str = ""
    developers: set[str] = field(default_factory=set)

    def age(self, now: float) -> float:
        """Days since the last change; 0 when there was none, or it lies ahead by a wrong clock."""
        return max(0.0, now - self.changed_at) / DAY if self.changed_at is not None else 0.0


@dataclass
class _Author:
    times: list[float] = field(default_factory=list)
    """When each change was written, ascending."""
    by_subsystem: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))


class Past:
    """What happened before a change, as far as features need it.

    The three flags are false when a past was not read to its beginning, or not at all: what is counted in it would be
    too low, so those features are missing then.
    """

    def __init__(self, *, lines_known: bool = True, files_known: bool = True, authors_known: bool = True) -> None:
        self.lines_known = lines_known
        self.files_known = files_known
        self.authors_known = authors_known
        self._files: defaultdict[str, _File] = defaultdict(_File)
        self._authors: defaultdict[str, _Author] = defaultdict(_Author)

    def features(self, change: Change) -> ChangeFeatures:
        """Return the features of a change that comes next. The past stays as it is."""
        files = [each for each in change.files if each.is_text]
        return ChangeFeatures(
            fix=float(repairs(change.message)),
            **_of_diff(files),
            **self._of_files(files, change.authored_at),
            **self._of_author(files, change),
        )

    def record(self, change: Change) -> None:
        """Add a change to the past."""
        for each in change.files:
            known = self._files[each.path]
            if each.path != each.before:
                old = self._files[each.before]
                known.lines, old.lines = old.lines, 0
            known.lines = max(0, known.lines + each.added - each.deleted)
        names = {name for each in change.files for name in (each.path, each.before)}
        self.touch(names, change.author, change.authored_at, change.sha)
        self.write({subsystem_of(name) for name in names}, change.author, change.authored_at)

    def touch(self, paths: Iterable[str], author: str, at: float, sha: str) -> None:
        """Add to the past of these files that the change `sha` touched them, their lines aside."""
        for path in paths:
            known = self._files[path]
            known.developers.add(author)
            known.changed_at, known.last_change = at, sha

    def write(self, subsystems: Collection[str], author: str, at: float) -> None:
        """Add to the past of an author that he wrote a change which touched these subsystems."""
        known = self._authors[author]
        insort(known.times, at)
        for subsystem in subsystems:
            known.by_subsystem[subsystem].add(len(known.times))

    def set_lines(self, path: str, lines: int) -> None:
        """Say how many lines a file has."""
        self._files[path].lines = lines

    def _of_files(self, files: Sequence[FileChange], now: float) -> dict[str, float]:
        found: dict[str, float] = {}
        past = [self._files.get(each.before) or _File() for each in files]
        if self.lines_known:
            found["lt"] = _mean([known.lines for known in past])
        if self.files_known:
            touched = [known for known in past if known.changed_at is not None]
            found["ndev"] = float(len(set().union(*(known.developers for known in touched))))
            found["age"] = _mean([known.age(now) for known in past])
            found["nuc"] = float(len({known.last_change for known in touched}))
        return found

    def _of_author(self, files: Sequence[FileChange], change: Change) -> dict[str, float]:
        if not self.authors_known:
            return {}
        known = self._authors.get(change.author) or _Author()
        subsystems = {subsystem_of(each.path) for each in files}
        return {
            "exp": float(len(known.times)),
            "rexp": _weighted(known.times, change.authored_at),
            "sexp": float(_union([known.by_subsystem[name] for name in subsystems if name in known.by_subsystem])),
        }


def _of_diff(files: Sequence[FileChange]) -> dict[str, float]:
    changed = [each.added + each.deleted for each in files]
    total = sum(changed)
    return {
        "ns": float(len({subsystem_of(each.path) for each in files})),
        "nd": float(len({each.path.rpartition("/")[0] for each in files})),
        "nf": float(len(files)),
        "entropy": sum(lines / total * math.log2(total / lines) for lines in changed if lines),
        "la": float(sum(each.added for each in files)),
        "ld": float(sum(each.deleted for each in files)),
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _weighted(times: list[float], now: float) -> float:
    """Sum 1 / (1 + age in whole weeks); what lies ahead, by a wrong clock, has the age 0."""
    total, later, week = 0.0, len(times), 0
    while later:
        earlier = bisect_right(times, now - (week + 1) * WEEK)
        total += (later - earlier) / (1 + week)
        # weeks without a change are stepped over: a clock may be decades off
        later, week = earlier, max(week + 1, int((now - times[earlier - 1]) // WEEK)) if earlier else 0
    return total


def _union(sets: Sequence[set[int]]) -> int:
    """Return the size of the union without a copy of the largest set, which is often most of a history."""
    if not sets:
        return 0
    largest = max(sets, key=len)
    others: set[int] = set().union(*(each for each in sets if each is not largest))
    return len(largest) + len(others - largest)
