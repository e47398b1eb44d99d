"""What must have been applied whatever the order and cuts were: counted from what was sent, and from nothing else."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.simulation.reference import CLUSTER, FUTURE_LIMIT, header
from tests.support.fakes.notes import Note
from vigia.events.invalid import Invalid
from vigia.events.topic import Topic
from vigia.stores.base import RawRecord
from vigia.streaming.partitions import partition_of

Place = tuple[str, int, int]
"""Topic, partition, offset."""


@dataclass
class Recount:
    """Figures that do not depend on order: samples applied by service, samples moved, junk refused."""

    applied: Counter[str] = field(default_factory=Counter)
    moved: int = 0
    junk: int = 0
    poisoned: set[Place] = field(default_factory=set)
    """Records that the model must have been given up on."""
    _taken: set[tuple[str, str]] = field(default_factory=set)

    def add(self, topics: dict[str, Topic], partitions: int, sent: Iterable[RawRecord], given_up: set[Place]) -> None:
        """Count what was sent; `given_up` are the records that were set aside."""
        for record in sent:
            if not record.value and header(record, "vigia-tick") is not None:
                continue
            here = self._here(topics[record.topic], partitions, record)
            place = (record.topic, record.partition, record.offset)
            if any(note.do == "boom" for note in here):
                self.poisoned.add(place)
            elif place not in given_up:
                for note in here:
                    self._take(note, (header(record, "vigia-origin") or b"").decode())

    def _here(self, topic: Topic, partitions: int, record: RawRecord) -> list[Note]:
        """Return the notes that lie in their place, and count the others."""
        here = []
        for position, item in enumerate(topic.decode(record.value)):
            if isinstance(item, Invalid):
                self.junk += 1
                continue
            assert isinstance(item, Note)
            key = item.service.encode()
            if item.at > record.timestamp / 1000 + FUTURE_LIMIT:
                self.junk += item.samples
            elif record.key == key and partition_of(key, partitions) == record.partition:
                here.append(item)
            elif header(record, "vigia-origin") is not None:
                self.junk += item.samples
            else:
                self.moved += item.samples
                if item.do != "boom":
                    self._take(item, f"{CLUSTER}/{record.topic}/{record.partition}/{record.offset}/{position}")
        return here

    def _take(self, note: Note, origin: str) -> None:
        if note.do == "reject":
            return
        identity = note.event_id or origin
        if identity:
            if (note.service, identity) in self._taken:
                return
            self._taken.add((note.service, identity))
        self.applied[note.service] += note.samples
