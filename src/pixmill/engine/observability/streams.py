"""Files that options name and that are no files to replace: devices, pipes, and what is open already, such as /dev/stderr."""

import errno
import os
import re
import stat
from pathlib import Path
from typing import TextIO

_DESCRIPTORS = re.compile(r"/proc/[0-9]+/(?:task/[0-9]+/)?fd")
_MAX_LINKS = 40  # as many as Linux follows


def is_stream(path: Path) -> bool:
    """Tell whether what is at ``path`` is written to as it is: a rename would put a file in the place of a device."""
    if _descriptor(path) is not None:
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def open_stream(path: Path, *, wait: bool = True) -> TextIO:
    """Open the stream at ``path`` for text (UTF-8), a line at a time; a pipe waits for its reader, or with ``wait`` off for none.

    What is written to a pipe that nobody reads is then lost.
    """
    number = _descriptor(path)
    if number is not None:
        found = os.dup(number)
    else:
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOCTTY | os.O_CLOEXEC
        try:
            found = os.open(path, flags | (0 if wait else os.O_NONBLOCK))
        except OSError as error:
            if wait or error.errno != errno.ENXIO:
                raise
            found = os.open(os.devnull, flags)
        os.set_blocking(found, True)
    return os.fdopen(found, "w", buffering=1, encoding="utf-8")


def _descriptor(path: Path) -> int | None:
    """Return the number of the open file that ``path`` is another name of, also through links; ``None`` for any other file."""
    place = path.absolute()
    for _ in range(_MAX_LINKS):
        try:
            folder = place.parent.resolve()
            if _DESCRIPTORS.fullmatch(str(folder)) and place.name.isdecimal():
                return int(place.name)
            place = folder / place.readlink()
        except (OSError, RuntimeError):  # no link; or a circle of them, as pathlib of Python 3.11 says it
            return None
    return None
