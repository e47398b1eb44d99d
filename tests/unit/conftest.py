"""What unit tests share: no settings but their own, and a database in a file."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from vigia.stores.sql.summaries import SqlSummaries, open_summaries


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what is exported here, such as the settings of the stack: a unit test must not reach it."""
    for name in [name for name in os.environ if name.startswith("VIGIA_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The address of a database file of the test's own, which is not there yet."""
    return f"sqlite:///{tmp_path}/summaries.db"


@pytest.fixture
def summaries(url: str) -> Iterator[SqlSummaries]:
    """That database, migrated."""
    opened = open_summaries(url)
    opened.migrate()
    yield opened
    opened.close()
