"""A nursery that is started before it is known what for: it imports what workers need while the caller imports what it needs.

A program has one at most, and lays it by only where a pool will be made soon. What makes a nursery takes it; who ends up with
nothing to give it discards it. It is ended at once, for it has forked nobody, and it dies with its parent as any nursery does.
"""

import os
import resource
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from pixmill.engine.forkserver.spawn import Spawned, reap, spawn

_LIMITS = sorted({value for name, value in vars(resource).items() if name.startswith("RLIMIT_")})


class _Prestarted(NamedTuple):
    fork_server: Spawned
    preload: tuple[str, ...]
    inherited_state: tuple[object, ...]


_prestarted: list[_Prestarted] = []  # of this process, as its children are


def prestart(preload: Sequence[str]) -> None:
    """Start a nursery that imports ``preload``. When none can be started, whoever needs one will meet the reason."""
    discard()
    with suppress(OSError):
        _prestarted.append(_Prestarted(spawn(preload), tuple(preload), _inherited_state()))


def claim(preload: Sequence[str]) -> Spawned | None:
    """Return the spare, which is the caller's now, if it may serve where ``preload`` is wanted; else end it.

    It may when all that it has imported is wanted, and what it inherited is still what a new one would inherit.
    """
    while _prestarted:
        spare = _prestarted.pop()
        if set(spare.preload) <= set(preload) and spare.inherited_state == _inherited_state():
            return spare.fork_server
        _end(spare.fork_server)
    return None


def is_prestarted() -> bool:
    """Tell whether there is one."""
    return bool(_prestarted)


def discard() -> None:
    """End the spare, if it is still there."""
    while _prestarted:
        _end(_prestarted.pop().fork_server)


def _end(fork_server: Spawned) -> None:
    fork_server.pipe.close()
    fork_server.log.close()
    with suppress(ProcessLookupError):
        os.kill(fork_server.pid, signal.SIGKILL)
    reap(fork_server.pid)


def _inherited_state() -> tuple[object, ...]:
    """Return what a process that is started now gets from this one, as far as something here may change it."""
    try:
        folder = os.getcwd()  # noqa: PTH109  # pathlib costs more than the call
    except FileNotFoundError:  # it was removed
        folder = ""
    return list(sys.path), list(sys.argv), dict(os.environ), folder, [resource.getrlimit(limit) for limit in _LIMITS]
