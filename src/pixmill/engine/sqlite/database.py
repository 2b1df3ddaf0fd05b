"""A SQLite file of ours: opened durable, checked before it is believed, set aside when it is damaged.

A damaged file is never repaired and never trusted in part: it is renamed, and a new one begun. That costs work, not
results. What is whole but not ours, or newer than this program, is refused and left alone.
"""

import logging
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import msgspec

from pixmill.core.errors import RunError
from pixmill.core.text import printable
from pixmill.engine.sqlite.journal_mode import ROLLBACK, journal_mode

_FILES = ("", "-wal", "-shm", "-journal")
_RECOVERY_FILES = ("-wal", "-journal")
_EXCLUSIVE = "mode=rw"
_SAME_COMMAND = "the next run sets the damaged file aside and makes what it held anew"
_MEANINGS = {
    sqlite3.SQLITE_FULL: ("disk-full", "free some space and run the same command again: it goes on where it stopped"),
    sqlite3.SQLITE_READONLY: ("read-only", "make the directory writable, or choose another with --state"),
    sqlite3.SQLITE_CANTOPEN: ("not-writable", "make the directory writable, or choose another with --state"),
    sqlite3.SQLITE_PERM: ("not-writable", "make the directory writable, or choose another with --state"),
    sqlite3.SQLITE_IOERR: ("ledger-io", "check the disk, then run the same command again: it goes on where it stopped"),
    sqlite3.SQLITE_BUSY: ("ledger-busy", "wait for the other run to end"),
    sqlite3.SQLITE_CORRUPT: ("ledger-damaged", _SAME_COMMAND),
    sqlite3.SQLITE_NOTADB: ("ledger-damaged", _SAME_COMMAND),
}


class Schema(msgspec.Struct, frozen=True):
    """What a file holds: ``statements`` that make it, the ``version`` of that, and the number that marks it as ours."""

    statements: Mapping[str, str]
    version: int
    application: int


class _Damaged(Exception):
    """The file, or a part of it, is not what was written."""


def open_for_writing(path: Path, design: Schema) -> tuple[sqlite3.Connection, Path | None]:
    """Open or make the file at ``path``; return the connection, and where a damaged one was put if there was one.

    Every commit of the connection is on disk when it returns. ``RunError`` when the file is not ours or newer than we are.
    """
    with translating_errors(path):
        try:
            return _checked(path, design), None
        except _Damaged:
            aside = _quarantine(path)
            return _checked(path, design), aside


def open_for_reading(path: Path, design: Schema) -> tuple[sqlite3.Connection, None]:
    """Open the file at ``path`` while another process may be writing to it; nothing is ever set aside.

    ``RunError`` when it is not there, not ours, newer than we are or damaged.
    """
    if not path.exists():
        raise _missing(path)
    with translating_errors(path):
        try:
            return _read(path, design), None
        except _Damaged as error:
            message = f"the ledger {printable(path)} is damaged"
            raise RunError(message, code="ledger-damaged", hint=_SAME_COMMAND) from error


def _read(path: Path, design: Schema) -> sqlite3.Connection:
    """Open as a run may be using the file at this moment; where that cannot be, nobody is, and it is opened alone."""
    try:
        return _read_only(path, design, "mode=ro")
    except sqlite3.OperationalError as error:
        is_full = error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL}
        is_torn = error.sqlite_errorcode == sqlite3.SQLITE_READONLY_ROLLBACK  # a run died while it made the file
        is_sealed = not os.access(path.parent, os.W_OK) and _unshared(path) != _EXCLUSIVE
        if not (is_full or is_torn or is_sealed):
            raise
        return _read_only(path, design, _unshared(path))


def _unshared(path: Path) -> str:
    """Return how to open a file that nobody else uses: with what a run that died has left beside it, or as it is."""
    return _EXCLUSIVE if any(path.with_name(path.name + suffix).exists() for suffix in _RECOVERY_FILES) else "immutable=1"


def _missing(path: Path) -> RunError:
    return RunError(f"there is no ledger at {printable(path)}", code="ledger-missing", hint="nothing has run there yet")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One change: on disk after the block, or undone."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def translating_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system say about ``path`` into a ``RunError`` with a code and a hint."""
    try:
        yield
    except sqlite3.Error as error:
        number = getattr(error, "sqlite_errorcode", 0) & 0xFF
        code, hint = _MEANINGS.get(number, ("ledger", ""))
        raise RunError(f"the ledger {printable(path)} cannot be used: {error}", code=code, hint=hint) from error
    except OSError as error:
        raise RunError(f"the ledger {printable(path)} cannot be used: {error.strerror}", code="ledger-io") from error


def _checked(path: Path, design: Schema) -> sqlite3.Connection:
    connection = sqlite3.connect(bytes(path), isolation_level=None)
    with _closed_on_error(connection), _damage():
        mode = journal_mode(path.parent)
        if mode == ROLLBACK:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # nothing is shared until it is known that nothing is mapped
        is_new = not _is_ours(connection, design, path)
        connection.execute(f"PRAGMA journal_mode = {mode}")
        connection.execute("PRAGMA locking_mode = NORMAL")
        connection.execute("PRAGMA synchronous = FULL")
        if is_new:
            _make(connection, design)
        else:
            _check(connection, design)
    return connection


def _read_only(path: Path, design: Schema, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(bytes(path.absolute()))}?{how}", uri=True, isolation_level=None, check_same_thread=False
    )
    with _closed_on_error(connection), _damage():
        if how == _EXCLUSIVE:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # the index of the log is then kept in memory
        connection.execute("BEGIN")  # one view of the file for all that is asked: a run may be making it at this moment
        if not _is_ours(connection, design, path):
            raise _missing(path)
        _check(connection, design)
        connection.execute("COMMIT")
    return connection


@contextmanager
def _closed_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _check(connection: sqlite3.Connection, design: Schema) -> None:
    """Read the whole file: a sixth of a second for a million tasks, far less than looking at their inputs takes."""
    made_by = {sql for (sql,) in connection.execute("SELECT CAST(sql AS BLOB) FROM sqlite_master WHERE sql IS NOT NULL")}
    if made_by != {statement.encode() for statement in design.statements.values()} or connection.execute(
        "PRAGMA quick_check(1)"
    ).fetchone() != ("ok",):
        raise _Damaged


def _is_ours(connection: sqlite3.Connection, design: Schema, path: Path) -> bool:
    """Return whether the file holds our tables, ``False`` when it is empty; ``RunError`` when it is another program's."""
    application, version = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    if (application, version) == (0, 0) and connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
        return False
    shown = printable(path)
    if application != design.application:
        raise RunError(f"{shown} is a database of another program", code="ledger-foreign", hint="choose another place with --state")
    if version > design.version:
        message = f"the ledger {shown} was written by a newer pixmill (version {version}, this one knows {design.version})"
        raise RunError(message, code="ledger-version", hint="update pixmill, or choose another place with --state")
    return True


def _make(connection: sqlite3.Connection, design: Schema) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement in design.statements.values():
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {design.application:d}")
    connection.execute(f"PRAGMA user_version = {design.version:d}")
    connection.execute("COMMIT")


@contextmanager
def _damage() -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:  # the text that SQLite complains about is itself garbage
        raise _Damaged from error
    except sqlite3.DatabaseError as error:
        number = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if number in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise _Damaged from error
        raise


def _quarantine(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for suffix in _FILES:
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    logging.getLogger(__name__).warning("the ledger is damaged and was set aside", extra={"ledger": str(path), "aside": str(aside)})
    return aside
