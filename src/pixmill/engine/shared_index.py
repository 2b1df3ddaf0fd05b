"""Room for the index that SQLite shares between processes (``-shm``), on disks whose blocks are smaller than its pages.

SQLite maps that file into memory and makes it long enough by one byte in every 4096. Where blocks are smaller (ext4 made with
1 KB ones) the rest of a page has no place on the disk; when the disk fills up, touching it kills the process with SIGBUS, and
no word. So its blocks are taken before they are needed. Elsewhere, and where the system has no way to do it, nothing is done.
"""

import errno
import os
from contextlib import suppress
from pathlib import Path

_SPACING = 4096
_INDEX = 131_072  # bytes: enough for a log of 16,000 pages, sixteen times what it is cut back at
_ROOM = 2 * _INDEX  # and the first pages of the ledger and of its log
_FULL = {errno.ENOSPC, errno.EDQUOT}


def has_room(path: Path) -> bool:
    """Return whether the database at ``path`` can be opened without the danger; true where there is none."""
    if not _is_in_danger(path.parent) or _is_reserved(_index(path)):
        return True
    try:
        nameless = os.open(path.parent, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        return error.errno not in _FULL
    try:
        os.posix_fallocate(nameless, 0, _ROOM)
    except OSError as error:
        return error.errno not in _FULL
    finally:
        os.close(nameless)
    return True


def reserve(path: Path) -> None:
    """Take the blocks of the index of the open database at ``path``; ``OSError`` when the disk does not have them.

    Through SQLite's own descriptor: to open the file and close it again would drop the locks that this process holds on it.
    """
    if not _is_in_danger(path.parent):
        return
    index = _index(path.resolve())
    for descriptor in Path("/proc/self/fd").glob("*"):
        with suppress(FileNotFoundError):  # the listing's own
            if descriptor.readlink() == index:
                os.posix_fallocate(int(descriptor.name), 0, _INDEX)


def _index(path: Path) -> Path:
    return path.with_name(path.name + "-shm")


def _is_reserved(index: Path) -> bool:
    """Return whether ``index`` has all its blocks: a run is using it, or one that died has left them to the next."""
    try:
        return index.stat().st_blocks * 512 >= _INDEX
    except FileNotFoundError:
        return False


def _is_in_danger(folder: Path) -> bool:
    return hasattr(os, "O_TMPFILE") and os.statvfs(folder).f_frsize < _SPACING
