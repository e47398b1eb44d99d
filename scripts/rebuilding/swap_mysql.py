"""The swap on MySQL and MariaDB: one RENAME TABLE of all tables, which others see happen at once."""

from scripts.rebuilding.errors import RebuildStopped
from scripts.rebuilding.places import Place, quoted

LOCK_SECONDS = 30
"""For how long the renaming waits for a statement that is still reading."""


def others(live: Place) -> list[str]:
    """Return which other connections use the live schema, as far as this user may see them."""
    live.close()  # our own earlier connections
    with live.database.reading() as connection:
        mine = connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one()
        processes = [row._mapping for row in connection.exec_driver_sql("SHOW PROCESSLIST")]  # noqa: SLF001 - public
    return [
        f"connection {each['Id']} of {each['User']} from {each['Host']} (idle for {each['Time']} s)"
        for each in processes
        if each["db"] == live.name and each["Id"] != mine
    ]


def exchange(live: Place, rebuilt: Place, kept: str) -> None:
    """Move the live tables to the schema `kept`, and the rebuilt ones to where they were, in one statement."""
    rebuilt.close()
    tables, made = _tables(live, live.name), _tables(live, rebuilt.name)
    if tables != made:
        raise RebuildStopped(
            f"the schemas differ in their tables ({', '.join(sorted(tables ^ made))}): migrate the live database, "
            "`run --fresh`, and swap then"
        )
    moves = [
        f"{quoted(origin)}.{quoted(table)} TO {quoted(target)}.{quoted(table)}"
        for origin, target in ((live.name, kept), (rebuilt.name, live.name))
        for table in sorted(tables)
    ]
    with live.database.reading() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {quoted(kept)} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {LOCK_SECONDS}")
        connection.exec_driver_sql(f"RENAME TABLE {', '.join(moves)}")
        connection.exec_driver_sql(f"DROP DATABASE {quoted(rebuilt.name)}")


def _tables(live: Place, schema: str) -> set[str]:
    query = "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s"
    with live.database.reading() as connection:
        return {str(name) for (name,) in connection.exec_driver_sql(query, (schema,))}
