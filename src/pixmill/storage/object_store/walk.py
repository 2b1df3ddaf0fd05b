"""List a bucket as folders: one request per thousand keys of each, with the next folders prefetched."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec

from pixmill.core.errors import ReadError, RunError
from pixmill.storage.entry import Listing

PREFETCH = 8  # folders of one level requested in advance: a request takes as long as handling the names of a thousand images

_CHECK_CONNECTION = (
    "check the address and the connection to the store, then run the same command again: it continues where it stopped"
)


class FolderListing(msgspec.Struct, frozen=True):
    """One folder: its objects, and the paths of its subfolders, both sorted."""

    entries: Listing
    folders: list[bytes]


class BucketWalk(msgspec.Struct, frozen=True):
    """A traversal of the folders of a store. ``list_folder`` requests one; ``descend`` and ``on_error`` as in ``Storage``."""

    list_folder: Callable[[bytes], FolderListing]
    descend: Callable[[bytes], bool] | None
    on_error: Callable[[bytes, ReadError], None] | None

    def listings(self, under: bytes) -> Iterator[Listing]:
        """Yield the entries below ``under``, folder by folder."""
        # closed with the generator, without waiting for responses that are no longer needed
        pool = ThreadPoolExecutor(PREFETCH, thread_name_prefix="listing")
        try:
            yield from self._walk(under, pool)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _walk(self, under: bytes, pool: ThreadPoolExecutor) -> Iterator[Listing]:
        requested: dict[bytes, Future[FolderListing]] = {}
        levels = [[under]]
        while levels:
            if not levels[-1]:
                levels.pop()
                continue
            for path in levels[-1][: -PREFETCH - 1 : -1]:
                if path not in requested:
                    requested[path] = pool.submit(self.list_folder, path)
            path = levels[-1].pop()
            listing = self._result(path, requested.pop(path))
            folders = listing.folders if self.descend is None else [folder for folder in listing.folders if self.descend(folder)]
            if listing.entries:
                yield listing.entries
            if folders:
                levels.append(folders[::-1])

    def _result(self, path: bytes, requested: "Future[FolderListing]") -> FolderListing:
        try:
            return requested.result()
        except ReadError as error:
            if error.retryable:  # a listing with a gap would look complete
                raise RunError(error.message, code="not-readable", hint=_CHECK_CONNECTION) from None
            if self.on_error is None:
                raise
            self.on_error(path, error)
            return FolderListing([], [])
