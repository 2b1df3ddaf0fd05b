"""List one folder of a bucket, page by page: an interrupted listing resumes after the last key received.

obstore can list a single level of a folder only from beginning to end. It can start anywhere only when it lists all keys below
the folder, so those are read, and the keys of large subfolders are skipped.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from pixmill.storage.object_store.client import Bucket
from pixmill.storage.object_store.key_listing import PAGE_SIZE, ListedKey

_AFTER_FOLDER = "/\U0010ffff"  # appended to the key of a folder, it sorts after all keys in the folder


class PrefixListing:
    """The folder ``key`` (empty: the root) as listed so far: ``objects`` by their keys, and the keys of the ``folders`` in it.

    Keys are expected in the order of their bytes; "after the last key" refers to this order. If a store uses another order, an
    interrupted listing starts over; that duplicates nothing. After ``begin_stream``, a reader may remove objects and folders after
    each page; after an error, some may come again (``has_restarted``).
    """

    def __init__(self, bucket: Bucket, key: str, *, page_size: int = PAGE_SIZE) -> None:
        """Send no request yet."""
        self.objects: dict[str, Any] = {}
        self.folders: set[str] = set()
        self.refused: dict[str, ListedKey] = {}  # none: obstore lists no key that is not a path
        self.has_restarted = False
        self._is_streamed = False
        self._bucket = bucket
        self._key = key
        self._page_size = page_size
        self._pages: Iterator[Sequence[Any]] | None = None
        self._last = ""
        self._is_sorted = True
        self._may_list_with_delimiter = True

    def next_page(self) -> bool:
        """Request one more page, and return whether the listing is complete.

        If obstore raises an error, only this page is lost, and the next call requests it again.
        """
        if self.folders and self._may_list_with_delimiter:
            self._may_list_with_delimiter = False
            return self.list_with_delimiter()
        try:
            page = next(self._remaining_pages(), ())
            markers = self._markers(page) if self._is_streamed else set()
        except Exception:
            self._pages, self.has_restarted = None, True
            raise
        self._add(page, markers)
        if len(page) < self._page_size:
            self._pages = None
            return self._is_streamed or not self._has_empty_object() or self.list_with_delimiter()
        self._skip_prefix(page)
        return False

    def begin_stream(self) -> None:
        """List the rest page by page, however many subfolders come, and take no marker of an empty folder for an object."""
        for key in self._markers(list(self.objects.values())):
            del self.objects[key]
        self._is_streamed, self._may_list_with_delimiter = True, False

    def first_after(self, name: str) -> str | None:
        """Request the first name in the folder after ``name``, or the first path in a subfolder; ``None`` if there is none."""
        prefix = f"{self._key}/" if self._key else ""
        listing: Iterable[Sequence[Any]] = self._bucket.library.list(
            self._bucket.store, self._key or None, offset=prefix + name, chunk_size=1
        )
        return next((str(page[0]["path"])[len(prefix) :] for page in listing if page), None)

    def list_with_delimiter(self) -> bool:
        """List all folders and objects at this level at once: one request per thousand of them, however full the folders are."""
        level = self._bucket.library.list_with_delimiter(self._bucket.store, self._key or None)
        self.folders = set(level["common_prefixes"])
        self.objects = {each["path"]: each for each in level["objects"] if each["path"] != self._key}
        return True

    def _remaining_pages(self) -> Iterator[Sequence[Any]]:
        if self._pages is None:
            start_after = self._last if self._is_sorted else ""
            listing: Iterable[Sequence[Any]] = self._bucket.library.list(
                self._bucket.store, self._key or None, offset=start_after or None, chunk_size=self._page_size
            )
            self._pages = iter(listing)
        return self._pages

    def _markers(self, page: Sequence[Any]) -> set[str]:
        """Return those keys of ``page``, in the folder itself, that are no objects: obstore removed a slash at their end."""
        markers = set()
        for key in (each["path"] for each in page if not each["size"] and not self._folder_of(each["path"])):
            try:
                self._bucket.library.head(self._bucket.store, key)
            except FileNotFoundError:
                markers.add(key)
        return markers

    def _add(self, page: Sequence[Any], markers: AbstractSet[str]) -> None:
        for each in page:
            key = each["path"]
            self._is_sorted = self._is_sorted and key > self._last
            self._last = key
            folder = self._folder_of(key)
            if folder:
                self.folders.add(folder)
            elif key in markers:
                self.folders.add(key)
            elif key != self._key:  # a key that ends in "/" stands for the folder itself, which is not an object in it
                self.objects[key] = each

    def _has_empty_object(self) -> bool:
        """Tell whether there is an empty object: judging by its key alone, it may stand for an empty folder."""
        return not all(each["size"] for each in self.objects.values())

    def _skip_prefix(self, page: Sequence[Any]) -> None:
        """If all keys of ``page`` are in one subfolder, continue after that subfolder."""
        folder = self._folder_of(page[-1]["path"])
        if folder and self._is_sorted and self._folder_of(page[0]["path"]) == folder:
            self._last, self._pages = folder + _AFTER_FOLDER, None

    def _folder_of(self, key: str) -> str:
        """Return the direct subfolder that contains ``key``; empty if there is none."""
        start = len(self._key) + 1 if self._key else 0
        end = key.find("/", start)
        return key[:end] if end > 0 else ""
