"""The consumer group: who has which lanes, in which generation.

A rebalance asks every member to let go and waits for those who answer; who does not answer in time is left out, and
goes on as a zombie until it hears of it.
"""

import random
from typing import TYPE_CHECKING, Protocol

from tests.simulation.process import Process
from vigia.streaming.assignor import spread

if TYPE_CHECKING:
    from tests.simulation.world import World

REBALANCE_TIMEOUT = 0.8
SESSION_TIMEOUT = 1.5
ELECTION_LOOKS = 20
"""How often an assignment is put off until an election can be held, before that is given up."""
ELECTION_PAUSE = 0.05


class Member(Protocol):
    """A worker in the group."""

    process: Process

    def revoked(self) -> None:
        """The group takes all partitions back."""

    def assigned(self, generation: int, partitions: list[int]) -> None:
        """The group gives these lanes."""


class Group:
    """The coordinator, a part of the broker."""

    def __init__(self, world: "World", rng: random.Random) -> None:
        self._world = world
        self._rng = rng
        self._members: dict[str, Member] = {}
        self._joined: dict[str, Member] = {}
        self._unheard: set[str] = set()
        self._round = 0
        self._rebalancing = False
        self._mixed = False
        self._elections = 0
        self.generation = 0

    @property
    def members(self) -> list[Member]:
        """Who is in the group, by name."""
        return [member for _, member in sorted(self._members.items())]

    def join(self, member: Member) -> None:
        """A worker joins, or joins again."""
        name = member.process.name
        self._begin()
        self._members[name] = self._joined[name] = member
        self._complete_if_all()

    def leave(self, member: Member) -> None:
        """A worker has left or was not heard of for too long."""
        name = member.process.name
        if self._members.pop(name, None) is None:
            return
        self._joined.pop(name, None)
        self._begin()
        self._complete_if_all()

    def missing(self, member: Member) -> None:
        """Nothing is heard of a worker any more."""
        self._world.at(SESSION_TIMEOUT, self._expire, member, member.process.pauses)

    def _expire(self, member: Member, pauses: int) -> None:
        process = member.process
        if process.dead or (process.frozen is not None and process.pauses == pauses):
            self.leave(member)

    def move(self) -> None:
        """Give the lanes to others."""
        self._mixed = True
        self._begin()

    def elect(self) -> None:
        """Give the lanes to others, and hold an election of leaders while nobody has any."""
        self._elections = ELECTION_LOOKS
        self.move()

    def split(self, member: Member) -> None:
        """Give the lanes of a member to others without its hearing of it for a while."""
        self._unheard.add(member.process.name)
        self._mixed = True
        self._begin()

    def _begin(self) -> None:
        if self._rebalancing:
            return
        self._rebalancing = True
        self._round += 1
        self._joined = {}
        for name, member in sorted(self._members.items()):
            late = self._rng.uniform(0.5, 2.5) if name in self._unheard else 0.0
            process = member.process
            process.later(late + self._world.weather.delay(), self._tell, member, self._round, process.pauses)
        self._world.at(REBALANCE_TIMEOUT, self._complete, self._round)

    def _tell(self, member: Member, number: int, pauses: int) -> None:
        """A member hears of the rebalance; one that was asleep hears of it at its next heartbeat only."""
        process = member.process
        if process.pauses != pauses:
            process.later(self._rng.uniform(0.0, 1.0), self._tell, member, number, process.pauses)
        elif number == self._round or process.name not in self._members:
            member.revoked()
            process.later(self._world.weather.delay(), self._rejoin, member)

    def _rejoin(self, member: Member) -> None:
        if member.process.name not in self._members:
            self.join(member)
        elif self._rebalancing:
            self._joined[member.process.name] = member
            self._complete_if_all()

    def _complete_if_all(self) -> None:
        if self._rebalancing and self._members.keys() - self._unheard == self._joined.keys() - self._unheard:
            self._complete(self._round)

    def _complete(self, number: int) -> None:
        if not self._rebalancing or number != self._round:
            return
        if self._elections and not self._world.elected():
            self._elections -= 1
            self._world.at(ELECTION_PAUSE, self._complete, number)
            return
        self._elections = 0
        self._rebalancing = False
        self._unheard.clear()
        self._members = dict(self._joined)
        self.generation += 1
        for name, partitions in self._assignment().items():
            self._world.trace.add("group", f"generation {self.generation}: {name} has", *partitions)
            member = self._members[name]
            member.process.later(self._world.weather.delay(), member.assigned, self.generation, partitions)

    def _assignment(self) -> dict[str, list[int]]:
        if not self._members:
            return {}
        names, numbers = sorted(self._members), range(self._world.broker.partitions)
        if self._mixed:
            self._mixed = False
            given: dict[str, list[int]] = {name: [] for name in names}
            for number in numbers:
                given[self._rng.choice(names)].append(number)
            return given
        lanes = spread([("notes", number) for number in numbers], names)
        return {name: [number for _, number in mine] for name, mine in lanes.items()}
