"""Which problems of services that depend on one thing are taken for consequences of one cause. Pure data and decisions.

The lane of that thing holds the open problems of its dependents, and its own. They are taken together when problems of
enough different services opened within a span, however they arrived; a later one joins when it opened within a span of
one that is in. What is in stays in until it is over, or until too few are left: then the rest is let go. Problems for
which something else is the likelier cause are left to that one's lane.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf
from typing import NamedTuple

import msgspec

from vigia.events.feedback import Severity
from vigia.models.detectors.shared_dependency import SharedDependency

MAX_MEMBERS = 500
"""Most open problems that are held of one thing's dependents; the ones beyond are left alone, as if nothing was shared.
"""


class Member(msgspec.Struct, array_like=True, frozen=True):
    """An open problem of a dependent, or of the thing itself."""

    service: str
    severity: Severity
    opened_at: float
    version: int
    grouped: bool = False


class Group(msgspec.Struct, array_like=True, frozen=True):
    """The open problem with the common cause; `severity` is the worst that a member ever had."""

    number: int
    version: int
    severity: Severity
    opened_at: float
    services: tuple[str, ...]
    """The dependents that have part in it, by name."""


class SharedState(msgspec.Struct, array_like=True):
    """What is known of one thing in one environment. `members` are by problem id."""

    members: dict[str, Member] = msgspec.field(default_factory=dict)
    opened: int = 0
    """Groups that there have been."""
    group: Group | None = None


class Change(NamedTuple):
    """What an event changed: the group as it now is, which problems came in, and which were let go though open."""

    group: Group
    resolved: bool
    joined: tuple[str, ...]
    released: tuple[str, ...]


def put(state: SharedState, problem_id: str, member: Member) -> None:
    """Take in an open problem, or a later version of one."""
    held = state.members.get(problem_id)
    if held is None and len(state.members) >= MAX_MEMBERS:
        return
    if held is None or member.version > held.version:
        grouped = held is not None and held.grouped
        state.members[problem_id] = msgspec.structs.replace(member, grouped=grouped)


def over(state: SharedState, problem_id: str) -> None:
    """Take in that a problem is over."""
    state.members.pop(problem_id, None)


Elsewhere = Callable[[Iterable[Member]], bool]
"""Whether something else is the likelier cause of problems of dependents, which it then has all of."""


def settle(
    state: SharedState, thing: str, known: int, limits: SharedDependency, elsewhere: Elsewhere = lambda _: False
) -> Change | None:
    """Decide anew what belongs together, after `put` or `over`; changes `state`, and returns what else changed.

    `known` is how many services are known to depend on the thing. Of more problems `elsewhere` must not become true.
    """
    if not limits.enabled and state.group is None:
        return None
    joined = _joining(state, thing, known, limits, elsewhere) if limits.enabled else []
    for problem_id in joined:
        state.members[problem_id] = msgspec.structs.replace(state.members[problem_id], grouped=True)
    inside = {problem_id: member for problem_id, member in state.members.items() if member.grouped}
    services = _services_in(state, thing)
    group = state.group
    if group is None:
        if not joined:
            return None
        state.opened += 1
        opened_at = min(member.opened_at for member in inside.values())
        state.group = Group(state.opened, 1, _worst(inside.values()), opened_at, services)
        return Change(state.group, resolved=False, joined=tuple(joined), released=())
    severity = _worst(inside.values(), group.severity)
    after = Group(group.number, group.version + 1, severity, group.opened_at, services)
    own = any(member.service == thing for member in inside.values())
    if not limits.enabled or len(services) < (1 if own else limits.close_below):
        for problem_id, member in inside.items():
            state.members[problem_id] = msgspec.structs.replace(member, grouped=False)
        state.group = None
        return Change(after, resolved=True, joined=(), released=tuple(inside))
    if not joined and services == group.services and severity == group.severity:
        return None
    state.group = after
    return Change(after, resolved=False, joined=tuple(joined), released=())


def _services_in(state: SharedState, thing: str) -> tuple[str, ...]:
    return tuple(sorted({one.service for one in state.members.values() if one.grouped and one.service != thing}))


def _joining(state: SharedState, thing: str, known: int, limits: SharedDependency, elsewhere: Elsewhere) -> list[str]:
    """Return the problems that come in now, in the order in which they opened."""
    dependents = sorted(
        (one.opened_at, problem_id) for problem_id, one in state.members.items() if one.service != thing
    )
    waiting = [problem_id for _, problem_id in dependents if not state.members[problem_id].grouped]
    if not waiting:
        return []
    own = [(problem_id, one) for problem_id, one in state.members.items() if one.service == thing]
    # one that has been there for long says nothing of what happens now
    latest = state.members[waiting[-1]].opened_at
    own_counts = any(abs(latest - one.opened_at) <= limits.within for _, one in own)
    least = limits.least_with_own if own_counts else max(limits.least, known * limits.share)
    joined: list[str] = []
    for run in _runs(dependents, limits.within):
        members = [state.members[problem_id] for problem_id in run]
        if any(one.grouped for one in members) or (
            _enough(members, limits.within, least) and (own_counts or not elsewhere(members))
        ):
            joined += [problem_id for problem_id in run if not state.members[problem_id].grouped]
    return joined + [problem_id for problem_id, one in own if joined and not one.grouped]


def _runs(dependents: Sequence[tuple[float, str]], within: float) -> Iterator[list[str]]:
    """Return the problems in runs: each opened within a span of the one before."""
    run: list[str] = []
    last = -inf
    for opened_at, problem_id in dependents:
        if opened_at - last > within and run:
            yield run
            run = []
        run.append(problem_id)
        last = opened_at
    yield run


def _enough(members: Iterable[Member], within: float, least: float) -> bool:
    """Return whether there is a span in which problems of enough services opened; `members` are in that order."""
    span: deque[Member] = deque()
    services: Counter[str] = Counter()
    for one in members:
        span.append(one)
        services[one.service] += 1
        while one.opened_at - span[0].opened_at > within:
            services[span.popleft().service] -= 1
        if sum(count > 0 for count in services.values()) >= least:
            return True
    return False


def _worst(members: Iterable[Member], *severities: Severity) -> Severity:
    # P0 is the worst
    return min([*severities, *(member.severity for member in members)])
