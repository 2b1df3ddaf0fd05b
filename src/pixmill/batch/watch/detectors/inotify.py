"""Changes in a folder as reported by the kernel: Linux inotify, without a thread or a dependency.

Source: inotify(7). For the reason not to use a library, see docs/decisions/0007-inotify-from-the-kernel.md.
"""

import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from enum import IntFlag

import msgspec

_HEADER = struct.Struct("iIII")
_BUFFER_SIZE = 1 << 16


class Mask(IntFlag):
    """Events that occurred or that are requested."""

    MODIFY = 0x2
    ATTRIB = 0x4
    CLOSE_WRITE = 0x8
    MOVED_FROM = 0x40
    MOVED_TO = 0x80
    CREATE = 0x100
    DELETE = 0x200
    OVERFLOW = 0x4000
    IGNORED = 0x8000
    ONLYDIR = 0x0100_0000
    DONT_FOLLOW = 0x0200_0000
    ISDIR = 0x4000_0000


CHANGE_EVENTS = Mask.MODIFY | Mask.ATTRIB | Mask.CLOSE_WRITE | Mask.MOVED_FROM | Mask.MOVED_TO | Mask.CREATE | Mask.DELETE


class Notice(msgspec.Struct, frozen=True):
    """An event for ``name`` in the folder with the watch descriptor ``folder``."""

    folder: int
    mask: int
    name: bytes


class Inotify:
    """One queue of notices. ``OSError`` if the kernel has no inotify or its limit is reached."""

    def __init__(self) -> None:
        """Open the queue."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        try:
            self._file = self._call(self._libc.inotify_init1, os.O_NONBLOCK | os.O_CLOEXEC)
        except AttributeError as error:
            raise OSError("this system has no inotify") from error

    def watch(self, folder: bytes) -> int:
        """Watch ``folder`` (without its subfolders) from now on; return its watch descriptor."""
        mask = CHANGE_EVENTS | Mask.ONLYDIR | Mask.DONT_FOLLOW
        return self._call(self._libc.inotify_add_watch, self._file, folder, ctypes.c_uint32(mask))

    def unwatch(self, folder: int) -> None:
        """Stop watching the folder with this watch descriptor, if it still exists."""
        with suppress(OSError):
            self._call(self._libc.inotify_rm_watch, self._file, folder)

    def read(self) -> Iterator[Notice]:
        """Yield the pending notices, without waiting."""
        while True:
            try:
                data = os.read(self._file, _BUFFER_SIZE)
            except BlockingIOError:
                return
            position = 0
            while position < len(data):
                folder, mask, _, length = _HEADER.unpack_from(data, position)
                position += _HEADER.size + length
                yield Notice(folder, mask, data[position - length : position].rstrip(b"\0"))

    def close(self) -> None:
        """Close the queue."""
        os.close(self._file)

    def _call(self, function: "ctypes._NamedFuncPointer", *arguments: object) -> int:
        result = int(function(*arguments))
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result
