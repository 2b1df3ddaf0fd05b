"""The state folder of an output: create it, check it, and open its files without following links.

Files in it are opened only if their owner is trusted: the current user, root, or the owner of the folder that the user named, DST
or ``--state``; in a folder that a group shares (writable and setgid), also others, for files of that group. That folder itself may
be a link; the folders and files that pixmill creates below it may not. What is created has the permissions that the umask leaves.
"""

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Self

from pixmill.batch.config.shard import Shard
from pixmill.batch.state.location import FOLDER
from pixmill.core.errors import RunError
from pixmill.core.operating_system import CLOSED_ON_EXEC, NO_FOLLOW, NO_TERMINAL, NO_WAIT
from pixmill.core.text import printable

CODE = "state-untrusted"
_FILE = NO_FOLLOW | NO_WAIT | NO_TERMINAL | CLOSED_ON_EXEC
_MODE = 0o666  # that the umask restricts
_SHARED = stat.S_ISGID | stat.S_IWGRP
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE
_DATABASE = r"(?:ledger|catalogue|snapshot|arriving)\.sqlite(?:-wal|-shm|-journal|\.version-[0-9]+)?"
_OWN_NAMES = re.compile(
    rf"{_DATABASE}|lock|shard-keys|status|status-new|brought|identity|output-id|heartbeat|report\.html|README|\.gitignore"
)
_OWN_FOLDERS = re.compile(r"runs|owners|(?:parts|staging)(?:-\d+of\d+)?|shard-\d+-of-\d+")
_README = (
    "pixmill keeps its records of the images in the parent folder here, so that a later run can resume.\n"
    "They contain paths of this machine and need not be published; --state FOLDER keeps them elsewhere.\n"
)


class _Trust(NamedTuple):
    """Whose files are trusted: those of ``owners``, and those of ``group`` if it shares the folder."""

    owners: frozenset[int]
    group: int | None

    @classmethod
    def below(cls, named: os.stat_result) -> Self:
        """Return the trust in the folder that the user named."""
        is_shared = named.st_mode & _SHARED == _SHARED and not named.st_mode & stat.S_IWOTH
        return cls(frozenset((os.geteuid(), 0, named.st_uid)), named.st_gid if is_shared else None)

    def covers(self, status: os.stat_result) -> bool:
        """Tell whether a file with this ``status`` is trusted."""
        return status.st_uid in self.owners or status.st_gid == self.group


def is_name_of_state(name: str) -> bool:
    """Tell whether ``name`` is the name of a file or folder that pixmill keeps in a state folder."""
    return bool(_OWN_NAMES.fullmatch(name) or _OWN_FOLDERS.fullmatch(name))


def make(folder: Path) -> None:
    """Create the state folder ``folder`` if it is missing, and check it; ``RunError`` if it cannot be created or is not trusted."""
    named, below = _parts(folder)
    try:
        named.mkdir(parents=True, exist_ok=True)
        for depth, name in enumerate(below):
            with _chain(named, below[:depth]) as (descriptor, _), suppress(FileExistsError):
                os.mkdir(name, dir_fd=descriptor)
    except OSError as error:
        raise RunError(f"{printable(folder)} cannot be created: {error.strerror}", code="not-writable") from None
    check(folder)


def make_within(folder: Path, name: str) -> None:
    """Create the folder ``name`` in the state folder ``folder``, and check it; ``OSError`` if it cannot be created."""
    with opened(folder) as (descriptor, _), suppress(FileExistsError):
        os.mkdir(name, dir_fd=descriptor)
    with opened(folder, name):
        pass


def describe(folder: Path) -> None:
    """Write a README and a .gitignore to the folder ``.pixmill``; do nothing for a folder of another name."""
    if folder.name == FOLDER:
        with suppress(OSError):  # a full disk is reported elsewhere
            write(folder, "README", _README.encode())
            write(folder, ".gitignore", b"*\n")


def check(folder: Path) -> None:
    """Check pixmill's files in the state folder ``folder``: ``RunError`` for a link, or for a file of an untrusted user.

    SQLite opens its files by path, so this must come first. A folder that does not exist passes.
    """
    with (
        suppress(FileNotFoundError, NotADirectoryError, PermissionError),
        opened(folder) as (descriptor, trust),
        os.scandir(descriptor) as entries,
    ):
        for entry in entries:
            if is_name_of_state(entry.name):
                _check_trusted(entry.stat(follow_symlinks=False), folder / entry.name, trust)


