"""The commits that a checkout brings since what is deployed, with the features of each, for a deployment in CI.

Reading is bounded in time and size, since somebody waits and the repository may be any. What could not be read is
missing and said so (`Brought.notes`), never taken for zero.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from vigia.events.deployments import MAX_COMMITS, ChangeFeatures, Commit
from vigia.events.names import name_problem
from vigia.feeds.git import history
from vigia.feeds.git.changes import Change, between
from vigia.feeds.git.command import Git, GitError, GitTooLong
from vigia.feeds.git.kamei import Past, repairs, subsystem_of

LIST_SECONDS = 5.0
"""Beyond the budget, to list commits whose lines could not be counted in time."""

DEEPER = "fetch all of it (GitHub: `fetch-depth: 0` of actions/checkout, GitLab: `GIT_DEPTH: 0`)"


@dataclass(frozen=True)
class Brought:
    """What a deployment of `head` (a commit's id) brings, oldest first, since the commit `since` (empty: not known).

    `features` of each commit are as `vigia/feeds/git/kamei.py` defines them. `notes` say what is missing and why.
    """

    head: str
    since: str
    commits: tuple[Commit, ...]
    notes: tuple[str, ...]


def read(folder: Path, *, head: str = "HEAD", since: str = "", since_tag: str = "", budget: float = 10.0) -> Brought:
    """Return what the checkout in `folder` brings; raises GitError. `budget` is in seconds.

    `since` names the commit that is deployed. `since_tag` is a pattern (`v*`): the newest tag that matches, and whose
    commit the head follows. Without both it is the head's first parent: a commit, or all that its merge brought. A
    commit that is not here because the checkout is shallow leaves the list empty, with a note.
    """
    git = Git(folder, time.monotonic() + budget)
    tip = git.resolve(head)
    notes: list[str] = []
    try:
        base = _base(git, tip, since, since_tag)
    except GitError as error:
        if not git.is_shallow():
            raise
        return Brought(tip, "", (), (f"the commits are missing: {error}",))
    changes, complete = _changes(git, [tip, *([f"^{base}"] if base else [])], notes)
    cut = _cut_off(git)
    if complete:
        past = _past(git, tip, base, changes, shallow=bool(cut), notes=notes)
        commits = tuple(_commit(change, _features(past, change, cut)) for change in changes)
    else:
        commits = tuple(_commit(change, None) for change in changes)
    if cut.intersection(change.sha for change in changes):
        notes.append(f"the checkout is shallow, and what its oldest commit changed is not known; {DEEPER}")
    return Brought(tip, base, commits, tuple(notes))


def _base(git: Git, tip: str, since: str, since_tag: str) -> str:
    """Return the commit that is deployed; empty when `tip` is the first of all."""
    if since:
        return git.resolve(since)
    if since_tag:
        pattern = f"refs/tags/{since_tag}"
        listing = ["for-each-ref", "--sort=-creatordate", "--count=1", f"--merged={tip}", f"--no-contains={tip}"]
        name = git.text(*listing, "--format=%(refname)", pattern)
        if name:
            return git.resolve(name)
        shallow = f" (the checkout is shallow; {DEEPER})" if git.is_shallow() else ""
        raise GitError(f"{git.folder}: no tag matches {since_tag!r} among those before {tip[:12]}{shallow}")
    parents = git.text("rev-list", "--max-count=1", "--parents", tip).split()[1:]
    if not parents and git.is_shallow():
        raise GitError(f"the checkout holds one commit, so it cannot be told what comes with it; {DEEPER}")
    return parents[0] if parents else ""


def _changes(git: Git, span: Sequence[str], notes: list[str]) -> tuple[list[Change], bool]:
    """Return the changes of a span of commits, oldest first, and whether it is all of them with their files."""
    selection = ["--no-merges", "--topo-order", "--reverse", f"--max-count={MAX_COMMITS}", *span, "--"]
    number = int(git.text("rev-list", "--count", "--no-merges", *span, "--"))
    if number > MAX_COMMITS:
        notes.append(f"{number:,} commits: only the newest {MAX_COMMITS:,} are listed, and without features")
    else:
        try:
            return list(between(git, selection)), True
        except GitTooLong as error:
            notes.append(f"features are missing: {error}")
    unhurried = Git(git.folder, time.monotonic() + LIST_SECONDS)
    return list(between(unhurried, [*selection[:-1], "--no-patch", "--"])), False


def _cut_off(git: Git) -> set[str]:
    """Return the commits whose parents were not fetched: git takes all of their files for added."""
    path = git.folder / git.text("rev-parse", "--git-path", "shallow")
    try:
        return set(path.read_text(encoding="ascii").split())
    except FileNotFoundError:
        return set()


class _Read(NamedTuple):
    """What a look into the history found, and why it found nothing, if so."""

    steps: list[history.Step]
    error: GitError | None = None


def _past(git: Git, tip: str, base: str, changes: list[Change], *, shallow: bool, notes: list[str]) -> Past:
    """Return the past of these changes; what of it cannot be had is marked in it."""
    paths = sorted({each.before for change in changes for each in change.files if each.is_text})
    authors = {change.author for change in changes}
    with ThreadPoolExecutor(2) as pool:
        counting = pool.submit(_counted, git, base, paths)
        if shallow:
            touched = written = _Read([], GitError(f"the checkout is shallow; {DEEPER}"))
        elif history.few(paths) and history.few(authors):
            touching = pool.submit(_looked, lambda: history.of_files(git, tip, paths))
            written = _looked(lambda: history.of_authors(git, tip, authors))
            touched = touching.result()
        else:
            touched = written = _looked(lambda: history.of_either(git, tip, paths, authors))
        lines, uncounted = counting.result()
    for names, error in (("lt", uncounted), ("ndev, age, nuc", touched.error), ("exp, rexp, sexp", written.error)):
        if error is not None:
            notes.append(f"{names} not known: {error}")
    past = Past(lines_known=not uncounted, files_known=not touched.error, authors_known=not written.error)
    for path, number in lines.items():
        past.set_lines(path, number)
    ours = {change.sha for change in changes}
    for step in reversed(touched.steps):
        if step.sha not in ours:
            past.touch(step.paths, step.author, step.at, step.sha)
    for step in reversed(written.steps):
        if step.sha not in ours:
            past.write({subsystem_of(path) for path in step.paths}, step.author, step.at)
    return past


def _counted(git: Git, base: str, paths: Sequence[str]) -> tuple[dict[str, int], GitError | None]:
    try:
        return history.lines(git, base, paths), None
    except GitError as error:
        return {}, error


def _looked(look: Callable[[], Iterable[history.Step]]) -> _Read:
    try:
        return _Read(list(look()))
    except GitError as error:
        return _Read([], error)


def _features(past: Past, change: Change, cut: set[str]) -> ChangeFeatures:
    """Return a change's features, and let it become part of the past."""
    if change.sha in cut:
        return ChangeFeatures(fix=float(repairs(change.message)))
    features = past.features(change)
    past.record(change)
    return features


def _commit(change: Change, features: ChangeFeatures | None) -> Commit:
    author = "" if name_problem(change.author) else change.author
    return Commit(sha=change.sha, committed_at=change.committed_at, author=author, features=features)
