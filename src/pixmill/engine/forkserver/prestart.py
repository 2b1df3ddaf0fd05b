"""A fork server that starts before its handler is known: it imports the workers' modules while the caller imports its own.

It has no credentials in its environment: a handler that needs them gets them later.

A program has at most one, and pre-starts it only if it is about to create a pool. Code that creates a fork server claims the
pre-started one; code that turns out not to need it discards it. It can be killed immediately, since it has forked no workers,
and it dies with its parent as every fork server does.
"""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from pixmill.core.operating_system import limits
from pixmill.engine.forkserver.credentials import without_credentials
from pixmill.engine.forkserver.spawn import Spawned, reap, spawn


class _Prestarted(NamedTuple):
    fork_server: Spawned
    preload: tuple[str, ...]
    inherited_state: tuple[object, ...]


_prestarted: list[_Prestarted] = []  # global, as child processes belong to the whole process


def prestart(preload: Sequence[str]) -> None:
    """Start a fork server that imports ``preload``. If none can be started, the code that needs one will report the reason."""
    discard()
    with suppress(OSError):
        fork_server = spawn(preload, environment=without_credentials(os.environ))
        _prestarted.append(_Prestarted(fork_server, tuple(preload), _inherited_state()))


def claim(preload: Sequence[str]) -> Spawned | None:
    """Return the pre-started fork server, now owned by the caller, if it is usable with ``preload``; otherwise end it.

    It is usable if everything it has imported is in ``preload``, and a new process would inherit the same state.
    """
    while _prestarted:
        prestarted = _prestarted.pop()
        if set(prestarted.preload) <= set(preload) and prestarted.inherited_state == _inherited_state():
            return prestarted.fork_server
        _end(prestarted.fork_server)
    return None


def is_prestarted() -> bool:
    """Return whether there is a pre-started fork server."""
    return bool(_prestarted)


def discard() -> None:
    """End the pre-started fork server, if there is one."""
    while _prestarted:
        _end(_prestarted.pop().fork_server)


def _end(fork_server: Spawned) -> None:
    fork_server.pipe.close()
    fork_server.log.close()
    with suppress(ProcessLookupError):
        os.kill(fork_server.pid, signal.SIGKILL)
    reap(fork_server.pid)


def _inherited_state() -> tuple[object, ...]:
    """Return the state that a process started now would inherit, as far as a program is likely to change it."""
    try:
        folder = os.getcwd()  # noqa: PTH109  # pathlib costs more than the call
    except FileNotFoundError:  # it was removed
        folder = ""
    return list(sys.path), list(sys.argv), dict(os.environ), folder, limits()
