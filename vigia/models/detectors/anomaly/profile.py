"""What a series usually is at this time of the day, and how far it usually is from that."""

import msgspec

from vigia.models.detectors.anomaly.surprise import multiple_of

SLOT_SECONDS = 1800
SLOTS = 86_400 // SLOT_SECONDS
DAYS_REMEMBERED = 3
"""Within so many days the profile follows a changed day."""


class Slot(msgspec.Struct, array_like=True):
    """The running mean of the values in one slot of the day, and their mean distance from it."""

    mean: float
    distance: float = 0.0
    count: int = 1


class DayProfile(msgspec.Struct, array_like=True):
    """The slots of a day, in UTC; None where nothing has been seen."""

    slots: list[Slot | None] = msgspec.field(default_factory=lambda: [None] * SLOTS)

    def distance_of(
        self, at: float, value: float, believed: float | None, interval: float, scale: float
    ) -> float | None:
        """Return how many usual distances `value` is from what is usual at `at`, then learn what is `believed` of it.

        `interval` is the usual time between values in seconds; `scale`, how far values usually are from the ones just
        before, keeps a slot that has hardly varied yet from calling everything rare. None while too little of the slot
        is known.
        """
        index = int(at // SLOT_SECONDS) % SLOTS
        per_visit = max(1.0, SLOT_SECONDS / interval) if interval > 0 else 1.0
        slot = self.slots[index]
        if slot is None:
            self.slots[index] = None if believed is None else Slot(believed)
            return None
        distance = None
        if slot.count >= max(3.0, 0.5 * per_visit):
            usual = slot.distance + 0.3 * scale
            distance = multiple_of(abs(value - slot.mean), usual)
        if believed is None:
            return distance
        difference = believed - slot.mean
        slot.count += 1
        share = max(1 / slot.count, 1 / (DAYS_REMEMBERED * per_visit))
        slot.mean += share * difference
        slot.distance += share * (abs(difference) - slot.distance)
        return distance
