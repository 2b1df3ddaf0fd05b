"""The identity of an output: a file in its state folder with a unique ID, independent of the path it is mounted at."""

import os
import re
import secrets
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from pixmill.batch.config.shard import Shard
from pixmill.batch.state import state_folder
from pixmill.batch.state.location import FOLDER
from pixmill.storage.local.fsync import sync, sync_directory

FILE = "output-id"
_LENGTH = 32  # hexadecimal digits
_TAG_LENGTH = 12  # of them in the name of a temporary file, whose tag with the shard may have 32 characters
_SHARD = re.compile(r"([1-9][0-9]*)of([1-9][0-9]*)")
_PATTERN = re.compile(rb"[0-9a-f]{%d}\n?" % _LENGTH)


def identity_of(output: Path) -> str:
    """Return the identity of the output in the folder ``output``; empty if there is none, or it cannot be read."""
    return _read(output / FOLDER / FILE)


def own_tag(state: Path, shard: Shard) -> str:
    """Return the tag of the temporary files of ``shard``, for the output whose identity is in the state folder ``state``."""
    return _read(state / FILE)[:_TAG_LENGTH] + shard.tag


class OwnTags:
    """The tags of the temporary files of one output: those of ``shards``, or of all shards if that is ``None``.

    Earlier versions used only the shard as the tag.
    """

    def __init__(self, state: Path, shards: Collection[Shard] | None) -> None:
        """Read the identity in the state folder ``state``."""
        self._identity = _read(state / FILE)[:_TAG_LENGTH]
        self._shards = None if shards is None else {shard.tag for shard in shards}

    def __contains__(self, tag: object) -> bool:
        """Tell whether ``tag`` is one of them."""
        shard = str(tag).removeprefix(self._identity)
        match = _SHARD.fullmatch(shard)
        is_shard = match is not None and int(match[1]) <= int(match[2])  # false if the digits belong to another identity
        return is_shard and (self._shards is None or shard in self._shards)


def ensure_identity(state: Path) -> str:
    """Return the identity in the state folder ``state``; create it if there is none, and the README of the folder.

    Empty if it cannot be created: opening the ledger then reports a full disk or a read-only folder.

    The caller holds the lock. The shards of a run share it, so the first of them creates the identity.
    """
    if existing := _read(state / FILE):
        return existing
    with suppress(OSError):
        state_folder.describe(state)
        with state_folder.opened(state) as (folder, _):
            _create(folder)
    return _read(state / FILE)


def _create(folder: int) -> None:
    """Write a new identity to ``folder``, unless another shard was faster.

    It must survive a power failure if temporary files do, since it identifies them.
    """
    identity = f"{secrets.token_hex(_LENGTH // 2)}\n"
    temporary = f".{FILE}.{identity[:8]}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(identity)
            file.flush()
            sync(descriptor)
        os.link(temporary, FILE, src_dir_fd=folder, dst_dir_fd=folder)
    except FileExistsError:
        if not _read_in(folder):  # the existing file is no valid identity
            os.rename(temporary, FILE, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:  # a file system without hard links
        os.rename(temporary, FILE, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        with suppress(OSError):
            sync_directory(folder)


def _read(path: Path) -> str:
    return _read_in(None, os.fspath(path))


def _read_in(folder: int | None, name: str = FILE) -> str:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return ""
    try:
        content = os.read(descriptor, _LENGTH + 2)
    finally:
        with suppress(OSError):  # of a file that was only read
            os.close(descriptor)
    return content.decode("ascii").strip() if _PATTERN.fullmatch(content) else ""
