"""Runs of problems, each of which opened soon after the one before, and whether a run has one cause. Pure decisions.

A run is judged by all that is in it, and what is true of a run stays true when problems are added to it, or two runs
become one: it has its cause here, not elsewhere. So it does not matter in which order problems are told. Who changes a
rule must keep that.
"""

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import NamedTuple

import msgspec

from vigia.events.feedback import Severity
from vigia.models.detectors.shared_dependency import SharedDependency


class Member(msgspec.Struct, array_like=True, frozen=True):
    """An open problem of a dependent, or of the thing itself."""

    service: str
    severity: Severity
    opened_at: float
    version: int
    group: int = 0
    """The number of the group that it is part of; 0 while it stands for itself."""


def _never(_: object) -> bool:
    return False


def _none(_: object) -> int:
    return 0


class Thing(NamedTuple):
    """What services depend on in one environment, and what the catalog and the limits say of it."""

    name: str
    limits: SharedDependency
    known: Callable[[Collection[float]], int] = _none
    """How many services are known to depend on it: the fewest at any of these epoch times."""
    elsewhere: Callable[[Sequence[Member]], bool] = _never
    """Whether something else is the likelier cause of these problems, all of which it has, too."""
    muted: Callable[[float], bool] = _never
    """Whether what opens at this epoch time opens no problem of the thing."""


def runs(members: Mapping[str, Member], within: float) -> Iterator[list[str]]:
    """Return the problems in runs, by the time at which they opened: each within `within` of the one before."""
    run: list[str] = []
    last = -inf
    for opened_at, problem_id in sorted((member.opened_at, problem_id) for problem_id, member in members.items()):
        if opened_at - last > within and run:
            yield run
            run = []
        run.append(problem_id)
        last = opened_at
    if run:
        yield run


def has_one_cause(run: Sequence[Member], thing: Thing) -> bool:
    """Return whether the problems of a run, in the order in which they opened, are taken for one."""
    limits = thing.limits
    if any(one.service == thing.name for one in run):
        return _enough(run, thing, limits.least_with_own)
    least = max(limits.least, thing.known({one.opened_at for one in run}) * limits.share)
    return _enough(run, thing, least) and not thing.elsewhere(run)


def _enough(run: Iterable[Member], thing: Thing, least: float) -> bool:
    """Return whether problems of enough services opened within a span that ends with one that nothing mutes."""
    span: deque[Member] = deque()
    services: Counter[str] = Counter()
    for one in run:
        span.append(one)
        services[one.service] += 1
        while one.opened_at - span[0].opened_at > thing.limits.within:
            service = span.popleft().service
            services[service] -= 1
            if not services[service]:
                del services[service]
        if len(services) - (thing.name in services) >= least and not thing.muted(one.opened_at):
            return True
    return False
