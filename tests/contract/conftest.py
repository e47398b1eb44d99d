"""The summaries' database, empty and migrated, on every implementation."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.summaries_databases import mariadb_schema
from vigia.stores.sql.summaries import SqlSummaries, open_summaries


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.stack)])
def summaries_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database of the test's own."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/summaries.db"
        return
    with mariadb_schema(request.getfixturevalue("stack")["VIGIA_SUMMARIES_URL"]) as url:
        yield url


@pytest.fixture
def summaries(summaries_url: str) -> Iterator[SqlSummaries]:
    """The database, migrated."""
    opened = open_summaries(summaries_url)
    opened.migrate()
    yield opened
    opened.close()
