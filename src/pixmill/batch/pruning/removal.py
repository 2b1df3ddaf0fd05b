"""Remove what a search has found: files first, then records, so that what a kill leaves is found and removed by the next prune."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice

import msgspec

from pixmill.batch.inspect.verify import MAX_CONCURRENT, in_order
from pixmill.batch.item import pack, unpack
from pixmill.batch.naming.reserved import name_key
from pixmill.batch.pruning.search import MISSING, Removal
from pixmill.engine.ledger import Ledger
from pixmill.engine.task import State
from pixmill.storage.address import Address
from pixmill.storage.retry.storage import open_with_retries

_IMAGES_PER_COMMIT = 200
_Image = tuple[bytes, list[Removal]]


class Remover:
    """Removes outputs from ``destination`` and their records from ``ledgers``, which are locked.

    ``check`` raises when the lock is lost. ``folds``: the destination ignores the case of folders. With ``destination`` ``None``
    only records are removed. ``keeps_folders``: folders stay when they are empty, since workers may be writing to them.
    """

    def __init__(
        self,
        ledgers: Sequence[Ledger],
        destination: Address | None,
        *,
        folds: bool,
        keeps_folders: bool = False,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Open the destination."""
        self._ledgers = ledgers
        self._folds = folds
        self._keeps_folders = keeps_folders
        self._check = check
        self._storage = open_with_retries(destination) if destination else None
        self._root = os.path.abspath(destination.location) if destination and destination.local else None  # noqa: PTH100  # bytes

    def remove(self, images: Iterable[_Image]) -> None:
        """Remove the outputs, then the records and the claims to names, some images at a time; then folders that are left empty."""
        stream = iter(images)
        while batch := list(islice(stream, _IMAGES_PER_COMMIT)):
            self._check()
            names = [removal for _, removals in batch for removal in removals if removal.name and not removal.difference]
            concurrency = 1 if self._root is not None else MAX_CONCURRENT
            for _ in in_order(self._delete, names if self._storage else (), concurrency=concurrency):
                pass
            self._remove_folders({removal.name.rpartition(b"/")[0] for removal in names})
            for number, ledger in enumerate(self._ledgers):
                self._forget(ledger, [image for image in batch if number in image[1][0].ledgers])

    def _delete(self, removal: Removal) -> None:
        """Remove a file, unless it has changed since it was compared."""
        assert self._storage is not None  # noqa: S101  # there are no files to remove otherwise
        entry = self._storage.stat(removal.name)
        if entry is not None and (entry.size, entry.version) == (removal.size, removal.version):
            self._storage.delete(removal.name)

    def _remove_folders(self, folders: set[bytes]) -> None:
        """Remove the local ``folders`` and their parents, those that are empty now; a link to a folder is none."""
        if self._root is None or self._keeps_folders:
            return
        for folder in sorted(folders, reverse=True):
            inner = folder
            with suppress(OSError):
                while inner:
                    os.rmdir(os.path.join(self._root, inner))  # noqa: PTH106, PTH118  # bytes
                    inner = inner.rpartition(b"/")[0]

    def _forget(self, ledger: Ledger, images: Sequence[_Image]) -> None:
        """Remove the records of images that are gone, and from those of others the outputs that are."""
        gone = [key for key, removals in images if any(not removal.name for removal in removals)]
        lost = {key: {each.name for each in removals if each.difference in ("", MISSING)} for key, removals in images}
        records = ledger.get([key for key in lost if key not in set(gone)])
        rewritten = []
        for record in records:
            if record is not None and record.state is State.DONE:
                result = unpack(record.result)
                former = tuple(output for output in result.former if output.name not in lost[record.key])
                rewritten.append(msgspec.structs.replace(record, result=pack(msgspec.structs.replace(result, former=former))))
        if rewritten:
            ledger.import_records(rewritten)
        if gone:
            ledger.delete(gone)
        ledger.disown(self._owned(ledger, images))

    def _owned(self, ledger: Ledger, images: Sequence[_Image]) -> Iterator[bytes]:
        """Yield the names that the images have lost, and no other image owns."""
        for key, removals in images:
            is_gone = any(not removal.name for removal in removals)
            for name in {each.name for each in removals if each.name and (is_gone or each.difference in ("", MISSING))}:
                noted = name_key(name, folds=self._folds)
                if any(owner == key for _, owner in ledger.owners(noted, noted + b"\0")):
                    yield noted
