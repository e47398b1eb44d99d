"""However workers come, go, sleep and start at once, each living one comes to a slot of its own, and they are few."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from vigia.app.slots import NONE, choose_slot
from vigia.stores.base import WorkerRow

INTERVAL = 5.0


def row(name: str, started_at: float) -> WorkerRow:
    return WorkerRow(
        worker=name,
        host="h",
        pid=1,
        slot=NONE,
        version="1",
        schemas={},
        started_at=started_at,
        beat_at=started_at,
        interval=INTERVAL,
        resident=0,
    )


class Table:
    """The table of workers; each worker reads all rows and writes its own, at moments of its own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.rows: dict[str, WorkerRow] = {}
        self.living: list[str] = []
        self.awake: dict[str, WorkerRow] = {}

    def start(self) -> None:
        name = f"w{len(self.rows)}"
        # two in the same moment: their names decide
        self.awake[name] = row(name, self.now // 2)
        self.rows[name] = self.awake[name]
        self.living.append(name)
        self.awake[name] = self._chosen(name)

    def beat(self, name: str) -> None:
        mine = msgspec.structs.replace(self.awake[name], beat_at=self.now)
        self.rows[name] = self.awake[name] = mine
        self.awake[name] = self._chosen(name)

    def _chosen(self, name: str) -> WorkerRow:
        me = self.awake[name]
        others = [each for each in self.rows.values() if each.slot != NONE]
        return msgspec.structs.replace(me, slot=choose_slot(me, others, self.now))


MOVES = st.lists(st.sampled_from(["start", "start", "kill", "beat", "sleep", "wait"]), max_size=40)


@given(MOVES, st.randoms(use_true_random=False))
def test_each_living_worker_comes_to_a_slot_of_its_own_below_the_number_of_those_that_were_alive_at_once(moves, rnd):
    table, most = Table(), 0
    for move in moves:
        if move == "start":
            table.start()
        elif move == "kill" and table.living:
            table.living.remove(rnd.choice(table.living))
        elif move == "beat" and table.living:
            table.beat(rnd.choice(table.living))
        elif move == "wait":
            table.now += 5 * INTERVAL
        table.now += rnd.random()
    table.now += 5 * INTERVAL
    most = len(table.living)
    for _ in range(most + 2):
        for name in rnd.sample(table.living, most):
            table.beat(name)
        table.now += INTERVAL / 2
    settled = {name: table.awake[name].slot for name in table.living}
    assert len(set(settled.values())) == most
    for name in table.living:
        table.beat(name)
    assert {name: table.awake[name].slot for name in table.living} == settled


@given(st.integers(1, 30))
def test_however_often_workers_start_one_after_the_other_there_is_one_slot(starts):
    table, slots = Table(), set()
    for _ in range(starts):
        table.start()
        (name,) = table.living
        table.beat(name)
        slots.add(table.awake[name].slot)
        table.living.remove(name)
        table.now += 5 * INTERVAL
    assert slots == {0}
