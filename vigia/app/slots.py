"""Which slot a worker has: a small number that no other living worker has, taken anew by whoever comes after it.

Series of a worker's own figures are named by it, so there are as many as workers at once, however often they start.
"""

from collections.abc import Iterable

from vigia.stores.base import WorkerRow

NONE = -1
"""The slot of a worker that has not chosen one yet."""


def choose_slot(me: WorkerRow, workers: Iterable[WorkerRow], now: float) -> int:
    """Return which slot `me` shall have, given all rows at `now`, by the store's clock.

    It keeps the one it has, unless a living worker that started earlier has it, too: two that started at once, or one
    that was suspended and had been taken for dead. Otherwise it takes the lowest free one.

    >>> import msgspec
    >>> me = WorkerRow(worker="b", host="", pid=1, slot=0, version="", schemas={}, started_at=2.0, beat_at=9.0,
    ...     interval=5.0, resident=0)
    >>> earlier = msgspec.structs.replace(me, worker="a", started_at=1.0)
    >>> choose_slot(me, [me, earlier], 10.0), choose_slot(earlier, [me, earlier], 10.0), choose_slot(me, [me], 10.0)
    (1, 0, 0)
    """
    living = [row for row in workers if row.worker != me.worker and not row.late(now)]
    before = [row for row in living if (row.started_at, row.worker) < (me.started_at, me.worker)]
    if me.slot != NONE and all(row.slot != me.slot for row in before):
        return me.slot
    taken = {row.slot for row in living}
    return next(slot for slot in range(len(taken) + 1) if slot not in taken)
