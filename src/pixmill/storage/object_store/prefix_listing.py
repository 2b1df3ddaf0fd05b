"""One folder of a bucket, page by page: a listing that broke off goes on behind the last key that came.

obstore asks for the level of a folder from its beginning to its end or not at all. What it can begin anywhere is the listing of
all keys below, so a folder is read by these, and those of large folders in it are leapt over.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pixmill.storage.object_store.client import Bucket

#: keys that come at a time: what S3 and Google answer at once; Azure answers up to five times as many
PAGE = 1000
_AFTER_FOLDER = "/\U0010ffff"  # put to the key of a folder, it comes after all that is in it


class PrefixListing:
    """What is known of the folder ``key`` (empty: of all) so far: ``objects`` by their keys, and the keys of the ``folders`` in it.

    Keys come in the order of their bytes, which is what "behind" means. From a store that has another order, a listing that
    broke off comes from its beginning again; nothing is doubled by that.
    """

    def __init__(self, bucket: Bucket, key: str, *, page: int = PAGE) -> None:
        """Know nothing yet, and ask for nothing."""
        self.objects: dict[str, Any] = {}
        self.folders: set[str] = set()
        self._bucket = bucket
        self._key = key
        self._page = page
        self._pages: Iterator[Sequence[Any]] | None = None
        self._last = ""
        self._is_sorted = True
        self._may_ask_by_name = True

    def next_page(self) -> bool:
        """Ask for one more page, and return whether everything is known now.

        Whatever obstore raises costs that page, and the next call asks for it again.
        """
        if self.folders and self._may_ask_by_name:
            self._may_ask_by_name = False
            return self.list_with_delimiter()
        try:
            page = next(self._going_on(), ())
        except Exception:
            self._pages = None
            raise
        self._note(page)
        if len(page) < self._page:
            self._pages = None
            return not self._has_empty_object() or self.list_with_delimiter()
        self._skip_prefix(page)
        return False

    def list_with_delimiter(self) -> bool:
        """Ask for the names of all folders and objects at this level at once: a request for each thousand of them, however full."""
        found = self._bucket.library.list_with_delimiter(self._bucket.store, self._key or None)
        self.folders = set(found["common_prefixes"])
        self.objects = {each["path"]: each for each in found["objects"] if each["path"] != self._key}
        return True

    def _going_on(self) -> Iterator[Sequence[Any]]:
        if self._pages is None:
            behind = self._last if self._is_sorted else ""
            listing: Iterable[Sequence[Any]] = self._bucket.library.list(
                self._bucket.store, self._key or None, offset=behind or None, chunk_size=self._page
            )
            self._pages = iter(listing)
        return self._pages

    def _note(self, page: Sequence[Any]) -> None:
        for each in page:
            key = each["path"]
            self._is_sorted = self._is_sorted and key > self._last
            self._last = key
            folder = self._folder_of(key)
            if folder:
                self.folders.add(folder)
            elif key != self._key:  # a key that ends in "/" stands for the folder itself, which is not in itself
                self.objects[key] = each

    def _has_empty_object(self) -> bool:
        """Tell whether there is one, which by its key alone may as well stand for an empty folder."""
        return not all(each["size"] for each in self.objects.values())

    def _skip_prefix(self, page: Sequence[Any]) -> None:
        """Go on behind a folder that a whole page was about."""
        folder = self._folder_of(page[-1]["path"])
        if folder and self._is_sorted and self._folder_of(page[0]["path"]) == folder:
            self._last, self._pages = folder + _AFTER_FOLDER, None

    def _folder_of(self, key: str) -> str:
        """Return which folder of this one holds ``key``; empty when none does."""
        start = len(self._key) + 1 if self._key else 0
        end = key.find("/", start)
        return key[:end] if end > 0 else ""
