"""List a bucket as folders: one request per thousand keys of each, with the next folders prefetched.

A walk that ``idles`` yields an empty listing while the next one has not arrived yet, so that its reader can do other work.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event

import msgspec

from pixmill.core.errors import ReadError
from pixmill.storage.entry import Listing

IDLE_AFTER = 0.05  # seconds without a listing
PREFETCH = 8  # folders of one level requested in advance: a request takes as long as handling the names of a thousand images


class FolderListing(msgspec.Struct, frozen=True):
    """One folder, or what has come of it: ``parts`` of its objects, and the paths of its subfolders, sorted.

    ``refused`` are keys that are no paths, and why. ``more`` requests the rest, or more of it; ``None``: there is none.
    """

    parts: Iterable[Listing]
    folders: list[bytes]
    refused: tuple[tuple[bytes, ReadError], ...] = ()
    more: Callable[[Event], "FolderListing"] | None = None


class BucketWalk(msgspec.Struct, frozen=True):
    """A traversal of the folders of a store. ``descend`` and ``on_error`` as in ``Storage``.

    ``list_folder`` requests one; once the event is set, it sends no more requests.
    """

    list_folder: Callable[[bytes, Event], FolderListing]
    descend: Callable[[bytes], bool] | None
    on_error: Callable[[bytes, ReadError], None] | None
    idles: bool = False

    def listings(self, under: bytes) -> Iterator[Listing]:
        """Yield the entries below ``under``, folder by folder."""
        # closed with the generator, without waiting for responses that are no longer needed, or repeating their requests
        pool = ThreadPoolExecutor(PREFETCH, thread_name_prefix="listing")
        is_over = Event()
        try:
            yield from self._walk(under, pool, is_over)
        finally:
            is_over.set()
            pool.shutdown(wait=False, cancel_futures=True)

    def _walk(self, under: bytes, pool: ThreadPoolExecutor, is_over: Event) -> Iterator[Listing]:
        requested: dict[bytes, Future[FolderListing]] = {}
        levels = [[under]]
        while levels:
            if not levels[-1]:
                levels.pop()
                continue
            for path in levels[-1][: -PREFETCH - 1 : -1]:
                if path not in requested:
                    requested[path] = pool.submit(self.list_folder, path, is_over)
            path = levels[-1].pop()
            known: set[bytes] = set()
            entered: list[bytes] = []
            for listing in self._listings_of(path, requested.pop(path), pool, is_over):
                if listing is None:
                    yield []
                    continue
                folders = [folder for folder in listing.folders if folder not in known]
                known.update(folders)
                entered += folders if self.descend is None else filter(self.descend, folders)
                for refused, error in listing.refused if self.on_error else ():
                    self.on_error(refused, error)  # type: ignore[misc]  # it is there
                yield from filter(None, listing.parts)
            if entered:
                levels.append(sorted(entered, reverse=True))

    def _listings_of(
        self, path: bytes, requested: "Future[FolderListing] | None", pool: ThreadPoolExecutor, is_over: Event
    ) -> Iterator[FolderListing | None]:
        """Yield what comes of one folder, while the next is on its way, and ``None`` while nothing has come."""
        while requested is not None:
            while self.idles and not wait([requested], IDLE_AFTER).done:
                yield None
            try:
                listing = requested.result()
            except ReadError as error:
                if self.on_error is None:
                    raise
                self.on_error(path, error)
                return
            requested = None if listing.more is None else pool.submit(listing.more, is_over)
            yield listing
