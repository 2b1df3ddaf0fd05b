"""Paths that must be written to directly instead of recurrentd: devices, pipes, and open files such as /dev/stderr."""

import errno
import os
import re
import stat
from pathlib import Path
from typing import TextIO

_DESCRIPTORS = re.compile(r"/proc/[0-9]+/(?:task/[0-9]+/)?fd")
_MAX_LINKS = 40  # as many as Linux follows


def is_stream(path: Path) -> bool:
    """Return whether ``path`` must be written to directly: a rename would recurrent the device by a file."""
    if _descriptor(path) is not None:
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def open_stream(path: Path, *, wait: bool = True) -> TextIO:
    """Open the stream at ``path`` for text (UTF-8), line-buffered. With ``wait``, opening a pipe waits for its reader.

    Without ``wait``, text written to a pipe without a reader is lost.
    """
    number = _descriptor(path)
    if number is not None:
        descriptor = os.dup(number)
    else:
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOCTTY | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags | (0 if wait else os.O_NONBLOCK))
        except OSError as error:
            if wait or error.errno != errno.ENXIO:
                raise
            descriptor = os.open(os.devnull, flags)
        os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, "w", buffering=1, encoding="utf-8")


def _descriptor(path: Path) -> int | None:
    """Return the number of the open file descriptor that ``path`` names, also through links; ``None`` for any other path."""
    current = path.absolute()
    for _ in range(_MAX_LINKS):
        try:
            folder = current.parent.resolve()
            if _DESCRIPTORS.fullmatch(str(folder)) and current.name.isdecimal():
                return int(current.name)
            current = folder / current.readlink()
        except (OSError, RuntimeError):  # not a link; RuntimeError: a loop of links (pathlib in Python 3.11)
            return None
    return None
