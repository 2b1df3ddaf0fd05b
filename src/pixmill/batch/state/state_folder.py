"""The state folder of an output: made, checked, and its files opened without following a link.

A file in it is only opened when its owner is trusted: the user who runs this, root, or the owner of the folder that was named,
which is DST or that of ``--state``. That folder itself may be a link; what pixmill makes below it may not.
"""

import errno
import os
import re
import secrets
import stat
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pixmill.batch.config.shard import Shard
from pixmill.batch.state.location import FOLDER
from pixmill.core.errors import RunError
from pixmill.core.text import printable

CODE = "state-untrusted"
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE
_DATABASE = r"(?:ledger|catalogue|snapshot|arriving)\.sqlite(?:-wal|-shm|-journal)?"
_OWN_NAMES = re.compile(rf"{_DATABASE}|lock|brought|identity|output-id|heartbeat|report\.html|README|\.gitignore")
_OWN_FOLDERS = re.compile(r"runs|(?:parts|staging)(?:-\d+of\d+)?|shard-\d+-of-\d+")
_README = (
    "pixmill keeps here what it knows of the images in the folder above: a run that is started again goes on from it.\n"
    "It holds paths of this machine and need not be published; --state FOLDER keeps it elsewhere.\n"
)


def is_name_of_state(name: str) -> bool:
    """Tell whether a file of this ``name`` in a state folder is one of its own."""
    return bool(_OWN_NAMES.fullmatch(name) or _OWN_FOLDERS.fullmatch(name))


def make(folder: Path) -> None:
    """Make the state folder ``folder`` if it is not there, and check it; ``RunError`` when it cannot be made or not be trusted."""
    named, below = _parts(folder)
    try:
        named.mkdir(parents=True, exist_ok=True)
        for depth, name in enumerate(below):
            with _chain(named, below[:depth]) as (descriptor, _), suppress(FileExistsError):
                os.mkdir(name, dir_fd=descriptor)
    except OSError as error:
        raise RunError(f"{printable(folder)} cannot be made: {error.strerror}", code="not-writable") from None
    check(folder)


def make_within(folder: Path, name: str) -> None:
    """Make the folder ``name`` in the state folder ``folder``, and check it; ``OSError`` when it cannot be made."""
    with opened(folder) as (descriptor, _), suppress(FileExistsError):
        os.mkdir(name, dir_fd=descriptor)
    with opened(folder, name):
        pass


def describe(folder: Path) -> None:
    """Say in the folder ``.pixmill`` what it is, and keep it out of repositories; nothing is done in a folder of another name."""
    if folder.name == FOLDER:
        with suppress(OSError):  # a full disk has its own message
            write(folder, "README", _README.encode())
            write(folder, ".gitignore", b"*\n")


def check(folder: Path) -> None:
    """Look at what is ours in the state folder ``folder``: ``RunError`` for a link, or for what belongs to a stranger.

    SQLite opens its files by path, so this comes before. Where there is no such folder there is nothing to distrust.
    """
    with (
        suppress(FileNotFoundError, NotADirectoryError, PermissionError),
        opened(folder) as (descriptor, owners),
        os.scandir(descriptor) as entries,
    ):
        for entry in entries:
            if is_name_of_state(entry.name):
                _judge(entry.stat(follow_symlinks=False), folder / entry.name, owners)


