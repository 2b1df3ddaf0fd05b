"""The names of files that are not finished yet, and the removal of those whose writer died."""

import itertools
import os
import re
from collections.abc import Container, Iterator

STATE = b".pixmill"  # the folder that makes an output of a folder
_NAME = re.compile(rb"\.pixmill-([0-9A-Za-z]{1,32})-[0-9]+-[0-9]+\.tmp")
_PREFIX = b".pixmill-"
_TAG = re.compile(r"[0-9A-Za-z]{1,32}")


def names(tag: str) -> Iterator[bytes]:
    """Return names for temporaries with ``tag``: short, whatever the target is called, and unlike those of other processes.

    Threads may share them, which no generator allows.
    """
    if not _TAG.fullmatch(tag):
        raise ValueError(f"expected 1 to 32 letters and digits as a tag, received {tag!r}")
    name = ".pixmill-" + tag + "-{}-{}.tmp"
    return map(lambda number: name.format(os.getpid(), number).encode(), itertools.count())  # noqa: C417  # a generator is one thread's


def is_temporary(name: bytes) -> bool:
    """Tell whether a file of this ``name`` is one of ours."""
    return name.startswith(_PREFIX) and _NAME.fullmatch(name) is not None


def remove_temporaries(directory: bytes, tags: Container[str] | None) -> int:
    """Remove the temporaries with one of ``tags`` (``None``: with any) from ``directory`` and everything below; return how many.

    Nothing else is touched, and what cannot be read or removed is left for the next time. A folder below that has a state folder
    is an output of its own, whose writers may be alive: it is not entered.
    """
    removed = 0
    waiting = [directory]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                dead, below = _partition(entries, tags)
            if folder != directory and any(os.path.basename(path) == STATE for path in below):
                continue
            for path in dead:
                os.unlink(path)
                removed += 1
        except OSError:
            continue
        waiting += below
    return removed


def _partition(entries: Iterator[os.DirEntry[bytes]], tags: Container[str] | None) -> tuple[list[bytes], list[bytes]]:
    """Return the temporaries among ``entries``, and the folders."""
    dead: list[bytes] = []
    below: list[bytes] = []
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            below.append(entry.path)
        elif _belongs(entry.name, tags) and entry.is_file(follow_symlinks=False):
            dead.append(entry.path)
    return dead, below


def _belongs(name: bytes, tags: Container[str] | None) -> bool:
    match = _NAME.fullmatch(name) if name.startswith(_PREFIX) else None
    return match is not None and (tags is None or match[1].decode() in tags)
