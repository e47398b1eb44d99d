"""What may arrive in a lane, as strategies, and how it is cut into batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import NamedTuple

from hypothesis import strategies as st

from tests.support.fakes.notes import START, Note, encode
from tests.support.fakes.services import services_of
from tests.support.fakes.world import World
from vigia.streaming.batches import ORIGIN_HEADER, TICK_HEADER, Batch

HERE = 1
"""The partition that everything is sent to."""

RIGHT = services_of(HERE, 3)
WRONG = services_of(2, 2)
WITHOUT_TIMERS = ["", "", "emit", "write", "correct", "forget"]
WITH_TIMERS = [*WITHOUT_TIMERS, "wake", "wake twice", "sleep", "reject"]


class Sending(NamedTuple):
    """A record to be: `pause` seconds after the one before, `skip` offsets left out before it."""

    topic: str
    value: bytes
    key: bytes | None
    pause: float = 0.0
    skip: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()


def notes(services: Sequence[str] = RIGHT, do: Sequence[str] = WITH_TIMERS) -> st.SearchStrategy[Note]:
    """Notes with few ids, so that repeats and conflicts come up."""
    return st.builds(
        Note,
        service=st.sampled_from(services),
        event_id=st.sampled_from(["", "", "a", "b", "c"]),
        amount=st.integers(1, 2),
        do=st.sampled_from(do),
        wait=st.sampled_from([0.0, 5.0, 40.0]),
        samples=st.sampled_from([1, 1, 7]),
        at=st.sampled_from([START, START, START + 100_000]),
    )


def sendings(
    do: Sequence[str] = WITH_TIMERS, min_size: int = 0, max_size: int = 12
) -> st.SearchStrategy[list[Sending]]:
    """Notes in their place, arrays, junk, ticks, notes of other lanes, and notes that were sent on already."""
    here = notes(do=do)
    elsewhere = notes([*RIGHT, *WRONG], do=do)
    where = {
        "topic": st.sampled_from(["notes", "notes", "more"]),
        "pause": st.sampled_from([0.0, 0.1, 10.0, 50.0]),
        "skip": st.sampled_from([0, 0, 0, 2]),
    }
    keys = st.sampled_from([*RIGHT, *WRONG]).map(str.encode)
    one = here.map(lambda note: (encode(note), note.service.encode(), ()))
    stray = st.tuples(st.lists(elsewhere, min_size=1, max_size=3).map(lambda some: encode(*some)), st.none() | keys)
    junk = st.sampled_from([b"", b"{", b"[]", b'{"type":"note"}', b'[1,{"type":"note","service":"x"}]', b"\xff"])
    sent_on = st.tuples(elsewhere.map(encode), keys, st.sampled_from([b"notes/0/7/0", b"notes/0/8/0"]))
    shapes = st.one_of(
        one,
        one,
        st.tuples(stray).map(lambda pair: (*pair[0], ())),
        st.tuples(junk, keys).map(lambda pair: (*pair, ())),
        sent_on.map(lambda three: (three[0], three[1], ((ORIGIN_HEADER, three[2]),))),
        st.just((b"", None, ((TICK_HEADER, b"1"),))),
    )
    return st.lists(
        st.builds(
            lambda shape, topic, pause, skip: Sending(topic, shape[0], shape[1], pause, skip, shape[2]), shapes, **where
        ),
        min_size=min_size,
        max_size=max_size,
    )


sizes = st.lists(st.integers(1, 5), min_size=1, max_size=4)


def arrive(world: World, history: Sequence[Sending]) -> None:
    """Append a history to the broker."""
    clock = START
    for sending in history:
        clock += sending.pause
        world.broker.append(
            sending.topic,
            sending.value,
            at=clock,
            key=sending.key,
            partition=HERE,
            headers=sending.headers,
            skip=sending.skip,
        )


@dataclass
class Cutter:
    """Cuts what has arrived into batches, the topics in turn; `sizes` repeat."""

    world: World
    sizes: Sequence[int]
    positions: dict[str, int] = field(default_factory=dict)

    def batches(self) -> Iterator[Batch]:
        """Every record once."""
        names = [topic.name for topic in self.world.route.topics]
        size = cycle(self.sizes)
        idle = 0
        for name in cycle(names):
            offset = self.positions.get(name, 0)
            batch = self.world.batch(name, HERE, offset, next(size))
            idle = 0 if batch else idle + 1
            if idle == len(names):
                return
            if batch:
                self.positions[name] = batch.next_offset
                yield batch
