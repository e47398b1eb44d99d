"""The summaries' database as commands for people open it: one connection, with the settings of the workers."""

from collections.abc import Iterator
from contextlib import contextmanager

from vigia.settings import Settings
from vigia.stores.sql.summaries import SqlSummaries, open_summaries


@contextmanager
def opened_summaries(settings: Settings, *, read_only: bool) -> Iterator[SqlSummaries]:
    """Give the database; with `read_only`, a SQLite file is neither made nor changed. Raises as the store does."""
    summaries = settings.summaries
    opened = open_summaries(
        summaries.url,
        password=summaries.password.reveal() or None,
        tls=summaries.tls,
        tls_ca=summaries.cafile,
        connections=1,
        statement_timeout=summaries.statement_timeout,
        read_only=read_only,
    )
    try:
        yield opened
    finally:
        opened.close()
