"""Reports about deliveries on MariaDB: every statement is answered from an index, and says what SQLite says."""

from collections.abc import Iterator

import pytest
from sqlalchemy import inspect

from scripts.delivery.year import Size, fill
from tests.contract.summaries_databases import mariadb_schema
from tests.support.statements import noted_statements
from vigia.events.dora_facts import Membership, Question
from vigia.models.dora.intervals import ranks
from vigia.models.dora.levels import DoraConfig
from vigia.models.dora.report import report
from vigia.stores.queries.delivery_facts import delivery_facts
from vigia.stores.queries.recent_deployments import recent_deployments
from vigia.stores.queries.risk_outcomes import risk_outcomes
from vigia.stores.sql.summaries import SqlSummaries, open_summaries

DAY = 86_400.0
UNTIL = 20_400 * DAY
SIZE = Size(UNTIL, teams=5, services=20, deployments=6_000, incidents=400)

ASKED = [
    {"of": "all", "name": ""},
    {"of": "service", "name": "service-003"},
    {"of": "team", "name": "team-01"},
    {
        "of": "organisation",
        "name": "acme",
        "memberships": (Membership("team-01"), Membership("team-02", until=UNTIL - 10 * DAY)),
    },
]


@pytest.fixture(scope="module")
def filled(stack) -> Iterator[SqlSummaries]:
    """A year of deliveries on MariaDB."""
    with mariadb_schema(stack["VIGIA_SUMMARIES_URL"]) as url:
        summaries = open_summaries(url)
        summaries.migrate()
        fill(summaries, SIZE)
        with summaries._database.dialect.engine.connect() as connection:
            for table in inspect(connection).get_table_names():
                connection.exec_driver_sql(f"ANALYZE TABLE `{table}`").all()
        yield summaries
        summaries.close()


@pytest.fixture(scope="module")
def same(tmp_path_factory) -> Iterator[SqlSummaries]:
    """The same year in a SQLite file."""
    summaries = open_summaries(f"sqlite:///{tmp_path_factory.mktemp('year')}/summaries.db")
    summaries.migrate()
    fill(summaries, SIZE)
    yield summaries
    summaries.close()


def question(asked, days) -> Question:
    return Question(
        **asked, since=UNTIL - days * DAY, until=UNTIL, environments=("production",), attribution_window=DAY
    )


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked["of"])
def test_every_statement_of_a_months_report_uses_an_index(filled, asked):
    engine = filled._database.dialect.engine
    with noted_statements(engine) as statements:
        delivery_facts(filled, question(asked, 30), ranks, days=True)
        recent_deployments(filled, service="service-003")
        risk_outcomes(filled, question(asked, 30))
    assert len(statements) >= 13
    with engine.connect() as connection:
        for statement, parameters in statements:
            for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).mappings():
                if row["table"] is None or row["table"].startswith("<"):
                    continue  # decided without a table, or the result of another part
                assert row["key"] is not None, (statement, dict(row))


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked["of"])
@pytest.mark.parametrize("days", [30, 400])
def test_mariadb_and_sqlite_give_the_same_report(filled, same, asked, days):
    reports = [
        report(delivery_facts(each, question(asked, days), ranks, days=True), DoraConfig(), 2024)
        for each in (filled, same)
    ]
    assert reports[0] == reports[1]
    assert all(metric.n for metric in reports[0].metrics if metric.name != "deployment_rework_rate")
