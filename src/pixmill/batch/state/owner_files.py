"""Files with a heartbeat, in place of the lock on a file system that has none (Lustre, some of NFS).

Each run that uses an output has a file in the folder ``owners`` beside the lock. A file whose heartbeat stopped, or whose process
is known to be dead, counts no more, and is removed by the next run. Two runs that start at the same moment may refuse each other.
"""

import errno
import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from pixmill.batch.state import state_folder
from pixmill.core.validation import DECODE_ERRORS
from pixmill.engine.resources.boot import boot_id

#: what flock answers on such a file system
NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP})
OWNERS = "owners"
_HEARTBEAT = 10.0  # seconds
_SILENCE = 60.0  # seconds without a heartbeat after which a run counts as dead: six of them may be late


class Owner(msgspec.Struct, frozen=True):
    """A run that uses an output, for the error message of other runs, and to tell whether it is alive.

    ``machine`` is where its ``pid`` means something: a start of the system, and a PID namespace; empty where nobody asks.
    ``recipe`` identifies what the run of a shard makes; empty if that is not compared.
    """

    pid: int
    host: str
    since: str
    machine: str = ""
    is_shared: bool = False
    recipe: str = ""

    @classmethod
    def of_this_process(cls, recipe: str = "") -> "Owner":
        """Describe this process, without the machine."""
        return cls(os.getpid(), socket.gethostname(), time.strftime("%Y-%m-%d %H:%M:%S"), recipe=recipe)

    def __str__(self) -> str:
        """Return who it is, for a message."""
        return f"process {self.pid} on {self.host}, since {self.since}"


class OwnedError(BlockingIOError):
    """Another run, ``owner``, uses the output."""

    def __init__(self, owner: Owner) -> None:
        """Store the owner."""
        super().__init__(errno.EAGAIN, f"in use by {owner}")
        self.owner = owner


class OwnerFile:
    """The file of this process in ``folder``, with a heartbeat from a thread."""

    def __init__(self, folder: Path, *, is_shared: bool) -> None:
        """Create the file; ``OwnedError`` if another run uses the output, unless both share it."""
        owner = msgspec.structs.replace(Owner.of_this_process(), machine=_machine(), is_shared=is_shared)
        self._folder = folder
        self._name = f"{OWNERS}/{owner.host}-{owner.pid}-{time.time_ns()}"
        self._content = msgspec.json.encode(owner)
        self._is_over = threading.Event()
        state_folder.make_within(folder, OWNERS)
        self._descriptor = state_folder.open_file(folder, self._name, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        try:
            self._beat()
            _refuse([other for other in living(folder, self._name) if not (other.is_shared and is_shared)])
        except BaseException:
            self.close()
            raise
        self._thread = threading.Thread(target=self._keep_beating, name="owner-file", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Remove the file."""
        self._is_over.set()
        with suppress(OSError):
            os.close(self._descriptor)
        with suppress(OSError):
            (self._folder / self._name).unlink()

    def _keep_beating(self) -> None:
        while not self._is_over.wait(_HEARTBEAT):
            with suppress(OSError):  # a full disk, or a server that is away for a moment
                self._beat()

    def _beat(self) -> None:
        """Write the file again, which changes its time, by the clock of the file system."""
        os.pwrite(self._descriptor, self._content, 0)


def living(folder: Path, own: str = "") -> Iterator[Owner]:
    """Yield the other runs that use the output with the state ``folder``; ``own`` is the file of the caller.

    With ``own`` the files of the dead are removed, and its time is the present; without, the clock of this machine tells it.
    """
    try:
        names = sorted(path.name for path in (folder / OWNERS).iterdir())
        now = (folder / own).stat().st_mtime if own else time.time()
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in (f"{OWNERS}/{each}" for each in names):
        if name == own:
            continue
        with suppress(FileNotFoundError, *DECODE_ERRORS):
            owner = msgspec.json.decode(state_folder.read(folder, name), type=Owner)
            if now - (folder / name).stat().st_mtime < _SILENCE and not _is_dead(owner):
                yield owner
            elif own:
                (folder / name).unlink()


def _refuse(others: Sequence[Owner]) -> None:
    if others:
        raise OwnedError(others[0])


def _is_dead(owner: Owner) -> bool:
    """Tell whether its process is known to have ended: it was one of this machine."""
    if not owner.machine or owner.machine != _machine():
        return False
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _machine() -> str:
    try:
        return f"{boot_id()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""
