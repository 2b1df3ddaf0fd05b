"""Moves finished images out of the watched folder: the one thing that ever changes SRC, and only where it was asked for."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

from pixmill.batch.item import from_payload
from pixmill.core.errors import ConfigError, RunError
from pixmill.core.text import printable
from pixmill.engine.task import Failed, Outcome
from pixmill.storage.local import inodes
from pixmill.storage.storage import Storage


class ProcessedMover:
    """Moves an image to where its outcome says, keeping its folder and never writing over another file."""

    def __init__(self, source: Storage, root: Path, *, done: str | None, failed: str | None) -> None:
        """Check that all of it can work; ``ConfigError`` or ``RunError`` when it cannot."""
        self._source = source
        self._root = root
        self._done = _checked(done, root)
        self._failed = _checked(failed, root)
        if (done or failed) and not os.access(root, os.W_OK | os.X_OK):
            hint = "mount it writable, or leave out --move-done and --move-failed"
            raise RunError(
                f"SRC {printable(root)} cannot be written to, so nothing can be moved out", code="not-writable", hint=hint
            )

    def take(self, outcome: Outcome) -> Path | None:
        """Move the image of ``outcome``, if it is to be moved and is still what was processed; return where to. ``OSError``."""
        folder = self._failed if isinstance(outcome, Failed) else self._done
        entry = from_payload(outcome.task.payload).entry
        if folder is None or self._source.stat(entry.path) != entry:
            return None
        path = os.fsdecode(entry.path)
        return _move(self._root / path, folder / path)


def _checked(folder: str | None, root: Path) -> Path | None:
    if folder is None:
        return None
    path = Path(folder).absolute()
    held = inodes.inode(bytes(path))
    if held and any(inodes.inode(each) == held for each in inodes.parents(bytes(root))):
        raise ConfigError(f"{printable(folder)} holds SRC: images would not leave it", hint="name a folder beside SRC")
    return path


def _move(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    place = _reserve(target)
    try:
        source.rename(place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            place.unlink()
            raise
        _carry(source, place)
    return place


def _carry(source: Path, place: Path) -> None:
    """Move to another file system: the source goes only when all of the copy is on disk."""
    try:
        shutil.copy2(source, place)
        with place.open("rb") as copy:
            os.fsync(copy.fileno())
    except OSError:
        with suppress(OSError):
            place.unlink()
        raise
    source.unlink()


def _reserve(target: Path) -> Path:
    """Make an empty file under ``target`` or, where there is one already, under its name with a number."""
    for place in _names(target):
        with suppress(FileExistsError):
            place.touch(exist_ok=False)
            return place
    raise FileExistsError(target)


def _names(target: Path) -> Iterator[Path]:
    yield target
    for number in count(2):
        yield target.with_name(f"{target.stem}~{number}{target.suffix}")
