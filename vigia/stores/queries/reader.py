"""What a query needs of the summaries' database; `SqlSummaries` has it."""

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import Row
from sqlalchemy.sql.selectable import TypedReturnsRows


class Reader(Protocol):
    """Runs one SELECT; errors are those of `vigia.stores.errors`."""

    def fetch(self, statement: TypedReturnsRows[*tuple[Any, ...]]) -> Sequence[Row[*tuple[Any, ...]]]:
        """Return the rows of `statement`."""
