"""A folder for the temporary files of the workers of one fork server, which others neither read nor share.

A worker that is killed leaves its temporary files behind, so the folder is removed with all of them; that of a fork server
which was killed itself is removed by the next one.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from pixmill.core.operating_system import CLOSED_ON_EXEC, FOLDER, NO_FOLLOW, lock

PREFIX = "pixmill-workers-"
_MIN_AGE = 60  # seconds since a folder was last changed; it is locked right after it was made


@contextmanager
def private_temporary_folder() -> Iterator[None]:
    """Let this process, and those that it forks, have a TMPDIR of their own; the common one if no folder can be made."""
    with ExitStack() as stack:
        with suppress(OSError):
            common = Path(tempfile.gettempdir())
            _remove_abandoned(common)
            folder = tempfile.mkdtemp(prefix=PREFIX, dir=common)
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            held = os.open(folder, os.O_RDONLY | FOLDER | CLOSED_ON_EXEC)  # closed by the end of the process, however it ends
            lock(held, wait=True)
            os.environ["TMPDIR"] = tempfile.tempdir = folder
        yield


def _remove_abandoned(common: Path) -> None:
    """Remove the folders of this user that no process holds the lock of, unless one is about to take it."""
    for folder in common.glob(f"{PREFIX}*"):
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | FOLDER | NO_FOLLOW | CLOSED_ON_EXEC)
            try:
                status = os.fstat(descriptor)
                if status.st_uid == os.geteuid() and status.st_mtime < time.time() - _MIN_AGE:
                    lock(descriptor)
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)
