"""How tables are declared, in `tables` and in migrations alike.

Released migrations depend on this file: what it makes of the same arguments must not change.
"""

from typing import Any

from sqlalchemy import Column, MetaData, Table
from sqlalchemy.types import TypeEngine

_OPTIONS = {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin", "row_format": "DYNAMIC"}


def column(name: str, kind: TypeEngine[Any], *, key: bool = False, null: bool = False) -> Column[Any]:
    """Return a quoted column, part of the primary key if `key`."""
    return Column(name, kind, primary_key=key, nullable=null, quote=True, autoincrement=False)


def table(metadata: MetaData, name: str, *parts: Any, clustered: bool = True) -> Table:
    """Return a quoted table with the options all tables share.

    `clustered` stores rows in their primary key in SQLite too (InnoDB always does); not for rows of kilobytes.
    """
    options: dict[str, Any] = {
        f"{dialect}_{option}": value for dialect in ("mysql", "mariadb") for option, value in _OPTIONS.items()
    }
    return Table(name, metadata, *parts, quote=True, sqlite_with_rowid=not clustered, **options)
