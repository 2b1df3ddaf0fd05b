"""Look up many keys with few statements."""

from collections.abc import Iterator, Sequence
from sqlite3 import Connection
from typing import Any

from pixmill.engine.sqlite.statements import several

KEYS_PER_QUERY = 500  # one statement a key takes twice as long; SQLite takes 999 parameters at least
_SPARE_ROWS = 50  # between keys that are neighbours


def rows_of(connection: Connection, statement: str, keys: Sequence[bytes]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of ``statement``, whose list ``(?)`` takes ``keys``."""
    for start in range(0, len(keys), KEYS_PER_QUERY):
        some = keys[start : start + KEYS_PER_QUERY]
        yield from connection.execute(several(statement, len(some)), some)


def rows_near(connection: Connection, within: str, one_by_one: str, keys: Sequence[bytes]) -> list[tuple[Any, ...]]:
    """Return the rows of sorted ``keys``, perhaps with others between them.

    Keys that are near each other are read as one range with the statement ``within`` (first, last, limit), which takes a fifth of
    the time; if many other rows are between them, the rest is looked up with ``one_by_one``.
    """
    if not keys:
        return []
    limit = 2 * len(keys) + _SPARE_ROWS
    rows = connection.execute(within, (keys[0], keys[-1], limit)).fetchall()
    if len(rows) == limit:
        last = rows[-1][0]
        rows.extend(rows_of(connection, one_by_one, [key for key in keys if key > last]))
    return rows
