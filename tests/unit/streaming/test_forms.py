"""States of two releases: the new one writes the old form until all workers read the new one, and says so otherwise."""

import asyncio
from typing import Any

import msgspec
import pytest

from tests.support.fakes.clock import run
from tests.support.fakes.notes import MORE, NOTES, TOTALS, Note, NotesModel, Tally, encode
from tests.support.fakes.process import Ended
from tests.support.fakes.services import services_of
from tests.support.fakes.world import LANE_LIMITS, World
from tests.unit.streaming.lane_bench import HERE, Bench
from vigia.stores.base import WorkerRow
from vigia.streaming.failure import EXIT_NEEDS_PERSON
from vigia.streaming.forms import Forms
from vigia.streaming.route import Route

SERVICES = tuple(services_of(HERE, 4))
OLD, NEW = NotesModel.schema, NotesModel.schema + 1


class NewNotesModel(NotesModel):
    """The next release: its states are stored as JSON, and it still reads and writes those of the release before."""

    schema = NEW

    def load(self, key: str, schema: int, body: bytes) -> Tally:
        return msgspec.json.decode(body, type=Tally) if schema == NEW else NotesModel().load(key, schema, body)

    def dump(self, key: str, state: Tally) -> bytes:
        return msgspec.json.encode(state)

    def dump_previous(self, key: str, state: Tally) -> bytes:
        return NotesModel().dump(key, state)


def route(model: Any) -> Route:
    return Route("notes", (NOTES, MORE), model, packed=False, emits=(TOTALS,))


def worker(name: str, **schemas: int) -> WorkerRow:
    return WorkerRow(
        worker=name,
        host="host",
        pid=1,
        slot=0,
        version="1",
        schemas=schemas,
        started_at=0.0,
        beat_at=0.0,
        interval=5.0,
        resident=0,
    )


class Releases:
    """One installation, on which workers of both releases take turns; each turn brings new notes."""

    def __init__(self) -> None:
        self.world = World()
        self.turns = 0

    def turn(self, model: Any, forms: Forms, services: tuple[str, ...] = SERVICES[:3]) -> None:
        async def working() -> None:
            bench = Bench(self.world, self.world.process(), owner=f"worker-{self.turns}")
            bench.start()
            assert bench.task is not None
            await bench.feed("notes", bench.lane.state.next_offset("notes"), 10)
            await asyncio.wait([bench.task], timeout=5)
            bench.lane.revoke()
            await bench.task

        self.turns += 1
        self.world.route, self.world.forms = route(model), forms
        for number, service in enumerate(services):
            note = Note(service=service, event_id=f"{self.turns}", amount=number, do="wake", wait=600.0)
            self.world.broker.append("notes", encode(note), at=self.world.began, key=service.encode())
        run(working())

    @property
    def schemas(self) -> set[int]:
        return {row.schema for row in self.world.memory.states[self.world.lane(HERE)].values()}

    @property
    def tallies(self) -> dict[str, Tally]:
        rows = self.world.memory.states[self.world.lane(HERE)]
        assert all(row.body is not None for row in rows.values())
        return {key: NewNotesModel().load(key, row.schema, row.body or b"") for key, row in rows.items()}


def both(old: str = "old") -> Forms:
    forms = Forms.cautious([route(NewNotesModel())])
    forms.learn([route(NewNotesModel())], [worker(old, notes=OLD), worker("new", notes=NEW)])
    return forms


def all_new() -> Forms:
    forms = both()
    forms.learn([route(NewNotesModel())], [worker("a", notes=NEW), worker("b", notes=NEW + 1), worker("c", other=1)])
    return forms


def test_while_one_worker_reads_only_the_old_form_it_is_what_the_new_release_writes():
    installation = Releases()
    installation.turn(NewNotesModel(), both())
    assert installation.schemas == {OLD}


def test_a_worker_that_knows_nobody_yet_writes_the_old_form():
    installation = Releases()
    installation.turn(NewNotesModel(), Forms.cautious([route(NewNotesModel())]))
    assert installation.schemas == {OLD}


def test_once_all_workers_read_the_new_form_it_is_written():
    installation = Releases()
    installation.turn(NotesModel(), Forms())
    installation.turn(NewNotesModel(), all_new())
    assert installation.schemas == {NEW}


def test_a_model_without_an_old_form_writes_its_own_whoever_runs():
    forms = Forms.cautious([route(NotesModel())])
    forms.learn([route(NotesModel())], [worker("old", notes=OLD - 1)])
    assert forms.newest("notes")


def test_the_release_before_takes_over_as_if_the_new_one_had_never_run():
    mixed, plain = Releases(), Releases()
    for model, forms in ((NotesModel(), Forms()), (NewNotesModel(), both()), (NotesModel(), Forms())):
        mixed.turn(model, forms)
        plain.turn(NotesModel(), Forms())
    assert mixed.tallies == plain.tallies
    assert mixed.world.memory.effects() == plain.world.memory.effects()
    assert all(tally.applied == 3 for tally in mixed.tallies.values())


def test_an_upgrade_of_one_worker_after_the_other_equals_one_release_throughout():
    mixed, plain = Releases(), Releases()
    for model, forms in ((NotesModel(), Forms()), (NewNotesModel(), both()), (NewNotesModel(), all_new())):
        mixed.turn(model, forms)
        plain.turn(NotesModel(), Forms())
    assert mixed.tallies == plain.tallies


@pytest.mark.parametrize(
    ("services", "later"), [(SERVICES[:1], 0.0), (SERVICES[3:], 10_000.0)], ids=["an event", "a timer"]
)
def test_after_that_the_release_before_needs_a_person_and_sets_nothing_aside(services, later):
    installation = Releases()
    installation.turn(NewNotesModel(), all_new())
    installation.world.began += later
    for _ in range(LANE_LIMITS.attempts_before_quarantine + 1):
        with pytest.raises(Ended, match=rf"has version {NEW} of the model notes.*upgrade this one") as ended:
            installation.turn(NotesModel(), Forms(), services)
        assert ended.value.code == EXIT_NEEDS_PERSON
    assert installation.world.memory.letters == {}
    assert installation.world.memory.attempt_counts == {}


def test_a_state_of_two_releases_ago_says_to_go_through_the_one_between():
    class AfterNext(NewNotesModel):
        schema = NEW + 1

    installation = Releases()
    installation.turn(NotesModel(), Forms())
    with pytest.raises(Ended, match="one at a time, or rebuild") as ended:
        installation.turn(AfterNext(), Forms())
    assert ended.value.code == EXIT_NEEDS_PERSON
