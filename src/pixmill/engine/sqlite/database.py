"""Open SQLite files: durable, checked before use, and set aside when damaged.

A damaged file is never repaired and never trusted in part: it is renamed, and a new one is created. That costs repeated work, not
results. An intact file that belongs to another program or a newer version is refused and left unchanged. A file of an earlier
version is brought to the latest when it is opened for writing, in one transaction, and a copy of it is kept.
"""

import logging
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from pixmill.core.errors import RunError
from pixmill.core.text import printable
from pixmill.engine.sqlite.journal_mode import ROLLBACK, journal_mode
from pixmill.engine.sqlite.schema import Fill, Schema, apply_steps, expected_structure, show_as_latest, structure

_FILES = ("", "-wal", "-shm", "-journal")
_RECOVERY_FILES = ("-wal", "-journal")
_EXCLUSIVE = "mode=rw&x=exclusive"  # with locking_mode EXCLUSIVE
_TIDY = "mode=rw&x=tidy"  # with query_only: a connection that may write removes SQLite's files beside the ledger when it is closed
_DAMAGED_HINT = "the next run sets the damaged file aside and repeats the work that it recorded"
_NO_LOCKS_HINT = "if its file system has no locks or no fsync, keep the records on another one with --state FOLDER"
_CODES_AND_HINTS = {
    sqlite3.SQLITE_FULL: ("disk-full", "free some space and run the same command again to resume"),
    sqlite3.SQLITE_READONLY: ("read-only", "make the directory writable, or choose another with --state"),
    sqlite3.SQLITE_CANTOPEN: ("not-writable", "make the directory writable, or choose another with --state"),
    sqlite3.SQLITE_PERM: ("not-writable", "make the directory writable, or choose another with --state"),
    sqlite3.SQLITE_IOERR: ("ledger-io", f"check the disk, then run the same command again to resume; {_NO_LOCKS_HINT}"),
    sqlite3.SQLITE_BUSY: ("ledger-busy", f"wait for the other run to end; {_NO_LOCKS_HINT}"),
    sqlite3.SQLITE_CORRUPT: ("ledger-damaged", _DAMAGED_HINT),
    sqlite3.SQLITE_NOTADB: ("ledger-damaged", _DAMAGED_HINT),
}
_MODE = 0o666  # that the umask restricts


class _Damaged(Exception):
    """The file, or a part of it, does not hold what was written."""


def open_for_writing(
    path: Path, schema: Schema, *, fill: Fill | None = None, is_durable: bool = True
) -> tuple[sqlite3.Connection, Path | None]:
    """Open or create the file at ``path``; return the connection, and the new path of a damaged file if there was one.

    Every commit of the connection is on disk when it returns or, if it is not to be ``is_durable``, some time later, and what is
    lost by a power failure are the last ones. ``fill`` fills the tables that a file of an earlier version did not
    have. ``RunError`` when the file is another program's or a newer version's.
    """
    with translating_errors(path):
        try:
            return _open_checked(path, schema, fill, is_durable=is_durable), None
        except _Damaged:
            quarantined = _quarantine(path)
            return _open_checked(path, schema, fill, is_durable=is_durable), quarantined


def open_for_reading(path: Path, schema: Schema, *, is_checked: bool = True) -> tuple[sqlite3.Connection, None]:
    """Open the file at ``path`` while another process may be writing to it; a damaged file is not set aside.

    Without ``is_checked`` only its structure is checked, so that the time to open it does not grow with its size.

    ``RunError`` when it does not exist, is damaged, or is another program's or a newer version's.
    """
    if not path.exists():
        raise _missing(path)
    with translating_errors(path):
        try:
            return _open_read_only(path, schema, is_checked=is_checked), None
        except _Damaged as error:
            message = f"the ledger {printable(path)} is damaged"
            raise RunError(message, code="ledger-damaged", hint=_DAMAGED_HINT) from error


def _open_read_only(path: Path, schema: Schema, *, is_checked: bool) -> sqlite3.Connection:
    """Open the file as if a run were using it; if that is impossible, no run is, and it is opened unshared."""
    try:
        return _connect_read_only(path, schema, _TIDY if _is_at_rest(path) else "mode=ro", is_checked=is_checked)
    except sqlite3.OperationalError as error:
        is_disk_error = error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL}
        needs_rollback = error.sqlite_errorcode == sqlite3.SQLITE_READONLY_ROLLBACK  # a run died while it created the file
        is_folder_read_only = not os.access(path.parent, os.W_OK) and _unshared(path) != _EXCLUSIVE
        if not (is_disk_error or needs_rollback or is_folder_read_only):
            raise
        return _connect_read_only(path, schema, _unshared(path), is_checked=is_checked)


def _is_at_rest(path: Path) -> bool:
    """Tell whether no run is using the file, and none died while it did."""
    return not any(path.with_name(path.name + suffix).exists() for suffix in _RECOVERY_FILES)