def refuse_hard_links(folder: Path, database: str) -> None:
    """Raise ``RunError`` if ``database`` or a file of SQLite next to it has another hard link, where changes would appear too."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path = folder / f"{database}{suffix}"
        with suppress(FileNotFoundError):
            _check_hard_links(path.lstat(), path)


def open_file(folder: Path, name: str, flags: int, mode: int = _MODE) -> int:
    """Open the file ``name`` in the state folder ``folder``, such as ``runs/00000001.json``; ``OSError`` as from ``os.open``.

    ``RunError`` for a link, a file that is not regular, or an untrusted owner; for writing, also for a file with another hard link.
    """
    parent, _, last = name.rpartition("/")
    path = folder / name
    with opened(folder, parent) as (descriptor, trust):
        try:
            file = os.open(last, flags | _FILE, mode, dir_fd=descriptor)
        except OSError as error:
            raise _translate_error(error, path) from None
    try:
        status = os.fstat(file)
        _check_trusted(status, path, trust)
        if flags & (os.O_WRONLY | os.O_RDWR):
            _check_hard_links(status, path)
    except BaseException:
        os.close(file)
        raise
    return file


def read(folder: Path, name: str) -> bytes:
    """Return the content of a state file; raises the same errors as ``open_file``."""
    with os.fdopen(open_file(folder, name, os.O_RDONLY), "rb") as file:
        return file.read()


def write(folder: Path, name: str, data: bytes) -> None:
    """Write a state file atomically, replacing any existing file; ``OSError`` when it cannot be written."""
    parent, _, last = name.rpartition("/")
    temporary = f".{last}.{os.getpid()}-{secrets.token_hex(4)}.tmp"
    with opened(folder, parent) as (descriptor, _):
        try:
            with os.fdopen(os.open(temporary, _NEW, _MODE, dir_fd=descriptor), "wb") as file:
                file.write(data)
            os.rename(temporary, last, src_dir_fd=descriptor, dst_dir_fd=descriptor)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=descriptor)
            raise


@contextmanager
def opened(folder: Path, within: str = "") -> Iterator[tuple[int, _Trust]]:
    """Yield a descriptor of the state folder ``folder``, or of the folder ``within`` it, and whose files are trusted there."""
    named, below = _parts(folder)
    with _chain(named, [*below, *filter(None, [within])]) as descriptor_and_trust:
        yield descriptor_and_trust


@contextmanager
def _chain(named: Path, below: Sequence[str]) -> Iterator[tuple[int, _Trust]]:
    """Open ``named``, then each folder of ``below`` in turn; none of these may be a link or owned by an untrusted user."""
    descriptor = os.open(named, os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        trust = _Trust.below(os.fstat(descriptor))
        path = named
        for name in below:
            path = path / name
            try:
                child = os.open(name, os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=descriptor)
            except OSError as error:
                raise _translate_error(error, path) from None
            _close(descriptor)
            descriptor = child
            _check_trusted(os.fstat(descriptor), path, trust)
        yield descriptor, trust
    finally:
        _close(descriptor)


def _close(descriptor: int) -> None:
    """Close the ``descriptor`` of a folder, which is closed also when that fails: a folder has nothing to lose by it."""
    with suppress(OSError):
        os.close(descriptor)


def _parts(folder: Path) -> tuple[Path, list[str]]:
    """Return the folder that the user named, and the names below it that pixmill adds: ``.pixmill``, ``shard-3-of-16``."""
    below: list[str] = []
    if Shard.of_folder(folder.name):
        below, folder = [folder.name], folder.parent
    if folder.name == FOLDER:
        below, folder = [FOLDER, *below], folder.parent
    return folder, below


def _translate_error(error: OSError, path: Path) -> Exception:
    """Return the exception to raise for ``error``: a ``RunError`` when ``path`` is a link, which ``O_NOFOLLOW`` rejects."""
    if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK) and path.is_symlink():
        return _link_error(path)
    return error


def _link_error(path: Path) -> RunError:
    is_folder = path.name == FOLDER
    message = f"{printable(path)} is a link, but the state of an output must not contain links"
    hint = "remove the link; " + ("--state FOLDER keeps the state elsewhere" if is_folder else "pixmill will recreate the file")
    return RunError(message, code=CODE, hint=hint)


def _check_trusted(status: os.stat_result, path: Path, trust: _Trust) -> None:
    """Raise ``RunError`` unless this is a file or folder of the expected kind with a trusted owner."""
    if stat.S_ISLNK(status.st_mode):
        raise _link_error(path)
    is_folder = _OWN_FOLDERS.fullmatch(path.name) or path.name == FOLDER
    is_expected_kind = stat.S_ISDIR if is_folder else _is_readable_kind
    if not is_expected_kind(status.st_mode):
        kind = "folder" if is_folder else "regular file"
        raise RunError(f"{printable(path)} is not a {kind}", code=CODE, hint="remove it, or choose another folder with --state")
    if not trust.covers(status):
        raise RunError(
            f"{printable(path)} belongs to user {status.st_uid}, who is neither you nor root nor the owner of the folder",
            code=CODE,
            hint=f"if you trust it: sudo chown {os.geteuid()} {printable(path)}; otherwise choose another folder with --state",
        )


def _is_readable_kind(mode: int) -> bool:
    """Tell whether opening a file of this ``mode`` cannot block; devices such as /dev/full are allowed: only root creates them."""
    return stat.S_ISREG(mode) or stat.S_ISCHR(mode)


def _check_hard_links(status: os.stat_result, path: Path) -> None:
    if status.st_nlink > 1 and stat.S_ISREG(status.st_mode):
        raise RunError(
            f"{printable(path)} has another hard link, where changes would appear too",
            code=CODE,
            hint=f"replace it with a copy: cp {printable(path)} copy && mv copy {printable(path)}",
        )
