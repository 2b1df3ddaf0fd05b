"""How SQLite is to keep a file whole, by the disk that the file is on: with a log beside it, or with a journal.

The log (``WAL``) costs one fsync a commit instead of three, but SQLite maps its index (``-shm``) into memory. Where touching
mapped memory needs room on the disk, a full disk or a used-up quota kills the process with SIGBUS, and no word. Seen on ext4
made with blocks of 1 KB, of which SQLite takes one in four when it makes the index as long as it needs, and on btrfs, which
writes every page to a new place. There a journal does it, and nothing is mapped.
"""

import ctypes
import os
import sys
from pathlib import Path

WAL, ROLLBACK = "WAL", "TRUNCATE"
_PAGE = 4096  # what SQLite takes a byte of for each page of the index
_BTRFS = 0x9123683E
_NUMBER = ctypes.sizeof(ctypes.c_long)


def journal_mode(folder: Path) -> str:
    """Return the ``journal_mode`` for a file in ``folder``: ``LOG`` wherever that is safe."""
    if os.statvfs(folder).f_frsize < _PAGE or _kind(folder) == _BTRFS:
        return ROLLBACK
    return WAL


def _kind(folder: Path) -> int:
    """Return the number that Linux gives the kind of file system, 0 where it is not to be known (statfs(2))."""
    if not sys.platform.startswith("linux"):
        return 0
    told = ctypes.create_string_buffer(512)  # larger than the structure, which begins with the number
    failed = ctypes.CDLL(None).statfs(bytes(folder), told)
    return 0 if failed else int.from_bytes(told.raw[:_NUMBER], sys.byteorder)
