"""Check whether recorded outputs still exist; in a store by listing folders, one request per thousand outputs."""

import os
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import msgspec

from pixmill.batch.item import unpack
from pixmill.engine.ledger import Record
from pixmill.engine.scheduling.admission import StillValid
from pixmill.engine.task import Task
from pixmill.storage.address import Address
from pixmill.storage.open import open_storage
from pixmill.storage.storage import Storage

CACHED_FOLDERS = 4  # cached listings: inputs come folder by folder, and so do their outputs
MAX_AGE = 60.0  # seconds; a watch runs for days


class _CachedListing(msgspec.Struct, frozen=True):
    sizes: dict[bytes, int]
    at: float


class StoredOutputsExist:
    """Tells whether the outputs of a finished task still exist in ``storage`` with their recorded size.

    Memory: the names in the last ``CACHED_FOLDERS`` folders.
    """

    def __init__(self, storage: Storage, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with an empty cache."""
        self._storage = storage
        self._clock = clock
        self._listings: OrderedDict[bytes, _CachedListing] = OrderedDict()

    def __call__(self, task: Task, record: Record) -> bool:  # noqa: ARG002  # the engine's signature
        """Return whether every output of ``record`` exists with its recorded size."""
        return all(
            self._sizes(output.name.rpartition(b"/")[0]).get(output.name) == output.size for output in unpack(record.result).outputs
        )

    def _sizes(self, folder: bytes) -> dict[bytes, int]:
        now = self._clock()
        cached = self._listings.get(folder)
        if cached is None or now - cached.at > MAX_AGE:
            listings = self._storage.list(folder, descend=lambda _: False)
            entries = next((listing for listing in listings if listing[0].path.rpartition(b"/")[0] == folder), [])
            cached = _CachedListing({entry.path: entry.size for entry in entries}, now)
            self._listings[folder] = cached
            if len(self._listings) > CACHED_FOLDERS:
                self._listings.popitem(last=False)
        self._listings.move_to_end(folder)
        return cached.sizes


def outputs_exist(destination: Address) -> StillValid:
    """Return a function that tells whether the outputs of a finished task still exist: the ledger alone is not proof."""
    if destination.local:
        return LocalOutputsExist(destination.local)
    from pixmill.batch.state.outputs import StoredOutputsExist  # noqa: PLC0415  # most outputs are folders

    return StoredOutputsExist(open_storage(destination))


class LocalOutputsExist:
    """Tells whether the files of a finished task still exist with their recorded size; the hot path of a re-run."""

    def __init__(self, destination: Path) -> None:
        """Check files below ``destination``."""
        self._root = os.fsencode(destination) + b"/"

    def __call__(self, task: Task, record: Record) -> bool:  # noqa: ARG002  # the engine's signature
        """Return whether every output of ``record`` exists with its recorded size."""
        for output in unpack(record.result).outputs:
            try:
                if os.stat(self._root + output.name).st_size != output.size:  # noqa: PTH116  # bytes, and the hot path of a re-run
                    return False
            except OSError:
                return False
        return True
