"""Whether outputs in a store are still there: by listing their folders, a request for a thousand instead of one for each."""

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

CACHED_FOLDERS = 4  # folders whose listing is kept: inputs come folder by folder, and so do their outputs
MAX_AGE = 60.0  # seconds: a watched folder goes on for days


class _CachedListing(msgspec.Struct, frozen=True):
    sizes: dict[bytes, int]
    at: float


class StoredOutputsExist:
    """Tells by their size whether the outputs of a finished task are still in the ``storage`` that they were written to.

    Memory: the names in the few folders that were last asked about.
    """

    def __init__(self, storage: Storage, *, clock: Callable[[], float] = time.monotonic) -> None:
        """List nothing yet."""
        self._storage = storage
        self._clock = clock
        self._listed: OrderedDict[bytes, _CachedListing] = OrderedDict()

    def __call__(self, task: Task, record: Record) -> bool:  # noqa: ARG002  # the engine's signature
        """Return whether every output of ``record`` has the size it was written with."""
        return all(
            self._sizes(output.name.rpartition(b"/")[0]).get(output.name) == output.size for output in unpack(record.result).outputs
        )

    def _sizes(self, folder: bytes) -> dict[bytes, int]:
        now = self._clock()
        known = self._listed.get(folder)
        if known is None or now - known.at > MAX_AGE:
            listings = self._storage.list(folder, descend=lambda _: False)
            entries = next((listing for listing in listings if listing[0].path.rpartition(b"/")[0] == folder), [])
            known = _CachedListing({entry.path: entry.size for entry in entries}, now)
            self._listed[folder] = known
            if len(self._listed) > CACHED_FOLDERS:
                self._listed.popitem(last=False)
        self._listed.move_to_end(folder)
        return known.sizes


def outputs_exist(destination: Address) -> StillValid:
    """Return what tells whether the outputs of a finished task are still there: the ledger alone is not believed."""
    if destination.local:
        return LocalOutputsExist(destination.local)
    from pixmill.batch.state.outputs import StoredOutputsExist  # noqa: PLC0415  # most outputs are folders

    return StoredOutputsExist(open_storage(destination))


class LocalOutputsExist:
    """Tells by their size whether the files of a finished task are still there: the hot path of a re-run."""

    def __init__(self, destination: Path) -> None:
        """Look below ``destination``."""
        self._root = os.fsencode(destination) + b"/"

    def __call__(self, task: Task, record: Record) -> bool:  # noqa: ARG002  # the engine's signature
        """Return whether every output of ``record`` has the size it was written with."""
        for output in unpack(record.result).outputs:
            try:
                if os.stat(self._root + output.name).st_size != output.size:  # noqa: PTH116  # bytes, and the hot path of a re-run
                    return False
            except OSError:
                return False
        return True
