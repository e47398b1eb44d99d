"""Problems of services that depend on one thing as one problem of that thing: what is written and told of it.

A problem of a service is told to everything that the service depends on. The lane of such a thing answers with which
problems it takes for consequences of one cause: in rows, for people, and to the lanes of those services.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime

from vigia.events.dependencies import Dependencies
from vigia.events.effects import Changes
from vigia.events.figures import PROBLEMS_SHARED
from vigia.events.identity import derive_id
from vigia.events.problem_links import PROBLEM_LINKS, DependentProblem, ProblemGrouped
from vigia.events.problems import Problem
from vigia.events.samples import Series
from vigia.events.summaries import ProblemGroupSummary
from vigia.models.detectors.mutes import Mute
from vigia.models.detectors.problems import PROBLEMS, summary_of
from vigia.models.detectors.quota import NAME as PROBLEM_LIMIT
from vigia.models.detectors.shared_dependency import NAME, SharedDependency
from vigia.models.remediation import shared
from vigia.models.remediation.runs import Member, Thing
from vigia.models.remediation.shared import Change, Group, SharedState

LOCAL = frozenset({"disk_space_low", "memory_leak"})
"""Detectors of what fills up where it is: nothing that a service depends on makes its disk full."""

METRIC = "problems"
"""What the problem is told to be of."""

NAMED = 8
"""Most services that are named in words; how many more there are is said."""

MOST_NAMED = 100
"""Most services that the event names."""


class Grouping:
    """Knows what depends on what, when problems are taken for one, and where that is muted."""

    def __init__(self, dependencies: Dependencies, limits: SharedDependency, mutes: Sequence[Mute] = ()) -> None:
        self._dependencies = dependencies
        self._limits = limits
        self._mutes = mutes
        self._things = dependencies.names()

    def told_to(self, problem: Problem) -> tuple[str, ...]:
        """Return what the service of a problem depended on when it opened, and itself if others depend on it.

        A stale problem concerns nobody, and what says something of other problems is none that has a cause elsewhere.
        """
        if problem.status == "stale" or problem.detector in {NAME, PROBLEM_LIMIT}:
            return ()
        own = (problem.service,) if problem.service in self._things else ()
        if problem.detector in LOCAL:
            return own
        return own + self._dependencies.of(problem.service, problem.opened_at)

    def take(self, event: DependentProblem, state: SharedState, changes: Changes) -> None:
        """Take in a problem of a dependent, or of the thing itself (the dependent is then the thing)."""
        if event.status == "open":
            member = Member(event.dependent, event.severity, event.opened_at, event.version)
            shared.put(state, event.problem_id, member)
        else:
            shared.over(state, event.problem_id)
        for change in shared.settle(state, self._thing(event.service, event.environment)):
            _Told(event, state, change, self._dependencies).tell(changes)

    def _thing(self, name: str, environment: str) -> Thing:
        known = self._dependencies.known_dependents
        series = _series(name, environment)

        def fewest(times: Collection[float]) -> int:
            return min(known(name, at) for at in times)

        def elsewhere(members: Sequence[Member]) -> bool:
            # all lanes must agree which it is: who has fewer dependents has the greater part of them in trouble
            times = {one.opened_at for one in members}
            return any(
                all((known(other, at), other) < (known(name, at), name) for at in times)
                for other in _shared_too(self._dependencies, members, name)
            )

        def muted(at: float) -> bool:
            return any(mute.holds(series, NAME, at) for mute in self._mutes)

        return Thing(name, self._limits, fewest, elsewhere, muted)


def link(problem: Problem, thing: str) -> DependentProblem:
    """Return what `thing` is told of a version of a problem."""
    return DependentProblem(
        service=thing,
        dependent=problem.service,
        problem_id=problem.problem_id,
        detector=problem.detector,
        severity=problem.severity,
        status=problem.status,
        opened_at=problem.opened_at,
        at=problem.at,
        version=problem.version,
        environment=problem.environment,
    )


def _series(thing: str, environment: str) -> Series:
    series_id = derive_id("series", thing, environment, NAME)
    return Series(series_id, thing, environment, METRIC, (), "gauge", "1")


def _shared_too(dependencies: Dependencies, members: Iterable[Member], thing: str) -> tuple[str, ...]:
    """Return what the services of all these problems depend on beside the thing, by name."""
    shared_by_all: set[str] | None = None
    for service, opened_at in {(one.service, one.opened_at) for one in members if one.service != thing}:
        others = {name for name in dependencies.of(service, opened_at) if name != thing}
        shared_by_all = others if shared_by_all is None else shared_by_all & others
        if not shared_by_all:
            break
    return tuple(sorted(shared_by_all or ()))


class _Told:
    """What one change of a group makes known."""

    def __init__(self, event: DependentProblem, state: SharedState, change: Change, dependencies: Dependencies) -> None:
        self._thing, self._at, self._environment = event.service, event.at, event.environment
        self._state, self._change, self._dependencies = state, change, dependencies
        self._series_id = _series(self._thing, self._environment).series_id
        self._problem_id = derive_id("problem", self._series_id, NAME, str(change.group.number))

    def tell(self, changes: Changes) -> None:
        problem = self._problem()
        changes.write(summary_of(problem))
        changes.emit(PROBLEMS, self._thing, problem)
        if problem.version == 1:
            changes.count(PROBLEMS_SHARED)
        for problem_id in self._change.joined:
            self._tell_member(problem_id, changes, released=False)
        for problem_id in self._change.released:
            self._tell_member(problem_id, changes, released=True)

    def _problem(self) -> Problem:
        group = self._change.group
        known = self._dependencies.known_dependents(self._thing, group.opened_at)
        return Problem(
            problem_id=self._problem_id,
            service=self._thing,
            detector=NAME,
            severity=group.severity,
            status="resolved" if self._change.resolved else "open",
            opened_at=group.opened_at,
            at=self._at,
            why=self._why(),
            series_id=self._series_id,
            metric=METRIC,
            environment=self._environment,
            services=group.services[:MOST_NAMED],
            evidence={"services": float(len(group.services)), "known_dependents": float(known)},
            version=group.version,
        )

    def _why(self) -> str:
        group, became = self._change.group, self._change.became
        if became:
            return _became(self._thing, self._state.groups[became].opened_at)
        if self._change.resolved:
            return _over(self._thing)
        inside = [one for one in self._state.members.values() if one.group == group.number]
        if any(one.service == self._thing for one in inside):
            return _open(self._thing, group, (), own=True)
        return _open(self._thing, group, _shared_too(self._dependencies, inside, self._thing), own=False)

    def _tell_member(self, problem_id: str, changes: Changes, *, released: bool) -> None:
        service, version = self._state.members[problem_id].service, self._change.group.version
        changes.write(
            ProblemGroupSummary(
                problem_id=problem_id,
                part_of=self._problem_id,
                service=service,
                at=self._at,
                released=int(released),
                version=version,
            )
        )
        if service == self._thing:
            return  # a fix of the cause is what is wanted
        event = ProblemGrouped(
            service=service,
            problem_id=problem_id,
            part_of=self._problem_id,
            version=version,
            at=self._at,
            released=released,
            environment=self._environment,
        )
        changes.emit(PROBLEM_LINKS, service, event)


def _open(thing: str, group: Group, too: Sequence[str], *, own: bool) -> str:
    also = f"; so has {thing} itself" if own else ""
    but = f"; all of them depend on {_named(too)}, too" if too else ""
    services = f"{len(group.services)} services that depend on {thing}"
    return f"{services} have problems since {_clock(group.opened_at)} UTC: {_named(group.services)}{also}{but}."


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _over(thing: str) -> str:
    return f"Too few services that depend on {thing} still have problems for one cause; what is left stands for itself."


def _became(thing: str, since: float) -> str:
    return f"What opened in between shows that this is one with the problem of {thing} since {_clock(since)} UTC."


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M}"
