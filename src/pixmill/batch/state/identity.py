"""The identity of an output: a file in its state folder that tells it from all others, whatever path it is mounted at."""

import os
import re
import secrets
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from pixmill.batch.config.shard import Shard
from pixmill.batch.state import state_folder
from pixmill.batch.state.location import FOLDER

FILE = "output-id"
_LENGTH = 32  # hexadecimal digits
_TAG_LENGTH = 12  # of them in the name of a temporary, which has room for 32 characters with the shard
_SHARD = re.compile(r"([1-9][0-9]*)of([1-9][0-9]*)")
_PATTERN = re.compile(rb"[0-9a-f]{%d}\n?" % _LENGTH)


def identity_of(output: Path) -> str:
    """Return the identity of the output in the folder ``output``; empty where there is none that can be read."""
    return _read(output / FOLDER / FILE)


def own_tag(state: Path, shard: Shard) -> str:
    """Return the mark of temporaries that ``shard`` writes for the output whose identity is in the state folder ``state``."""
    return _read(state / FILE)[:_TAG_LENGTH] + shard.tag


class OwnTags:
    """The marks of temporaries of one output: of ``shards``, or of any when these are ``None``.

    Former versions have marked them with the shard alone.
    """

    def __init__(self, state: Path, shards: Collection[Shard] | None) -> None:
        """Read the identity that is in the state folder ``state``."""
        self._identity = _read(state / FILE)[:_TAG_LENGTH]
        self._shards = None if shards is None else {shard.tag for shard in shards}

    def __contains__(self, tag: object) -> bool:
        """Tell whether ``tag`` is one of them."""
        shard = str(tag).removeprefix(self._identity)
        match = _SHARD.fullmatch(shard)
        is_shard = match is not None and int(match[1]) <= int(match[2])  # not where the first are digits of another identity
        return is_shard and (self._shards is None or shard in self._shards)


def ensure_identity(state: Path) -> str:
    """Return the identity that is in the state folder ``state``, made now if it has none, with what says what the folder is.

    Empty where none can be made: a disk that is full, or a folder that may not be written to, is for the ledger to say.

    The caller holds the lock, which the shards of one run share: whichever of them is first decides.
    """
    if known := _read(state / FILE):
        return known
    with suppress(OSError):
        state_folder.describe(state)
        with state_folder.opened(state) as (folder, _):
            _make(folder)
    return _read(state / FILE)


def _make(folder: int) -> None:
    """Put a new identity into ``folder``, unless another shard was faster.

    It must survive a power cut as temporaries do: they are known by it.
    """
    made = f"{secrets.token_hex(_LENGTH // 2)}\n"
    temporary = f".{FILE}.{made[:8]}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(made)
            file.flush()
            os.fsync(descriptor)
        os.link(temporary, FILE, src_dir_fd=folder, dst_dir_fd=folder)
    except FileExistsError:
        if not _read_in(folder):  # what is there is no identity
            os.rename(temporary, FILE, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:  # a file system without hard links
        os.rename(temporary, FILE, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        with suppress(OSError):
            os.fsync(folder)


def _read(path: Path) -> str:
    return _read_in(None, os.fspath(path))


def _read_in(folder: int | None, name: str = FILE) -> str:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        found = file.read(_LENGTH + 2)
    return found.decode("ascii").strip() if _PATTERN.fullmatch(found) else ""
