"""Choose SQLite's journal mode by file system: a write-ahead log, or a rollback journal.

The write-ahead log (``WAL``) costs one fsync per commit instead of three, but SQLite maps its index (``-shm``) into memory. On a
file system where touching mapped memory allocates disk space, a full disk or an exhausted quota kills the process with SIGBUS,
without a message. This was seen on ext4 with blocks of 1 KB, of which SQLite writes only one in four when it extends the index, and
on btrfs. There a rollback journal is used, and nothing is mapped.
"""

import os
from pathlib import Path

from pixmill.engine.sqlite.mapped_files import allocates_on_write

WAL, ROLLBACK = "WAL", "TRUNCATE"
_PAGE_BYTES = 4096  # SQLite writes one byte in each such page when it extends the index


def journal_mode(folder: Path) -> str:
    """Return the ``journal_mode`` for a file in ``folder``: ``WAL`` wherever that is safe."""
    if os.statvfs(folder).f_frsize < _PAGE_BYTES or allocates_on_write(folder):
        return ROLLBACK
    return WAL
