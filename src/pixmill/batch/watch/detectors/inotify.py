"""The kernel's own word on what changes in a folder: Linux inotify, without a thread or a dependency.

Source: inotify(7). Why not a library: docs/decisions/0007-inotify-from-the-kernel.md.
"""

import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from enum import IntFlag

import msgspec

_HEADER = struct.Struct("iIII")
_BUFFER = 1 << 16


class Mask(IntFlag):
    """What happened, or is to be heard of."""

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


CONTENT = Mask.MODIFY | Mask.ATTRIB | Mask.CLOSE_WRITE | Mask.MOVED_FROM | Mask.MOVED_TO | Mask.CREATE | Mask.DELETE


class Notice(msgspec.Struct, frozen=True):
    """Something happened to ``name`` in the folder that was given the number ``folder``."""

    folder: int
    mask: int
    name: bytes


class Inotify:
    """One queue of notices. ``OSError`` where the kernel has no inotify or gives no more of it."""

    def __init__(self) -> None:
        """Open the queue."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        try:
            self._file = self._call(self._libc.inotify_init1, os.O_NONBLOCK | os.O_CLOEXEC)
        except AttributeError as error:
            raise OSError("this system has no inotify") from error

    def watch(self, folder: bytes) -> int:
        """Hear of what happens in ``folder`` (not below it) from now on; return its number in the notices."""
        mask = CONTENT | Mask.ONLYDIR | Mask.DONT_FOLLOW
        return self._call(self._libc.inotify_add_watch, self._file, folder, ctypes.c_uint32(mask))

    def forget(self, folder: int) -> None:
        """Hear no more of the folder with this number, if it is still there."""
        with suppress(OSError):
            self._call(self._libc.inotify_rm_watch, self._file, folder)

    def read(self) -> Iterator[Notice]:
        """Yield what has happened, without waiting."""
        while True:
            try:
                data = os.read(self._file, _BUFFER)
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
