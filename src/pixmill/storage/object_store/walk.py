"""List a bucket as folders: each with one request a thousand keys, and those that come next asked for ahead."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec

from pixmill.core.errors import ReadError, RunError
from pixmill.storage.entry import Listing

PREFETCH = 8  # folders of one level that are asked for before it is their turn: a request takes as long as a thousand images' names

AGAIN = "check the address and the way to the store, and run the same command again: it goes on where it stopped"


class FolderListing(msgspec.Struct, frozen=True):
    """One folder: its objects, and the paths of the folders in it, both sorted."""

    entries: Listing
    folders: list[bytes]


class BucketWalk(msgspec.Struct, frozen=True):
    """How to go through the folders of a store. ``page`` asks for one of them; ``descend`` and ``on_error`` as in ``Storage``."""

    page: Callable[[bytes], FolderListing]
    descend: Callable[[bytes], bool] | None
    on_error: Callable[[bytes, ReadError], None] | None

    def listings(self, under: bytes) -> Iterator[Listing]:
        """Yield the entries below ``under``, folder by folder."""
        # closed with the generator, without waiting for answers that nobody wants any more
        pool = ThreadPoolExecutor(PREFETCH, thread_name_prefix="listing")
        try:
            yield from self._walk(under, pool)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _walk(self, under: bytes, pool: ThreadPoolExecutor) -> Iterator[Listing]:
        asked: dict[bytes, Future[FolderListing]] = {}
        levels = [[under]]
        while levels:
            if not levels[-1]:
                levels.pop()
                continue
            for path in levels[-1][: -PREFETCH - 1 : -1]:
                if path not in asked:
                    asked[path] = pool.submit(self.page, path)
            path = levels[-1].pop()
            page = self._answer(path, asked.pop(path))
            folders = page.folders if self.descend is None else [folder for folder in page.folders if self.descend(folder)]
            if page.entries:
                yield page.entries
            if folders:
                levels.append(folders[::-1])

    def _answer(self, path: bytes, asked: "Future[FolderListing]") -> FolderListing:
        try:
            return asked.result()
        except ReadError as error:
            if error.retryable:  # a listing with a hole would pass for all there is
                raise RunError(error.message, code="not-readable", hint=AGAIN) from None
            if self.on_error is None:
                raise
            self.on_error(path, error)
            return FolderListing([], [])
