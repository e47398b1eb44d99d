"""Struct, table and migration say the same, and every statement compiles for MySQL and MariaDB alike.

MySQL itself is not at hand in tests: what is held here is that it is sent the same as MariaDB, but for the one place
where the two differ, the name of the new row in an upsert.
"""

import io
import re
import subprocess
import sys
from types import NoneType
from typing import get_args

import msgspec
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from pymysql.cursors import RE_INSERT_VALUES
from sqlalchemy import BigInteger, Dialect, Double, LargeBinary, String, make_url, select
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from vigia.events.summaries import SUMMARIES
from vigia.stores.mysql import MySQL
from vigia.stores.sql.migrating import configuration
from vigia.stores.sql.statements import Statements
from vigia.stores.sql.summaries import open_summaries
from vigia.stores.sql.summary_tables import TABLES
from vigia.stores.sql.tables import metadata
from vigia.stores.sql.types import HexId
from vigia.stores.sql.version import NEEDED

ADDED = re.compile(
    r"ALTER TABLE (\w+) ADD COLUMN (\S+) (\S+)(?: NOT NULL DEFAULT '\w+'| DEFAULT '\w+' NOT NULL|)",
)
"""How a migration adds a column: to which table, its name and type."""

INNODB_KEY = 3_072
"""Bytes that the columns of an InnoDB key may have together."""


def server(*, mariadb: bool) -> MySQL:
    """MySQL 8.4 or MariaDB 10.11 as SQLAlchemy sees it once connected."""
    made = MySQL(make_url("mysql://user@127.0.0.1:1/vigia"), connections=1)
    dialect = made.engine.dialect
    assert isinstance(dialect, MySQLDialect_pymysql)
    dialect.is_mariadb = mariadb
    dialect.server_version_info = (10, 11, 6) if mariadb else (8, 4, 3)
    dialect._requires_alias_for_on_duplicate_key = not mariadb
    return made


def writes(made: MySQL) -> dict[str, str]:
    statements = Statements(made)
    texts = {table.name: statements.text(table) for table in metadata.sorted_tables if table.name in statements._texts}
    for name in ("acquire", "count_attempt"):
        texts[name] = str(getattr(statements, name).compile(dialect=made.engine.dialect))
    return texts


@pytest.mark.parametrize("struct", SUMMARIES)
def test_a_summarys_table_has_the_structs_fields(struct):
    fields = msgspec.structs.fields(struct)
    columns = [column for column in TABLES[struct].columns if column.computed is None]
    assert [column.name for column in columns] == [field.name for field in fields]
    assert [column.name for column in TABLES[struct].primary_key] == list(struct.primary_key)
    for column, field in zip(columns, fields, strict=True):
        kinds = {kind for kind in get_args(field.type) or (field.type,) if kind is not NoneType}
        expected = {str: String, int: BigInteger, float: Double, bytes: LargeBinary}[kinds.pop()]
        assert isinstance(column.type, HexId if column.name == "series_id" else expected)
        assert column.nullable == (NoneType in get_args(field.type))


def test_tables_compile_the_same_for_mysql_and_mariadb():
    mysql, mariadb = (server(mariadb=is_mariadb).engine.dialect for is_mariadb in (False, True))
    assert declared(mysql) == declared(mariadb)


ADDED_COLUMNS = {("deployments", "kind"), ("workers", "slot"), ("proposals", "deployment_id"), ("proposals", "after")}


def test_migrations_make_the_declared_tables():
    for name, dialect in (("mysql", MySQLDialect_pymysql()), ("sqlite", SQLiteDialect_pysqlite())):
        migrated = {words(part) for part in written_migration(name).split(";")}
        added = [found.groups() for part in migrated if (found := ADDED.fullmatch(part))]
        missing = [text for text in map(words, declared(dialect)) if without(text, added) not in migrated]
        assert missing == []
        assert {(table, column.strip('`"')) for table, column, _ in added} == ADDED_COLUMNS
        assert sum(part.startswith("CREATE TABLE") for part in migrated) == len(metadata.tables) + 1  # Alembic's own


