"""Which problems of services that depend on one thing are taken for consequences of one cause. Pure data and decisions.

The lane of that thing holds the open problems of its dependents, and its own. Each run of them that has one cause is a
group (`vigia.models.remediation.runs`): what opened hours later is another one, though the first is still open. What is
in a group stays in until it is over, or until too few are left: then the rest is let go.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from vigia.events.feedback import Severity
from vigia.models.remediation.runs import Member, Thing, has_one_cause, runs

MAX_MEMBERS = 500
"""Most open problems that are held of one thing's dependents; the ones beyond are left alone, as if nothing was shared.
"""


class Group(msgspec.Struct, array_like=True, frozen=True):
    """An open problem with a common cause; `severity` is the worst that a member ever had."""

    number: int
    version: int
    severity: Severity
    opened_at: float
    """When the first of its problems opened."""
    services: tuple[str, ...]
    """The dependents that have part in it, by name."""


class SharedState(msgspec.Struct, array_like=True):
    """What is known of one thing in one environment. `members` are by problem id, `groups` by their number."""

    members: dict[str, Member] = msgspec.field(default_factory=dict)
    opened: int = 0
    """Groups that there have been."""
    groups: dict[int, Group] = msgspec.field(default_factory=dict)


class Change(NamedTuple):
    """What an event changed of a group: how it now is, which problems came in, and which left it though open."""

    group: Group
    resolved: bool
    joined: tuple[str, ...]
    released: tuple[str, ...]
    became: int = 0
    """The number of the group that has what was released: the two turned out to be one."""


def put(state: SharedState, problem_id: str, member: Member) -> None:
    """Take in an open problem, or a later version of one."""
    held = state.members.get(problem_id)
    if held is None and len(state.members) >= MAX_MEMBERS:
        return
    if held is None or member.version > held.version:
        group = held.group if held is not None else 0
        state.members[problem_id] = msgspec.structs.replace(member, group=group)


def over(state: SharedState, problem_id: str) -> None:
    """Take in that a problem is over."""
    state.members.pop(problem_id, None)


def settle(state: SharedState, thing: Thing) -> list[Change]:
    """Decide anew what belongs together, after `put` or `over`; changes `state`, and returns what else changed.

    A group that others became part of comes before them.
    """
    if not thing.limits.enabled and not state.groups:
        return []
    before = {problem_id: member.group for problem_id, member in state.members.items()}
    if thing.limits.enabled:
        _take_in(state, thing)
    _let_go(state, thing)
    joined, left = defaultdict(list), defaultdict(list)
    for problem_id, member in sorted(state.members.items(), key=lambda item: (item[1].opened_at, item[0])):
        if member.group != before[problem_id]:
            joined[member.group].append(problem_id)
            left[before[problem_id]].append(problem_id)
    earlier = dict(state.groups)
    changes = []
    for number in sorted(earlier.keys() | joined.keys() - {0}):
        came_from = [earlier[each] for each in sorted({before[one] for one in joined[number]} - {0})]
        change = _changed(state, thing.name, number, joined[number], left[number], came_from)
        if change is not None:
            changes.append(change)
    return changes


def _take_in(state: SharedState, thing: Thing) -> None:
    """Make a group of each run that has one cause, or is part of one already; those that share a run become one."""
    for run in list(runs(state.members, thing.limits.within)):
        members = [state.members[problem_id] for problem_id in run]
        groups = sorted({one.group for one in members} - {0})
        if not groups:
            if not has_one_cause(members, thing):
                continue
            state.opened += 1
            groups = [state.opened]
        _move(state, run, groups[0])
        if others := set(groups[1:]):
            _move(state, [each for each, member in state.members.items() if member.group in others], groups[0])


def _let_go(state: SharedState, thing: Thing) -> None:
    """Take the groups apart of which too little is left."""
    inside: dict[int, list[str]] = defaultdict(list)
    for problem_id, member in state.members.items():
        inside[member.group].append(problem_id)
    for number, problem_ids in inside.items():
        services = {state.members[problem_id].service for problem_id in problem_ids}
        dependents = len(services - {thing.name})
        if number and (
            not thing.limits.enabled or dependents < (1 if thing.name in services else thing.limits.close_below)
        ):
            _move(state, problem_ids, 0)


def _move(state: SharedState, problem_ids: Iterable[str], group: int) -> None:
    for problem_id in problem_ids:
        member = state.members[problem_id]
        if member.group != group:
            state.members[problem_id] = msgspec.structs.replace(member, group=group)


def _changed(
    state: SharedState, thing: str, number: int, joined: list[str], left: list[str], came_from: list[Group]
) -> Change | None:
    """Bring what is told of a group up to date; None when it is as before."""
    inside = [member for member in state.members.values() if member.group == number]
    before = state.groups.get(number)
    known = came_from if before is None else [before, *came_from]
    members = inside or [state.members[problem_id] for problem_id in left]
    all_known: list[Member | Group] = [*members, *known]
    group = Group(
        number=number,
        version=1 if before is None else before.version + 1,
        # P0 is the worst
        severity=min(each.severity for each in all_known),
        opened_at=min(each.opened_at for each in all_known),
        services=tuple(sorted({one.service for one in members} - {thing})),
    )
    if not inside:
        del state.groups[number]
        became = max((state.members[problem_id].group for problem_id in left), default=0)
        return Change(group, resolved=True, joined=(), released=tuple(left), became=became)
    if before is not None and not joined and group == msgspec.structs.replace(before, version=group.version):
        return None
    state.groups[number] = group
    return Change(group, resolved=False, joined=tuple(joined), released=())
