"""Which file systems allocate disk space when a process writes to the memory that a file is mapped to."""

import ctypes
import os
import sys
from pathlib import Path

_BTRFS = 0x9123683E
_LONG_BYTES = ctypes.sizeof(ctypes.c_long)


def allocates_on_write(folder: Path) -> bool:
    """Tell whether a write to a mapped file in ``folder`` needs disk space, although the file has its blocks already.

    Where none is left, or a quota is used up, such a write kills the process with SIGBUS. That is so on btrfs, which writes a page
    to a new location, and reserves space for its metadata even where it is told not to.
    """
    return _file_system_type(folder) == _BTRFS


def _file_system_type(folder: Path) -> int:
    """Return Linux's number for the type of the file system (statfs(2)), 0 if it is unknown."""
    if not sys.platform.startswith("linux"):
        return 0
    buffer = ctypes.create_string_buffer(512)  # larger than the structure, which starts with the number
    failed = ctypes.CDLL(None).statfs(os.fsencode(folder), buffer)
    return 0 if failed else int.from_bytes(buffer.raw[:_LONG_BYTES], sys.byteorder)
