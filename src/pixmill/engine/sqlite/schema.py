"""The schema of a SQLite file: the steps from each version to the next, and how a reader sees earlier versions."""

import sqlite3
from collections.abc import Callable
from functools import cache

import msgspec

from pixmill.engine.sqlite.statements import read_statements

#: fills the tables that a step has added, from the rows of the given earlier version
Fill = Callable[[sqlite3.Connection, int], None]
Structure = frozenset[tuple[object, ...]]

_TABLES = "SELECT name, type, wr, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite%'"
_COLUMNS = 'SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_xinfo(?)'
_INDEXES = "SELECT name, tbl_name, CAST(replace(sql, '\"', '') AS BLOB) FROM sqlite_master WHERE type = 'index'"


class Schema(msgspec.Struct, frozen=True):
    """The schema of our files with the id ``application``, as the SQL files of ``package`` have it.

    ``schema-N.sql`` leads from version N-1 to N, and the first creates the tables. ``version-N.sql`` has the temporary views by
    which a reader sees a file of version N as one of the latest ``version``.
    """

    package: str
    version: int
    application: int


def apply_steps(connection: sqlite3.Connection, schema: Schema, since: int, fill: Fill | None = None) -> None:
    """Bring a file from version ``since`` (0: empty) to the latest, within the transaction of the caller."""
    for statement in _steps(schema, since, schema.version):
        connection.execute(statement)
    if since and fill is not None:
        fill(connection, since)
    connection.execute(f"PRAGMA application_id = {schema.application:d}")
    connection.execute(f"PRAGMA user_version = {schema.version:d}")


def show_as_latest(connection: sqlite3.Connection, schema: Schema, version: int) -> None:
    """Create the temporary views by which a read-only ``connection`` to a file of ``version`` reads it as one of the latest."""
    if version < schema.version:
        connection.execute("PRAGMA temp_store = MEMORY")
        for statement in read_statements(schema.package, f"version-{version}.sql").values():
            connection.execute(statement)


@cache
def expected_structure(schema: Schema, version: int) -> Structure:
    """Return the structure of a file of ``version``: that of a database in memory that takes the same steps."""
    connection = sqlite3.connect(":memory:")
    try:
        for statement in _steps(schema, 0, version):
            connection.execute(statement)
        return structure(connection)
    finally:
        connection.close()


def structure(connection: sqlite3.Connection) -> Structure:
    """Return the tables, columns and indexes of a file, without the text of its tables, which each ``ALTER`` changes."""
    connection.text_factory = _decode_damaged
    parts: list[tuple[object, ...]] = [("index", *row) for row in connection.execute(_INDEXES)]
    tables = connection.execute(_TABLES).fetchall()
    for table in tables:
        parts += [(*table, *column) for column in connection.execute(_COLUMNS, (table[0],))]
    connection.text_factory = str
    return frozenset(parts)


def _decode_damaged(text: bytes) -> str:
    return text.decode(errors="replace")


def _steps(schema: Schema, since: int, until: int) -> list[str]:
    """Return the statements that lead from version ``since`` to ``until``."""
    numbers = range(since + 1, until + 1)
    return [text for number in numbers for text in read_statements(schema.package, f"schema-{number}.sql").values()]
