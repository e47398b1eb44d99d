"""The schema on a real server: as declared, mended after an interruption, its indexes used, its settings judged."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from tests.contract.summaries_databases import mariadb_schema
from tests.contract.summaries_rows import (
    LANE,
    NOON,
    OTHER,
    commit,
    deployment,
    grouped,
    letter,
    mute,
    output,
    problem,
    proposal,
    seen,
    series,
    take,
    window,
)
from tests.support.statements import noted_statements
from vigia.events.effects import Timer
from vigia.events.summaries import WindowSummary
from vigia.stores.base import StateRow
from vigia.stores.queries.dead_letter_counts import dead_letter_counts
from vigia.stores.queries.groups_of import groups_of
from vigia.stores.queries.mutes_of import mutes_of
from vigia.stores.queries.open_problems import open_problems
from vigia.stores.queries.open_proposals import open_proposals
from vigia.stores.queries.proposals_of import proposals_of
from vigia.stores.queries.recent_deployments import recent_deployments
from vigia.stores.queries.windows_of import windows_of
from vigia.stores.sql.summaries import open_summaries
from vigia.stores.sql.tables import metadata
from vigia.stores.sql.version import NEEDED


@pytest.fixture
def summaries(stack):
    with mariadb_schema(stack["VIGIA_SUMMARIES_URL"]) as url:
        opened = open_summaries(url)
        opened.migrate()
        yield opened
        opened.close()


@pytest.fixture
def engine(summaries):
    return summaries._database.dialect.engine


def test_a_migrated_schema_is_as_declared(engine):
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_names_are_compared_by_their_characters_in_every_column(engine):
    query = text(
        "SELECT DISTINCT COLLATION_NAME FROM information_schema.COLUMNS "
        "WHERE TABLE_SCHEMA = DATABASE() AND COLLATION_NAME IS NOT NULL AND TABLE_NAME <> 'alembic_version'"
    )
    with engine.connect() as connection:
        assert connection.execute(query).scalars().all() == ["utf8mb4_bin"]


def test_an_interrupted_migration_is_finished_by_the_next(summaries, engine):
    with engine.connect() as connection:
        for statement in (
            "DROP TABLE verdicts",
            "DROP TABLE windows",
            "DROP INDEX due_by_time ON due",
            "DELETE FROM alembic_version",
        ):
            connection.exec_driver_sql(statement)
    summaries.migrate()
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.exec_driver_sql("SELECT * FROM alembic_version").scalars().all() == [NEEDED]


def test_sessions_are_strict_and_read_committed(engine):
    with engine.connect() as connection:
        modes, isolation, autocommit = connection.exec_driver_sql(
            "SELECT @@sql_mode, @@transaction_isolation, @@autocommit"
            if "transaction_isolation" in variables(connection)
            else "SELECT @@sql_mode, @@tx_isolation, @@autocommit"
        ).one()
    assert "STRICT_ALL_TABLES" in modes
    assert (isolation, autocommit) == ("READ-COMMITTED", 1)


def variables(connection) -> set[str]:
    return set(connection.exec_driver_sql("SHOW VARIABLES").scalars())


def test_another_collation_is_a_warning(summaries, engine):
    assert summaries.check() == []
    with engine.connect() as connection:
        connection.exec_driver_sql("ALTER TABLE verdicts CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
    (warning,) = summaries.check()
    assert "verdicts" in warning
    assert "utf8mb4_general_ci" in warning


def test_weak_durability_is_a_warning(summaries, engine, monkeypatch):
    settings = [("innodb_flush_log_at_trx_commit", "2"), ("log_bin", "ON"), ("sync_binlog", "0")]
    monkeypatch.setattr("vigia.stores.mysql._settings", lambda _: dict(settings))
    flush, sync = summaries.check()
    assert "innodb_flush_log_at_trx_commit is 2" in flush
    assert "sync_binlog is 0" in sync


def test_every_statement_of_a_step_and_of_a_screen_uses_an_index_and_reads_little(summaries, engine):
    fill(summaries)
    with engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            connection.exec_driver_sql(f"ANALYZE TABLE `{table}`").all()
    plans = watched(engine, lambda: use(summaries))
    assert len(plans) >= 20
    for statement, rows in plans:
        for row in rows:
            if row["table"] is None:
                continue  # decided without a table
            assert row["type"] in {"const", "eq_ref", "ref", "range"} or "LIMIT" in statement, (statement, row)
            assert row["key"] is not None, (statement, row)
            assert int(row["rows"]) <= 300 or "LIMIT" in statement, (statement, row)
            assert "filesort" not in (row["Extra"] or ""), (statement, row)


def fill(summaries) -> None:
    """Write two lanes of a few thousand rows each."""
    for number, lane in enumerate((LANE, OTHER)):
        name = f"{number}-"
        commit(
            summaries,
            take(summaries, lane),
            states=[StateRow(f"{name}{i}", 1, b"x" * 100) for i in range(2_000)],
            summaries=[
                *(window(f"{name}{i % 100}", i // 100 * 60) for i in range(5_000)),
                *(series(f"{name}{i}", metric=f"metric-{i}") for i in range(500)),
                *(deployment(f"{name}{i}", planned_at=NOON + i) for i in range(2_000)),
                *(problem(f"{name}{i}", status="open" if i % 50 == 0 else "resolved") for i in range(2_000)),
                *(proposal(f"{name}{i}", status="proposed" if i % 50 == 0 else "denied") for i in range(2_000)),
                *(grouped(f"{name}{i}") for i in range(2_000)),
                *(mute(f"{name}{i}", until=NOON - 1_000 + i) for i in range(2_000)),
            ],
            timers_set=[Timer("close", f"{name}{i}", float(i)) for i in range(3_000)],
            seen=[seen(number * 10_000 + i, NOON + i) for i in range(3_000)],
            outbox=[output(i) for i in range(2_000)],
            dead_letters=[
                letter(f"{name}{i}", at=NOON + i, status="replayed" if i % 20 else "open") for i in range(2_000)
            ],
        )


def use(summaries) -> None:
    """Make every call of a step and of a screen."""
    row = take(summaries)
    summaries.read_lane(LANE)
    summaries.load(LANE, [f"0-{i}" for i in range(100)], [seen(i).seen_id for i in range(100)])
    summaries.due(LANE, 50.0, 100)
    summaries.next_due(LANE)
    summaries.rows([(WindowSummary, (window(f"0-{i}", 60).series_id, 60)) for i in range(50)])
    summaries.outbox(LANE, 100)
    summaries.delete_outbox(LANE, range(100))
    summaries.steps(LANE, 0, 10)
    summaries.attempts(LANE, "metrics", 1)
    summaries.dead_letters("open", 20)
    page = summaries.dead_letters(None, 20)
    summaries.dead_letters(None, 20, page[-1].letter_id)
    summaries.mark_dead_letters([one.letter_id for one in page], "accepted")
    commit(
        summaries,
        row,
        states=[StateRow("0-1", 1, None)],
        timers_cleared=[("close", f"0-{i}") for i in range(20)],
        forget_seen_before=NOON + 100,
    )
    summaries.release(LANE)
    recent_deployments(summaries)
    open_problems(summaries)
    open_proposals(summaries)
    proposals_of(summaries, ["a", "b"])
    dead_letter_counts(summaries)
    windows_of(summaries, "checkout", "production", "metric-7", 0, 600)
    groups_of(summaries, [grouped(f"0-{i}").problem_id for i in range(20)])
    mutes_of(summaries, None, NOON + 1_000, limit=50)
    mutes_of(summaries, "checkout", NOON + 1_000, limit=50)


def watched(engine, work) -> list[tuple[str, list[dict]]]:
    """Run `work`; return the plan of each SELECT, UPDATE and DELETE that it made."""
    with noted_statements(engine) as statements:
        work()
    explained = ("SELECT `", "SELECT count", "UPDATE", "DELETE")
    plans = []
    with engine.connect() as connection:
        for statement, parameters in statements:
            if not statement.startswith(explained):
                continue
            rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).mappings().all()
            plans.append((statement, [dict(row) for row in rows]))
    return plans
