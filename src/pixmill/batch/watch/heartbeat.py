"""A heartbeat file that another process can read, for the health check of a container."""

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

HEARTBEAT_FILE = "heartbeat"
BEAT_INTERVAL = 2.0  # seconds between two heartbeats
GRACE_SECONDS = 20.0  # seconds without a heartbeat, in addition to the deadline of one image


class HeartbeatRecord(msgspec.Struct, frozen=True):
    """The process, and the number of seconds without a heartbeat after which it counts as dead."""

    pid: int
    limit: float


class Heartbeat:
    """Writes a heartbeat to ``folder`` every two seconds, as long as ``beat`` is called.

    ``max_busy`` is the longest time without a call: the deadline of an image. ``clock`` is monotonic, in seconds.
    """

    def __init__(self, folder: Path, *, max_busy: float, clock: Callable[[], float]) -> None:
        """Write nothing yet."""
        self._folder = folder
        self._record = HeartbeatRecord(os.getpid(), GRACE_SECONDS + max_busy)
        self._clock = clock
        self._due = 0.0
        self._is_written = False

    def beat(self) -> None:
        """Write a heartbeat if it is due."""
        if self._clock() < self._due:
            return
        self._due = self._clock() + BEAT_INTERVAL
        if not self._is_renewed():
            try:
                state_folder.write(self._folder, HEARTBEAT_FILE, msgspec.json.encode(self._record))
            except OSError as error:
                message = f"cannot write the heartbeat in {printable(self._folder)}: {error.strerror}"
                raise RunError(message, code=CODES.get(error.errno or 0, "not-writable")) from None
            self._is_written = True

    def end(self) -> None:
        """Remove the heartbeat file."""
        with suppress(OSError):  # the folder itself may be gone
            (self._folder / HEARTBEAT_FILE).unlink()

    def _is_renewed(self) -> bool:
        if self._is_written:
            with suppress(OSError):
                os.utime(self._folder / HEARTBEAT_FILE, follow_symlinks=False)
                return True
        return False


def liveness_problem(folder: Path, *, now: Callable[[], float] = time.time) -> str:
    """Return the problem of the watch whose heartbeat is in ``folder``, or the empty string."""
    try:
        record = msgspec.json.decode(state_folder.read(folder, HEARTBEAT_FILE), type=HeartbeatRecord)
        silence = now() - (folder / HEARTBEAT_FILE).lstat().st_mtime
    except (OSError, *DECODE_ERRORS):
        return "no watch is running"
    state = _state(record.pid)
    if state in "TtZX":
        return f"process {record.pid} is stopped or dead"
    if silence > record.limit:
        return f"process {record.pid} has not sent a heartbeat for {silence:.0f} s"
    return ""


def _state(pid: int) -> str:
    """Return the state of a process as the kernel writes it (proc_pid_stat(5)): ``X`` if it does not exist, ``R`` if unknown."""
    if not Path("/proc/self/stat").exists():
        return "R"
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0]
    except OSError:
        return "X"
