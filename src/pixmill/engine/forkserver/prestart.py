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


class _Spare(NamedTuple):
    nursery: Spawned
    preload: tuple[str, ...]
    surroundings: tuple[object, ...]


_laid_by: list[_Spare] = []  # of this process, as its children are


def lay_by(preload: Sequence[str]) -> None:
    """Start a nursery that imports ``preload``. When none can be started, whoever needs one will meet the reason."""
    discard()
    with suppress(OSError):
        _laid_by.append(_Spare(spawn(preload), tuple(preload), _surroundings()))


def take(preload: Sequence[str]) -> Spawned | None:
    """Return the spare, which is the caller's now, if it may serve where ``preload`` is wanted; else end it.

    It may when all that it has imported is wanted, and what it inherited is still what a new one would inherit.
    """
    while _laid_by:
        spare = _laid_by.pop()
        if set(spare.preload) <= set(preload) and spare.surroundings == _surroundings():
            return spare.nursery
        _end(spare.nursery)
    return None


def is_laid_by() -> bool:
    """Tell whether there is one."""
    return bool(_laid_by)


def discard() -> None:
    """End the spare, if it is still there."""
    while _laid_by:
        _end(_laid_by.pop().nursery)


def _end(nursery: Spawned) -> None:
    nursery.pipe.close()
    nursery.log.close()
    with suppress(ProcessLookupError):
        os.kill(nursery.pid, signal.SIGKILL)
    reap(nursery.pid)


def _surroundings() -> tuple[object, ...]:
    """Return what a process that is started now gets from this one, as far as something here may change it."""
    try:
        folder = os.getcwd()  # noqa: PTH109  # pathlib costs more than the call
    except FileNotFoundError:  # it was removed
        folder = ""
    return list(sys.path), list(sys.argv), dict(os.environ), folder, [resource.getrlimit(limit) for limit in _LIMITS]
