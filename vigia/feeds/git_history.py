"""Any git repository's main line as deployments, and as their outcomes what later repairs tell (SZZ): a warm start.

Each step of the main line is a deployment of the commits that it brought, with their features, at the time it came. It
turns out defective when a later step repairs lines that it added: Śliwerski, Zimmermann, Zeller, "When do changes
induce fixes?" (MSR 2005). As in Kim et al. (ASE 2006), blank lines, comments, and changes of white space alone do not
count, nor do files of prose. A step repairs when the message of one of its commits says so, in the files that this
commit touched. The outcome comes when it became known: at the repair, or "clean" when 90 days passed without one; a
repair after that tells otherwise, later.

What may surprise: SZZ guesses. It takes each line that a repair removed for a cause, and a repair that only adds lines
names none. Steps listed in `.git-blame-ignore-revs` of the head are taken for formatting: they neither repair nor are
blamed for lines that they replaced.
"""

import heapq
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from vigia.events.base import HISTORY_ENVIRONMENT
from vigia.events.deployments import MAX_COMMITS, Commit, Deployment
from vigia.events.feedback import Label, Outcome
from vigia.events.names import name_problem
from vigia.feeds.git.changes import Change, listed
from vigia.feeds.git.command import Git, GitError
from vigia.feeds.git.kamei import Past, repairs
from vigia.feeds.git.lines import Origins
from vigia.feeds.git.mainline import Step, steps
from vigia.feeds.git.patches import Patch, patches

WAITING_TIME = 90 * 86_400.0
"""Seconds after which a step that nothing has repaired counts as clean (the ORB protocol of Cabral et al., 2019)."""

LABEL: Label = "defect"
IGNORED = "HEAD:.git-blame-ignore-revs"


class Sent(NamedTuple):
    """An event and where it goes."""

    topic: str
    key: str
    event: Deployment | Outcome


class History:
    """The history of the repository in `folder`, as deployments of `service` in `scope`.

    `newest` is how many steps become deployments; those before only teach what the features count. `now` is in epoch
    seconds. Ids are derived from service and commits: the same history gives the same events, and one that has grown
    since the same and more. Raises GitError, also while it is read.
    """

    def __init__(self, folder: Path, service: str, scope: str, now: float, newest: int | None = None) -> None:
        self._git = Git(folder, max_bytes=None)
        self._service, self._scope = service, scope
        self._source = f"git-history:{service}"
        self._steps = steps(self._git, now)
        self._first = 0 if newest is None else max(0, len(self._steps) - newest)
        self._defective: set[int] = set()

    @property
    def deployments(self) -> int:
        """How many steps become deployments, at most: a merge that brings nothing is none."""
        return len(self._steps) - self._first

    def events(self) -> Iterator[Sent]:
        """Yield the history in time order; what became known at the moment of a step comes before it.

        It ends with the last step: whether those of the 90 days before it were clean is not known then.
        """
        ignored = _ignored(self._git)
        changes = listed(self._git, [sha for step in self._steps for sha in step.commits])
        past, origins = Past(), Origins()
        waiting: list[tuple[float, int]] = []
        for number, (sha, changed) in enumerate(patches(self._git, self._steps[-1].sha)):
            step = self._steps[number]
            if sha != step.sha:
                raise GitError(f"{self._git.folder} changed while its history was read, at {sha}")
            brought = [next(changes) for _ in step.commits]
            while waiting and waiting[0][0] <= step.at:
                yield from self._clean(*heapq.heappop(waiting))
            formatting = step.sha in ignored
            removed = origins.apply(number, changed, formatting=formatting)
            if not formatting:
                yield from self._found(number, _mended(step, brought, changed, removed))
            commits = [_recorded(past, change) for change in brought]
            if commits and number >= self._first:
                yield self._deployment(step, commits)
                heapq.heappush(waiting, (step.at + WAITING_TIME, number))

    def _deployment(self, step: Step, commits: list[Commit]) -> Sent:
        event = Deployment(
            source=self._source,
            external_id=step.sha,
            service=self._service,
            scope=self._scope,
            environment=HISTORY_ENVIRONMENT,
            version=step.sha,
            stage="finished",
            status="succeeded",
            at=step.at,
            # a merge of more is an import: its features would be those of a part
            commits=commits if len(commits) <= MAX_COMMITS else [],
        )
        return Sent("deployments", self._scope, event)

    def _found(self, number: int, blamed: set[int]) -> Iterator[Sent]:
        step = self._steps[number]
        for each in sorted(blamed - self._defective):
            self._defective.add(each)
            if each >= self._first and self._steps[each].commits:
                yield self._outcome(each, step.at, f"{step.sha} repairs lines that it added")

    def _clean(self, at: float, number: int) -> Iterator[Sent]:
        if number not in self._defective:
            yield self._outcome(number, at, "")

    def _outcome(self, number: int, at: float, reason: str) -> Sent:
        event = Outcome(
            source=self._source,
            external_id=self._steps[number].sha,
            service=self._service,
            scope=self._scope,
            at=at,
            failed=bool(reason),
            label=LABEL,
            reason=reason,
            by="git history (SZZ)",
        )
        return Sent("feedback", self._scope, event)


def _mended(step: Step, brought: list[Change], changed: list[Patch], removed: dict[str, set[int]]) -> set[int]:
    """Return the steps whose lines a step removed in files where it repairs something."""
    if not removed:
        return set()
    if step.repairs:
        files = {patch.before for patch in changed}
    else:
        fixes = [change for change in brought if repairs(change.message)]
        # a file may be repaired under one name and renamed in the same step
        files = {name for fix in fixes for each in fix.files for name in (each.path, each.before)}
    return set().union(*(found for path, found in removed.items() if path in files))


def _recorded(past: Past, change: Change) -> Commit:
    features = past.features(change)
    past.record(change)
    author = "" if name_problem(change.author) else change.author
    return Commit(sha=change.sha, committed_at=change.committed_at, author=author, features=features)


def _ignored(git: Git) -> set[str]:
    try:
        listing = git.text("cat-file", "blob", IGNORED)
    except GitError:
        return set()
    return {line.partition("#")[0].strip() for line in listing.splitlines()}