def refuse_second_names(folder: Path, database: str) -> None:
    """See that ``database`` and what SQLite keeps beside it have no second name, under which a change would be seen too."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path = folder / f"{database}{suffix}"
        with suppress(FileNotFoundError):
            _judge_names(path.lstat(), path)


def open_file(folder: Path, name: str, flags: int, mode: int = 0o644) -> int:
    """Open the file ``name`` of the state folder ``folder``, such as ``runs/00000001.json``; ``OSError`` as ``os.open`` has it.

    ``RunError`` when it is a link, no regular file or a stranger's, and for writing also when it has a second name.
    """
    parent, _, last = name.rpartition("/")
    path = folder / name
    with opened(folder, parent) as (descriptor, owners):
        try:
            found = os.open(last, flags | _FILE, mode, dir_fd=descriptor)
        except OSError as error:
            raise _refusal(error, path) from None
    try:
        status = os.fstat(found)
        _judge(status, path, owners)
        if flags & (os.O_WRONLY | os.O_RDWR):
            _judge_names(status, path)
    except BaseException:
        os.close(found)
        raise
    return found


def read(folder: Path, name: str) -> bytes:
    """Return the content of a file of the state; errors are those of ``open_file``."""
    with os.fdopen(open_file(folder, name, os.O_RDONLY), "rb") as file:
        return file.read()


def write(folder: Path, name: str, data: bytes) -> None:
    """Write a file of the state, whole or not at all, in the place of whatever has its name; ``OSError`` when it cannot be."""
    parent, _, last = name.rpartition("/")
    temporary = f".{last}.{os.getpid()}-{secrets.token_hex(4)}.tmp"
    with opened(folder, parent) as (descriptor, _):
        try:
            with os.fdopen(os.open(temporary, _NEW, 0o644, dir_fd=descriptor), "wb") as file:
                file.write(data)
            os.rename(temporary, last, src_dir_fd=descriptor, dst_dir_fd=descriptor)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=descriptor)
            raise


@contextmanager
def opened(folder: Path, within: str = "") -> Iterator[tuple[int, frozenset[int]]]:
    """Give a descriptor of the state folder ``folder``, or of the folder ``within`` it, and the users who are trusted there."""
    named, below = _parts(folder)
    with _chain(named, [*below, *filter(None, [within])]) as found:
        yield found


@contextmanager
def _chain(named: Path, below: Sequence[str]) -> Iterator[tuple[int, frozenset[int]]]:
    """Open ``named``, and from there each folder of ``below``, none of which may be a link or a stranger's."""
    descriptor = os.open(named, os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        owners = frozenset((os.geteuid(), 0, os.fstat(descriptor).st_uid))
        path = named
        for name in below:
            path = path / name
            try:
                following = os.open(name, os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=descriptor)
            except OSError as error:
                raise _refusal(error, path) from None
            os.close(descriptor)
            descriptor = following
            _judge(os.fstat(descriptor), path, owners)
        yield descriptor, owners
    finally:
        os.close(descriptor)


def _parts(folder: Path) -> tuple[Path, list[str]]:
    """Return the folder that was named, and the names below it that are pixmill's own: ``.pixmill``, ``shard-3-of-16``."""
    below: list[str] = []
    if Shard.of_folder(folder.name):
        below, folder = [folder.name], folder.parent
    if folder.name == FOLDER:
        below, folder = [FOLDER, *below], folder.parent
    return folder, below


def _refusal(error: OSError, path: Path) -> Exception:
    """Return what to raise for ``error``: a ``RunError`` when ``path`` is a link, which ``O_NOFOLLOW`` has refused."""
    if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK) and path.is_symlink():
        return _link(path)
    return error


def _link(path: Path) -> RunError:
    is_folder = path.name == FOLDER
    message = f"{printable(path)} is a link, and the state of an output is not kept behind links"
    hint = "remove the link; " + ("--state FOLDER keeps the state elsewhere" if is_folder else "pixmill makes the file anew")
    return RunError(message, code=CODE, hint=hint)


def _judge(status: os.stat_result, path: Path, owners: Collection[int]) -> None:
    """Raise ``RunError`` unless this is a file or a folder of somebody who is trusted."""
    if stat.S_ISLNK(status.st_mode):
        raise _link(path)
    is_folder = _OWN_FOLDERS.fullmatch(path.name) or path.name == FOLDER
    fits = stat.S_ISDIR if is_folder else _holds_bytes
    if not fits(status.st_mode):
        kind = "folder" if is_folder else "regular file"
        raise RunError(f"{printable(path)} is no {kind}", code=CODE, hint="remove it, or name another folder with --state")
    if status.st_uid not in owners:
        raise RunError(
            f"{printable(path)} belongs to user {status.st_uid}, who is neither you nor root, nor the owner of that folder",
            code=CODE,
            hint=f"if it can be trusted: sudo chown {os.geteuid()} {printable(path)}; else name another folder with --state",
        )


def _holds_bytes(mode: int) -> bool:
    """Tell whether a file of this ``mode`` answers at once; a device, such as /dev/full, only root can put somewhere."""
    return stat.S_ISREG(mode) or stat.S_ISCHR(mode)


def _judge_names(status: os.stat_result, path: Path) -> None:
    if status.st_nlink > 1 and stat.S_ISREG(status.st_mode):
        raise RunError(
            f"{printable(path)} is one file with another that has a name elsewhere, and would be changed there too",
            code=CODE,
            hint=f"make it a file of its own: cp {printable(path)} copy && mv copy {printable(path)}",
        )