def _unshared(path: Path) -> str:
    """Return the mode for a file that no other process uses: exclusive to recover a dead run's changes, else immutable."""
    return "immutable=1" if _is_at_rest(path) else _EXCLUSIVE


def _missing(path: Path) -> RunError:
    return RunError(f"there is no ledger at {printable(path)}", code="ledger-missing", hint="nothing has run there yet")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One transaction: on disk after the block, or rolled back."""
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
    """Turn errors of SQLite and the system about ``path`` into a ``RunError`` with a code and a hint."""
    try:
        yield
    except sqlite3.Error as error:
        number = getattr(error, "sqlite_errorcode", 0) & 0xFF
        code, hint = _CODES_AND_HINTS.get(number, ("ledger", ""))
        raise RunError(f"the ledger {printable(path)} cannot be used: {error}", code=code, hint=hint) from error
    except OSError as error:
        raise RunError(f"the ledger {printable(path)} cannot be used: {error.strerror}", code="ledger-io") from error


def _open_checked(path: Path, schema: Schema, fill: Fill | None, *, is_durable: bool) -> sqlite3.Connection:
    with suppress(OSError):  # SQLite would take from a group the right to write; it says more of what is wrong
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE))
    connection = sqlite3.connect(bytes(path), isolation_level=None)
    with _closed_on_error(connection), _detecting_damage():
        mode = journal_mode(path.parent)
        if mode == ROLLBACK:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # share nothing until it is known that nothing gets mapped
        version = _version(connection, schema, path)
        connection.execute(f"PRAGMA journal_mode = {mode}")
        connection.execute("PRAGMA locking_mode = NORMAL")
        connection.execute("PRAGMA fullfsync = ON")  # on macOS, where fsync alone leaves the data in the drive's cache
        connection.execute(f"PRAGMA synchronous = {'FULL' if is_durable or mode == ROLLBACK else 'NORMAL'}")
        if version:
            _check(connection, schema, version)
        if version < schema.version:
            if version:
                _keep_copy(connection, path, version)
            with transaction(connection):
                apply_steps(connection, schema, version, fill)
    return connection


def _connect_read_only(path: Path, schema: Schema, mode: str, *, is_checked: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(bytes(path.absolute()))}?{mode}", uri=True, isolation_level=None, check_same_thread=False
    )
    with _closed_on_error(connection), _detecting_damage():
        if mode == _EXCLUSIVE:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # keeps the index of the WAL in memory
        connection.execute("BEGIN")  # one view of the file for all checks: a run may be creating it right now
        version = _version(connection, schema, path)
        if not version:
            raise _missing(path)
        _check(connection, schema, version, is_checked=is_checked)
        connection.execute("COMMIT")
        show_as_latest(connection, schema, version)
        if mode == _TIDY:
            connection.execute("PRAGMA query_only = ON")
    return connection


@contextmanager
def _closed_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _check(connection: sqlite3.Connection, schema: Schema, version: int, *, is_checked: bool = True) -> None:
    """Check the complete file: a sixth of a second for a million tasks, far less than it takes to list their inputs."""
    if structure(connection) != expected_structure(schema, version):
        raise _Damaged
    if is_checked and connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise _Damaged


def _version(connection: sqlite3.Connection, schema: Schema, path: Path) -> int:
    """Return the version of the file, 0 if it is empty.

    ``RunError`` if it is another program's or a newer version's.
    """
    application, version = (connection.execute(f"PRAGMA {pragma}").fetchone()[0] for pragma in ("application_id", "user_version"))
    if (application, version) == (0, 0) and connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
        return 0
    name = printable(path)
    if application != schema.application:
        raise RunError(f"{name} is a database of another program", code="ledger-foreign", hint="choose another folder with --state")
    if version > schema.version:
        message = (
            f"the ledger {name} was written by a newer pixmill (its version is {version}, this one supports up to {schema.version})"
        )
        raise RunError(message, code="ledger-version", hint="update pixmill, or choose another folder with --state")
    if version < 1:
        raise _Damaged
    return int(version)


def _keep_copy(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Copy a file of an earlier ``version`` to ``ledger.sqlite.version-1``, which replaces an earlier attempt."""
    kept = path.with_name(f"{path.name}.version-{version}")
    temporary = kept.with_name(f".{kept.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _MODE))
    try:
        copy = sqlite3.connect(bytes(temporary), isolation_level=None)
        try:
            connection.backup(copy)
        finally:
            copy.close()
        temporary.rename(kept)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _detecting_damage() -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:  # the text in SQLite's error message is itself garbage
        raise _Damaged from error
    except sqlite3.DatabaseError as error:
        number = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if number in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise _Damaged from error
        raise


def _quarantine(path: Path) -> Path:
    number = 1
    while (target := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for suffix in _FILES:
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(target.with_name(target.name + suffix))
    logging.getLogger(__name__).warning(
        "the ledger is damaged and was set aside", extra={"ledger": str(path), "aside": str(target)}
    )
    return target
