"""A sign of life that another process can read: the health check of a container."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from pixmill.batch.state import state_folder
from pixmill.batch.state.lock import CODES
from pixmill.core.errors import RunError
from pixmill.core.text import printable
from pixmill.core.validation import DECODE_ERRORS

NAME = "heartbeat"
PAUSE = 2.0  # seconds between two signs
ALLOWANCE = 20.0  # seconds of silence beyond the longest that one image may take


class HeartbeatRecord(msgspec.Struct, frozen=True):
    """Who lives, and how many seconds of silence mean that it does not."""

    pid: int
    limit: float


class Heartbeat:
    """Leaves a sign in ``folder`` every other second, as long as somebody calls ``beat``.

    ``busy`` is how long the caller may have no time for it: the deadline of an image. ``clock`` returns seconds that only grow.
    """

    def __init__(self, folder: Path, *, busy: float, clock: Callable[[], float]) -> None:
        """Leave no sign yet."""
        self._folder = folder
        self._sign = HeartbeatRecord(os.getpid(), ALLOWANCE + busy)
        self._clock = clock
        self._due = 0.0
        self._is_there = False

    def beat(self) -> None:
        """Leave a sign when it is time for one."""
        if self._clock() < self._due:
            return
        self._due = self._clock() + PAUSE
        if not self._is_renewed():
            try:
                state_folder.write(self._folder, NAME, msgspec.json.encode(self._sign))
            except OSError as error:
                message = f"the sign of life in {printable(self._folder)} cannot be written: {error.strerror}"
                raise RunError(message, code=CODES.get(error.errno or 0, "not-writable")) from None
            self._is_there = True

    def end(self) -> None:
        """Take the sign away."""
        with suppress(OSError):  # with the whole folder, perhaps
            (self._folder / NAME).unlink()

    def _is_renewed(self) -> bool:
        if self._is_there:
            with suppress(OSError):
                os.utime(self._folder / NAME, follow_symlinks=False)
                return True
        return False


def liveness_problem(folder: Path, *, now: Callable[[], float] = time.time) -> str:
    """Return what is wrong with the watcher whose signs are in ``folder``, or the empty string."""
    try:
        sign = msgspec.json.decode(state_folder.read(folder, NAME), type=HeartbeatRecord)
        silence = now() - (folder / NAME).lstat().st_mtime
    except (OSError, *DECODE_ERRORS):
        return "nothing is watching"
    state = _state(sign.pid)
    if state in "TtZX":
        return f"process {sign.pid} is stopped or dead"
    if silence > sign.limit:
        return f"process {sign.pid} has given no sign for {silence:.0f} s"
    return ""


def _state(pid: int) -> str:
    """Return the state of a process as the kernel writes it (proc_pid_stat(5)): ``X`` when there is none, ``R`` when unknown."""
    if not Path("/proc/self/stat").exists():
        return "R"
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0]
    except OSError:
        return "X"
