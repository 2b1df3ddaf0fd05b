"""Temporaries: the names of unfinished files, and the removal of those whose writer died."""

import itertools
import os
import re
from collections.abc import Container, Iterator
from contextlib import suppress

STATE = b".pixmill"  # the state folder, which marks its parent as an output
_NAME = re.compile(rb"\.pixmill-([0-9A-Za-z]{1,32})-([0-9]+)-[0-9]+\.tmp")
_PREFIX = b".pixmill-"
_TAG = re.compile(r"[0-9A-Za-z]{1,32}")


def names(tag: str) -> Iterator[bytes]:
    """Return names for temporaries with ``tag``: short for any target name, and different from those of other processes.

    Threads may share the iterator, unlike a generator.
    """
    if not _TAG.fullmatch(tag):
        raise ValueError(f"expected 1 to 32 letters and digits as a tag, received {tag!r}")
    name = ".pixmill-" + tag + "-{}-{}.tmp"
    return map(lambda number: name.format(os.getpid(), number).encode(), itertools.count())  # noqa: C417  # threads cannot share a generator


def is_temporary(name: bytes) -> bool:
    """Tell whether ``name`` is that of a temporary."""
    return name.startswith(_PREFIX) and _NAME.fullmatch(name) is not None


def remove_orphans(directory: bytes, tag: str) -> None:
    """Remove the temporaries with ``tag`` in ``directory`` itself whose writers, processes of this machine, are dead."""
    with suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            match = _NAME.fullmatch(entry.name) if entry.name.startswith(_PREFIX) else None
            if match and match[1].decode() == tag and not _is_alive(int(match[2])) and entry.is_file(follow_symlinks=False):
                os.unlink(entry.path)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def remove_temporaries(directory: bytes, tags: Container[str] | None) -> int:
    """Remove the temporaries with one of ``tags`` (``None``: any tag) from ``directory`` and all folders below; return how many.

    Nothing else is touched, and files that cannot be read or removed are left for the next time. A folder below that has its own
    state folder is a separate output, whose writers may be alive: it is not entered.
    """
    removed = 0
    pending = [directory]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                temporaries, folders = _partition(entries, tags)
            if folder != directory and any(os.path.basename(path) == STATE for path in folders):
                continue
            for path in temporaries:
                os.unlink(path)
                removed += 1
        except OSError:
            continue
        pending += folders
    return removed


def _partition(entries: Iterator[os.DirEntry[bytes]], tags: Container[str] | None) -> tuple[list[bytes], list[bytes]]:
    """Return the temporaries with one of ``tags`` among ``entries``, and the folders."""
    temporaries: list[bytes] = []
    folders: list[bytes] = []
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            folders.append(entry.path)
        elif _has_tag(entry.name, tags) and entry.is_file(follow_symlinks=False):
            temporaries.append(entry.path)
    return temporaries, folders


def _has_tag(name: bytes, tags: Container[str] | None) -> bool:
    match = _NAME.fullmatch(name) if name.startswith(_PREFIX) else None
    return match is not None and (tags is None or match[1].decode() in tags)
