"""What `vigia ai-agents` asks of MariaDB: each statement reads the span's rows by an index, and one agent's alone."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import inspect

from tests.contract.summaries_databases import mariadb_schema
from tests.contract.summaries_rows import commit, take
from tests.support.statements import noted_statements
from vigia.cli.ai_agents.command import read
from vigia.cli.span import DAY, Span
from vigia.events.summaries import AIDecisionTally, AIDecisionTimes
from vigia.models.telemetry.bins import BINS, NO_CONFIDENCE
from vigia.models.windows.sketch import Sketch
from vigia.settings import Settings
from vigia.stores.queries.ai_agents import last_ai_decision_day
from vigia.stores.sql.summaries import SqlSummaries, open_summaries

DAYS, AGENTS = 120, 6
SPAN = Span(90 * DAY, 97 * DAY)


def rows() -> Iterator[AIDecisionTally | AIDecisionTimes]:
    sketch = Sketch.of([1.0, 2.0]).encode()
    for day in range(DAYS):
        for agent in map("agent-{}".format, range(AGENTS)):
            key: dict[str, Any] = {"start": day * DAY, "agent": agent, "decision_type": "triage"}
            yield AIDecisionTimes(**key, count=2, total=3_000, sketch=sketch)
            for number in range(NO_CONFIDENCE, BINS):
                for judge in ("all", "person", "any"):
                    sums: dict[str, Any] = {
                        "decisions": 9,
                        "correct": number % 9,
                        "partly": 0,
                        "confidence": 9,
                        "squared_error": 1,
                    }
                    yield AIDecisionTally(**key, bin=number, judge=judge, **sums)


@pytest.fixture(scope="module")
def filled(stack) -> Iterator[SqlSummaries]:
    """A hundred and twenty days of six AI agents on MariaDB."""
    with mariadb_schema(stack["VIGIA_SUMMARIES_URL"]) as url:
        summaries = open_summaries(url)
        summaries.migrate()
        commit(summaries, take(summaries), summaries=list(rows()))
        with summaries._database.dialect.engine.connect() as connection:
            for table in inspect(connection).get_table_names():
                connection.exec_driver_sql(f"ANALYZE TABLE `{table}`").all()
        yield summaries
        summaries.close()


@pytest.mark.parametrize("agent", [None, "agent-3"])
def test_every_statement_reads_the_rows_of_its_span_and_agent_alone(filled, agent):
    engine = filled._database.dialect.engine
    with noted_statements(engine) as statements:
        answer = read(filled, Settings(), SPAN, agent)
        last_ai_decision_day(filled, agent)
    assert len(answer.agents) == (AGENTS if agent is None else 1)
    assert len(statements) == 5
    # so many tallies has an agent in a span; estimates may be some times as high, and all there are is far above
    most = 4 * SPAN.days * (BINS + 1) * 3 * len(answer.agents)
    with engine.connect() as connection:
        for statement, parameters in statements:
            for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).mappings():
                if row["table"] is None:
                    continue  # an end of an index says it
                assert row["type"] in {"range", "ref"}, (statement, dict(row))
                assert int(row["rows"]) <= most, (statement, dict(row))
