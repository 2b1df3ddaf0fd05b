"""Moves finished images out of the watched folder: the only operation that ever changes SRC, and only if it is enabled."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

from pixmill.batch.item import from_payload
from pixmill.core import operating_system
from pixmill.core.errors import ConfigError, RunError
from pixmill.core.text import printable
from pixmill.engine.task import Failed, Outcome
from pixmill.storage.local import inodes
from pixmill.storage.storage import Storage


class ProcessedMover:
    """Moves an image to the folder for its outcome, keeping its relative path and never overwriting another file."""

    def __init__(self, source: Storage, root: Path, *, done: str | None, failed: str | None) -> None:
        """Check that moving can work; ``ConfigError`` or ``RunError`` if it cannot."""
        self._source = source
        self._root = root
        self._done = _checked(done, root)
        self._failed = _checked(failed, root)
        if (done or failed) and not os.access(root, os.W_OK | os.X_OK):
            hint = "mount it writable, or remove --move-done and --move-failed"
            raise RunError(
                f"SRC {printable(root)} is not writable, so images cannot be moved out of it", code="not-writable", hint=hint
            )

    def move(self, outcome: Outcome) -> Path | None:
        """Move the image of ``outcome``, if requested and unchanged since processing; return its new path. Raises ``OSError``."""
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
    identity = inodes.inode(bytes(path))
    if identity and any(inodes.inode(each) == identity for each in inodes.parents(bytes(root))):
        raise ConfigError(f"{printable(folder)} contains SRC, so images would stay in it", hint="use a folder outside SRC")
    return path


def _move(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    free_path = _reserve(target)
    try:
        source.rename(free_path)
    except OSError as error:
        if error.errno != errno.EXDEV:
            free_path.unlink()
            raise
        _move_across_file_systems(source, free_path)
    return free_path


def _move_across_file_systems(source: Path, target: Path) -> None:
    """Move to another file system: the source is removed only when the complete copy is on disk."""
    try:
        shutil.copy2(source, target)
        with target.open("rb") as copy:
            operating_system.sync(copy.fileno())
    except OSError:
        with suppress(OSError):
            target.unlink()
        raise
    source.unlink()


def _reserve(target: Path) -> Path:
    """Create an empty file at ``target`` or, if it exists, under its name with a number."""
    for path in _names(target):
        with suppress(FileExistsError):
            path.touch(exist_ok=False)
            return path
    raise FileExistsError(target)


def _names(target: Path) -> Iterator[Path]:
    yield target
    for number in count(2):
        yield target.with_name(f"{target.stem}~{number}{target.suffix}")
