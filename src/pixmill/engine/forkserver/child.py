"""Processes that die with their parent."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterable

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38


def fork_child(run: Callable[[], None], *, closed: Iterable[int]) -> int:
    """Return the pid of a new process that calls ``run`` and exits; the descriptors ``closed`` are not open in it.

    Call it from the main thread of a process with no other. ``OSError`` if the process cannot be started.
    """
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        die_with(parent)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        for descriptor in closed:
            os.close(descriptor)
        run()
    finally:
        os._exit(1)


def die_with(parent: int) -> None:
    """Have this process killed when ``parent``, its parent, dies, where the system can; exit if that has happened already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)
