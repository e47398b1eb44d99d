"""How much a run has left in the stores: rows and bytes for 1,000 samples."""

from collections.abc import Mapping

from sqlalchemy import create_engine, text

from scripts.benchmarking.place import cassandra_session

PER = 1_000
RAW_TABLES = ("raw_batches", "raw_batches_by_service", "raw_events", "raw_events_by_service")


def written(env: Mapping[str, str], samples: int) -> dict[str, float]:
    """Return rows and bytes for each 1,000 of `samples` samples: what lies there now, without what was overwritten.

    MariaDB's bytes are the pages of its tables and indexes as it tells them; Cassandra's are the compressed bodies of
    the raw log, before its own compression.
    """
    sql_rows, sql_bytes = _in_database(env["VIGIA_SUMMARIES_URL"])
    raw_rows, raw_bytes = _in_raw_log(env)
    figures = {"sql_rows": sql_rows, "sql_bytes": sql_bytes, "raw_rows": raw_rows, "raw_bytes": raw_bytes}
    return {name: figure * PER / samples for name, figure in figures.items()}


def _in_database(url: str) -> tuple[int, int]:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            schema = "table_schema = DATABASE() AND table_type = 'BASE TABLE'"
            names = connection.execute(text(f"SELECT table_name FROM information_schema.tables WHERE {schema}"))  # noqa: S608 - a constant
            tables = [str(name) for (name,) in names]
            rows = 0
            for name in tables:
                connection.execute(text(f"ANALYZE TABLE `{name}`"))
                rows += connection.execute(text(f"SELECT COUNT(*) FROM `{name}`")).scalar_one()  # noqa: S608 - our tables
            pages = f"SELECT SUM(data_length + index_length) FROM information_schema.tables WHERE {schema}"  # noqa: S608 - a constant
            return rows, int(connection.execute(text(pages)).scalar_one())
    finally:
        engine.dispose()


def _in_raw_log(env: Mapping[str, str]) -> tuple[int, int]:
    rows = size = 0
    with cassandra_session(env) as session:
        session.default_fetch_size = 20
        for name in RAW_TABLES:
            has_body = name in {"raw_batches", "raw_events"}
            for row in session.execute(f"SELECT {'body' if has_body else 'service'} FROM {name}", timeout=120):  # noqa: S608 - our tables
                rows += 1
                size += len(row[0] or b"") if has_body else 0
    return rows, size
