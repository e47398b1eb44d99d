"""A summaries' database that holds what the deployments model writes, and questions to it."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.models.laws import Lane, Sent
from vigia.events.dora_facts import Question
from vigia.models.deployments import DeploymentsModel
from vigia.models.dora.intervals import ranks
from vigia.models.dora.levels import DoraConfig
from vigia.models.dora.report import DoraReport, Metric, report
from vigia.stores.base import LaneId, StepCommit
from vigia.stores.queries.delivery_facts import delivery_facts
from vigia.stores.sql.summaries import SqlSummaries, open_summaries
from vigia.stores.sql.summary_tables import TABLES

DAY = 86_400.0
NOON = 20_000 * DAY + DAY / 2
"""A day's noon, around which tests happen."""


class Deliveries:
    """The metrics of a list of events, told in their order, each event id once, as a step does."""

    def __init__(self, summaries: SqlSummaries) -> None:
        self.summaries = summaries
        self.lane = summaries.acquire(LaneId("deployments", 0), "test", "test", 1)

    def tell(self, events: Sequence[Any]) -> None:
        """Forget all rows, and write those of `events`."""
        with self.summaries._database.dialect.engine.connect() as connection:
            for table in TABLES.values():
                connection.execute(table.delete())
        lane, seen = Lane(DeploymentsModel()), set()
        for event in events:
            if event.identity not in seen:
                seen.add(event.identity)
                lane.run([Sent(event, NOON)])
        after = msgspec.structs.replace(self.lane, version=self.lane.version + 1)
        self.summaries.commit(StepCommit(after, self.lane.version, None, summaries=list(lane.rows.values())))
        self.lane = after

    def ask(self, events: Sequence[Any] | None = None, *, config: DoraConfig | None = None, **asked: Any) -> DoraReport:
        """Return the report on `events`, or on what was told before: of everything, unless `asked` says otherwise."""
        if events is not None:
            self.tell(events)
        question: dict[str, Any] = {
            "of": "all",
            "name": "",
            "since": NOON - 30 * DAY,
            "until": NOON + 30 * DAY,
            "environments": ("production",),
            "attribution_window": DAY,
        } | asked
        year = question.pop("year", 2024)
        facts = delivery_facts(self.summaries, Question(**question), ranks, days=True)
        return report(facts, config or DoraConfig(), year)


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deliveries]:
    """An empty database."""
    folder: Path = tmp_path_factory.mktemp("dora")
    summaries = open_summaries(f"sqlite:///{folder}/summaries.db")
    summaries.migrate()
    yield Deliveries(summaries)
    summaries.close()


@pytest.fixture
def metric(deliveries: Deliveries) -> Callable[..., Metric]:
    """One metric of some events."""

    def ask(name: str, events: Sequence[Any], **asked: Any) -> Metric:
        return next(each for each in deliveries.ask(events, **asked).metrics if each.name == name)

    return ask
