"""A run that writes one file: it has no lock and no state on disk, and only removes what a killed one left of the same file."""

import os
from contextlib import ExitStack, suppress
from hashlib import blake2b

from pixmill.core.errors import RunError
from pixmill.core.events import Event, Observer
from pixmill.core.text import printable
from pixmill.engine.events import WorkerLost
from pixmill.engine.ledger import Ledger
from pixmill.engine.ledgers.memory import MemoryLedger
from pixmill.engine.observability.publisher import IgnoresUnchanged
from pixmill.storage.address import Address
from pixmill.storage.local.temporary import remove_orphans


def tag_of(name: bytes) -> str:
    """Return the tag of the temporary files of the output ``name``; no run with a state has such a tag."""
    return "f" + blake2b(name, digest_size=8).hexdigest()


def open_without_state(folder: Address, tag: str, stack: ExitStack) -> tuple[Ledger, tuple[Observer, ...]]:
    """Create ``folder``, where the file will be, and return a ledger in memory and the observers that clean up."""
    ledger = MemoryLedger()
    stack.callback(ledger.close)
    if folder.local is None:
        return ledger, ()
    try:
        os.makedirs(folder.location, exist_ok=True)  # noqa: PTH103  # bytes
    except OSError as error:
        raise RunError(
            f"the folder {printable(folder.location)} cannot be created: {error.strerror}", code="not-writable"
        ) from None
    remove_orphans(folder.location, tag)
    return ledger, (_SweepAfterCrash(folder.location, tag),)


class _SweepAfterCrash(IgnoresUnchanged):
    """An observer that removes the temporary files of a worker that was killed during a write."""

    def __init__(self, folder: bytes, tag: str) -> None:
        self._folder = folder
        self._tag = tag
        self._has_lost_workers = False

    def on_event(self, event: Event) -> None:
        self._has_lost_workers = self._has_lost_workers or isinstance(event, WorkerLost)

    def close(self) -> None:
        if self._has_lost_workers:
            with suppress(OSError):
                remove_orphans(self._folder, self._tag)