def without(create, added):
    """A table as it was created, before migrations added columns."""
    for table, column, kind in added:
        if re.match(rf"CREATE TABLE .{table}. ", create):
            create = create.replace(f"{column} {kind} NOT NULL, ", "", 1).replace(f"{column} {kind}, ", "", 1)
    return create


def test_the_schema_that_a_release_needs_is_what_its_migrations_make():
    scripts = ScriptDirectory.from_config(configuration())
    assert scripts.get_heads() == [NEEDED]
    # compared as text to tell older from newer
    revisions = [script.revision for script in scripts.walk_revisions()]
    assert revisions == sorted(revisions, reverse=True)


def test_a_worker_does_not_import_alembic():
    looks = "import sys, vigia.app.worker; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", looks], check=False).returncode == 0


def test_a_migrated_sqlite_file_is_as_declared(tmp_path):
    summaries = open_summaries(f"sqlite:///{tmp_path}/summaries.db")
    summaries.migrate()
    with summaries._database.dialect.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    summaries.close()


def test_writes_differ_between_mysql_and_mariadb_only_in_the_new_rows_name():
    mysql, mariadb = writes(server(mariadb=False)), writes(server(mariadb=True))
    for name, text in mysql.items():
        assert re.sub(r"new\.(`\w+`)", r"VALUES(\1)", text.replace(" AS new", "")) == mariadb[name]
    assert "AS new" in mysql["states"]
    assert "AS new" not in mariadb["states"]


@pytest.mark.parametrize("mariadb", [True, False])
def test_the_driver_sends_many_rows_of_each_write_in_one_statement(mariadb):
    made = server(mariadb=mariadb)
    whole = {TABLES[kind].name for kind in made.whole_rows}
    for name, text in writes(made).items():
        match = RE_INSERT_VALUES.match(text)
        assert match, name
        columns = match.group(1).count("`") // 2 - 1
        assert match.group(2).count("%s") == (1 if name in whole else columns)


@pytest.mark.parametrize("mariadb", [True, False])
def test_raising_a_column_names_the_old_row(mariadb):
    texts = writes(server(mariadb=mariadb))
    assert "`version` = (`lanes`.`version` + " in texts["acquire"]
    assert "`count` = (`attempts`.`count` + " in texts["count_attempt"]


def test_reads_compile_the_same_for_mysql_and_mariadb():
    for table in metadata.sorted_tables:
        query = select(table).where(table.primary_key.columns[0].in_(["a", "b"])).limit(5)
        texts = {str(query.compile(dialect=server(mariadb=is_mariadb).engine.dialect)) for is_mariadb in (True, False)}
        assert len(texts) == 1


def test_keys_fit_into_innodb():
    for table in metadata.sorted_tables:
        for columns in (table.primary_key.columns, *(index.columns for index in table.indexes)):
            assert sum(map(key_bytes, columns)) <= INNODB_KEY, (table.name, columns)


def test_no_text_is_compared_but_by_its_characters():
    for text in declared(server(mariadb=True).engine.dialect):
        if text.startswith("CREATE TABLE"):
            assert "CHARSET=utf8mb4" in text
            assert "COLLATE utf8mb4_bin" in text
            assert "ENGINE=InnoDB" in text


def key_bytes(column) -> int:
    if isinstance(column.type, HexId):
        return 16
    if isinstance(column.type, String):
        return 4 * (column.type.length or INNODB_KEY)
    if isinstance(column.type, LargeBinary):
        return 32
    return 8


def declared(dialect: Dialect) -> list[str]:
    texts = []
    for table in metadata.sorted_tables:
        texts.append(str(CreateTable(table).compile(dialect=dialect)).strip())
        texts += [str(CreateIndex(index).compile(dialect=dialect)).strip() for index in table.indexes]
    return texts


def written_migration(dialect_name: str) -> str:
    config = configuration()
    config.attributes["dialect_name"] = dialect_name
    config.output_buffer = io.StringIO()
    command.upgrade(config, "head", sql=True)
    return config.output_buffer.getvalue()


def words(text: str) -> str:
    """Return the statement with single spaces and no comments."""
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    return " ".join(" ".join(lines).split()).replace("( ", "(").replace(" )", ")")
