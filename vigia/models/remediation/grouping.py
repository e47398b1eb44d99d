"""Problems of services that depend on one thing as one problem of that thing: what is written and told of it.

A problem of a service is told to everything that the service depends on. The lane of such a thing answers with which
problems it takes for consequences of one cause: in rows, for people, and to the lanes of those services.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from vigia.events.dependencies import Dependencies
from vigia.events.effects import Changes
from vigia.events.figures import PROBLEMS_SHARED
from vigia.events.identity import derive_id
from vigia.events.problem_links import PROBLEM_LINKS, DependentProblem, ProblemGrouped
from vigia.events.problems import Problem
from vigia.events.summaries import ProblemGroupSummary
from vigia.models.detectors.problems import PROBLEMS, summary_of
from vigia.models.detectors.quota import NAME as PROBLEM_LIMIT
from vigia.models.detectors.shared_dependency import NAME, SharedDependency
from vigia.models.remediation import shared
from vigia.models.remediation.shared import Change, Member, SharedState

LOCAL = frozenset({"disk_space_low", "memory_leak"})
"""Detectors of what fills up where it is: nothing that a service depends on makes its disk full."""

NAMED = 8
"""Most services that are named in words; how many more there are is said."""

MOST_NAMED = 100
"""Most services that the event names."""


class Grouping:
    """Knows what depends on what, and when problems are taken for one."""

    def __init__(self, dependencies: Dependencies, limits: SharedDependency) -> None:
        self._dependencies = dependencies
        self._limits = limits
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
        thing, at = event.service, event.opened_at
        known = self._dependencies.known_dependents(thing, at)

        def elsewhere(members: Iterable[Member]) -> bool:
            # all lanes must agree which it is: who has fewer dependents has the greater part of them in trouble
            return any(
                (self._dependencies.known_dependents(other, at), other) < (known, thing)
                for other in self._shared_too(members, thing)
            )

        change = shared.settle(state, thing, known, self._limits, elsewhere)
        if change is not None:
            inside = [one for one in state.members.values() if one.grouped]
            too = () if any(one.service == thing for one in inside) else self._shared_too(inside, thing)
            _Told(event, state, change, known, too).tell(changes)

    def _shared_too(self, members: Iterable[Member], thing: str) -> tuple[str, ...]:
        """Return what the services of all these problems depend on beside the thing, by name."""
        every = {(one.service, one.opened_at) for one in members if one.service != thing}
        shared_by_all = set.intersection(*(set(self._dependencies.of(*one)) for one in every)) if every else set()
        return tuple(sorted(shared_by_all - {thing}))


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


class _Told:
    """What one change of a group makes known."""

    def __init__(
        self, event: DependentProblem, state: SharedState, change: Change, known: int, too: Sequence[str]
    ) -> None:
        self._thing, self._at, self._environment = event.service, event.at, event.environment
        self._state, self._change, self._known, self._too = state, change, known, too
        series_id = derive_id("series", self._thing, self._environment, NAME)
        self._series_id = series_id
        self._problem_id = derive_id("problem", series_id, NAME, str(change.group.number))

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
        own = any(one.service == self._thing and one.grouped for one in self._state.members.values())
        return Problem(
            problem_id=self._problem_id,
            service=self._thing,
            detector=NAME,
            severity=group.severity,
            status="resolved" if self._change.resolved else "open",
            opened_at=group.opened_at,
            at=self._at,
            why=_over(self._thing)
            if self._change.resolved
            else _why(self._thing, group.services, group.opened_at, self._too, own=own),
            series_id=self._series_id,
            metric="problems",
            environment=self._environment,
            services=group.services[:MOST_NAMED],
            evidence={"services": float(len(group.services)), "known_dependents": float(self._known)},
            version=group.version,
        )

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


def _why(thing: str, names: Sequence[str], since: float, too: Sequence[str], *, own: bool) -> str:
    also = f"; so has {thing} itself" if own else ""
    but = f"; all of them depend on {_named(too)}, too" if too else ""
    services = f"{len(names)} services that depend on {thing}"
    return f"{services} have problems since {_clock(since)} UTC: {_named(names)}{also}{but}."


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _over(thing: str) -> str:
    return f"Too few services that depend on {thing} still have problems for one cause; what is left stands for itself."


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M}"
