"""Choose SQLite's journal mode by file system: a write-ahead log, or a rollback journal.

The write-ahead log (``WAL``) costs one fsync per commit instead of three, but SQLite maps its index (``-shm``) into memory. On a
file system where touching mapped memory allocates disk space, a full disk or an exhausted quota kills the process with SIGBUS,
without a message. This was seen on ext4 with blocks of 1 KB, of which SQLite writes only one in four when it extends the index, and
on btrfs, which writes every page to a new location. There a rollback journal is used, and nothing is mapped.
"""

import ctypes
import os
import sys
from pathlib import Path

WAL, ROLLBACK = "WAL", "TRUNCATE"
_PAGE_BYTES = 4096  # SQLite writes one byte in each such page when it extends the index
_BTRFS = 0x9123683E
_LONG_BYTES = ctypes.sizeof(ctypes.c_long)


def journal_mode(folder: Path) -> str:
    """Return the ``journal_mode`` for a file in ``folder``: ``WAL`` wherever that is safe."""
    if os.statvfs(folder).f_frsize < _PAGE_BYTES or _file_system_type(folder) == _BTRFS:
        return ROLLBACK
    return WAL


def _file_system_type(folder: Path) -> int:
    """Return Linux's number for the type of the file system (statfs(2)), 0 if it is unknown."""
    if not sys.platform.startswith("linux"):
        return 0
    buffer = ctypes.create_string_buffer(512)  # larger than the structure, which starts with the number
    failed = ctypes.CDLL(None).statfs(bytes(folder), buffer)
    return 0 if failed else int.from_bytes(buffer.raw[:_LONG_BYTES], sys.byteorder)
