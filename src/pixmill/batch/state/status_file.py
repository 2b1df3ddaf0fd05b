"""The file in the state folder that shows what is at work, and what it says after the death of a run.

It lies on this machine, also for an output in a store: a run that died on another machine is not known to have begun anything.
Where writing to it could be fatal, on btrfs, it lies in a private folder in memory instead, until the machine is restarted.
"""

import hashlib
import os
import stat
import time
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

from pixmill.batch.state import state_folder
from pixmill.core.errors import RunError
from pixmill.engine.ipc.status_file import StatusFile, held_for, read_status_file
from pixmill.engine.ledger import RunRecord
from pixmill.engine.resources.boot import boot_id
from pixmill.engine.sqlite.mapped_files import allocates_on_write
from pixmill.engine.task import BegunTask

STATUS = "status"
NEW_STATUS = "status-new"
_IN_MEMORY = Path("/dev/shm")  # noqa: S108  # only a folder in it that is ours alone is used


def open_status_file(state: Path, stack: ExitStack) -> StatusFile | None:
    """Create the status file of a run, which replaces that of the last one once the run has begun; ``stack`` closes it.

    ``None`` where that is impossible, as on a file system that cannot map files: then nothing is known if the run dies.
    """
    fd = -1
    try:
        folder = _folder_of(state, create=True)
        _remove(folder, NEW_STATUS)
        fd = state_folder.open_file(folder, NEW_STATUS, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        status_file = StatusFile(fd, boot=boot_id(), publish=lambda: _publish(folder), remove=lambda: _end(folder, state))
    except (OSError, RunError):
        if fd >= 0:
            os.close(fd)
            with suppress(OSError, RunError):
                _remove(folder, NEW_STATUS)
        return None
    stack.callback(status_file.close)
    return status_file


def begun_tasks(state: Path, runs: Iterable[RunRecord]) -> tuple[BegunTask, ...]:
    """Return what was at work when the last of ``runs`` died, if that can tell anything about the tasks.

    Nothing, if the run has ended, was told to stop before it was killed, or was ended by the end of the whole machine.
    """
    last = max(runs, key=lambda run: run.number, default=None)
    if last is None or last.ended_at:
        return ()
    try:
        content = state_folder.read(_folder_of(state), STATUS)
    except (OSError, RunError):
        return ()
    dead = read_status_file(content, elapsed=time.monotonic(), now=time.time())
    if dead is None or dead.number != last.number or dead.was_stopping or dead.boot != boot_id():
        return ()
    return dead.begun


def seconds_held(state: Path) -> float:
    """Return for how many seconds the run that is at work in ``state`` has been waiting for a store; 0 if it does not."""
    try:
        return held_for(state_folder.read(_folder_of(state), STATUS), elapsed=time.monotonic())
    except (OSError, RunError):
        return 0.0


def _folder_of(state: Path, *, create: bool = False) -> Path:
    """Return the folder of the status file for ``state``; ``OSError`` if it is missing, or does not belong to this user alone."""
    if not allocates_on_write(state):
        return state
    outer = _IN_MEMORY / f"pixmill-{os.geteuid()}"
    inner = outer / hashlib.sha256(os.fsencode(state.resolve())).hexdigest()[:32]
    if create:
        outer.mkdir(mode=stat.S_IRWXU, exist_ok=True)
    status = outer.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise PermissionError
    if create:
        inner.mkdir(exist_ok=True)
    return inner


def _publish(folder: Path) -> None:
    with state_folder.opened(folder) as (descriptor, _):
        os.rename(NEW_STATUS, STATUS, src_dir_fd=descriptor, dst_dir_fd=descriptor)


def _end(folder: Path, state: Path) -> None:
    _remove(folder, STATUS)
    if folder != state:
        folder.rmdir()


def _remove(folder: Path, name: str) -> None:
    with state_folder.opened(folder) as (descriptor, _), suppress(FileNotFoundError):
        os.unlink(name, dir_fd=descriptor)
