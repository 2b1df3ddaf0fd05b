"""Folders of a bucket from a listing of keys: one request per thousand keys, however many folders these are in.

A folder is listed with everything below it, which is one request if that is little. If it is much, its own objects and subfolders
are listed alone. After a small folder, the next page is not limited to a folder: it answers for all the small folders that follow,
if the store lists keys in the order of their bytes. One that does not (SeaweedFS) is noticed, and asked for one folder at a time.
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from threading import Lock

import msgspec

from pixmill.storage.object_store.key_listing import PAGE_SIZE, KeyListing, KeyPage, ListedKey, objection
from pixmill.storage.object_store.key_order import KeyOrder

MAX_WINDOWS = 4  # pages that are kept
MAX_AGE = 60.0  # seconds for which a page answers for other folders
_BEFORE_SLASH = "."  # appended to the key of a folder, it sorts before the keys in the folder


class _Window(msgspec.Struct, frozen=True):
    """All keys from ``start`` to ``last``, or to the end if that is ``None``, as they were at the time ``at``.

    The first ones may come from the window before it, and be older by up to ``MAX_AGE`` seconds.

    ``is_whole``: it was asked for, whatever the order in which the store lists its keys.
    """

    start: str
    last: str | None
    keys: list[ListedKey]
    at: float
    is_whole: bool

    def covers(self, prefix: str) -> bool:
        """Tell whether all keys that begin with the folder ``prefix`` are here."""
        return self.start <= prefix and (self.last is None or (prefix != "" and self.last >= _after(prefix)))

    def reaches_into(self, prefix: str) -> bool:
        """Tell whether the first keys that begin with the folder ``prefix`` are here, but not the last ones."""
        return self.start <= prefix and self.last is not None and self.last.startswith(prefix)

    def below(self, prefix: str) -> list[ListedKey]:
        """Return the keys that begin with the folder ``prefix``."""
        first = bisect_left(self.keys, prefix, key=_key)
        return self.keys[first : bisect_left(self.keys, _after(prefix), first, key=_key) if prefix else None]


class KeyFolders:
    """Lists folders of ``listing``. What was listed is used again for ``MAX_AGE`` seconds. May be called from several threads."""

    def __init__(self, listing: KeyListing, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Send no request yet."""
        self.listing = listing
        self.order = KeyOrder()  # of the keys of outputs
        self.last_wanted = "", ""  # the folder and name of the last output that was asked for
        self.is_out_of_order = False  # whether outputs in one folder have been asked for in another order
        self.large: set[bytes] = set()  # folders of outputs whose first page is not enough
        self._clock = clock
        self._windows: list[_Window] = []
        self._lock = Lock()
        self._is_small = False
        self._is_ordered = True

    def known(self, prefix: str) -> list[ListedKey] | None:
        """Return the keys below the folder ``prefix``, which has some, if one request or none tells them all; else ``None``."""
        with self._lock:
            found = self._find(prefix)
            if found is None and self._is_small and prefix:
                begun = next((window for window in self._windows if window.reaches_into(prefix)), None)
                start_after = begun.last if begun and begun.last else prefix[:-1] + _BEFORE_SLASH
                page = next(self.listing.pages("", start_after=start_after), KeyPage([], [], is_last=True))
                self._add(prefix, page, begun.below(prefix) if begun else ())
                found = self._find(prefix)
                self._is_ordered = self._is_ordered and found != []
                self._is_small = self._is_small and found is not None and self._is_ordered
            return found or None

    def add(self, prefix: str, page: KeyPage) -> None:
        """Add the first ``page`` of everything below the folder ``prefix``."""
        with self._lock:
            if page.is_last:
                self._put(
                    _Window(prefix, _after(prefix) if prefix else None, sorted(page.keys, key=_key), self._clock(), is_whole=True)
                )
            else:
                self._add(prefix, page)

    @property
    def is_ordered(self) -> bool:
        """Tell whether all pages so far had their keys in the order of their bytes."""
        return self._is_ordered

    def note_size(self, number: int) -> None:
        """Note the number of keys below a folder, which the next ones are expected to have, too."""
        self._is_small = self._is_ordered and number < PAGE_SIZE

    def _add(self, prefix: str, page: KeyPage, before: Sequence[ListedKey] = ()) -> None:
        """Add a ``page`` of keys from the folder ``prefix`` on, which follows those ``before`` it in that folder."""
        keys = [*before, *page.keys]
        self._is_ordered = self._is_ordered and all(a.key < b.key for a, b in pairwise(keys))
        last = None if page.is_last else keys[-1].key if keys else prefix
        self._put(_Window(prefix, last, keys, self._clock(), is_whole=False))

    def _put(self, window: _Window) -> None:
        self._windows = [window, *self._windows][:MAX_WINDOWS]

    def _find(self, prefix: str) -> list[ListedKey] | None:
        oldest = self._clock() - MAX_AGE
        self._windows = [window for window in self._windows if window.at >= oldest and (window.is_whole or self._is_ordered)]
        return next((window.below(prefix) for window in self._windows if window.covers(prefix)), None)


class KeyFolder:
    """The folder ``key`` (empty: the root) as listed so far: its ``objects``, the keys of its ``folders``, and ``refused`` keys.

    A reader may remove them after each page. After an error, some may come again (``has_restarted``).
    """

    def __init__(self, source: KeyFolders, key: str) -> None:
        """Send no request yet."""
        self.objects: dict[str, ListedKey] = {}  # a store with an order of its own may repeat some after an error
        self.folders: dict[str, None] = {}
        self.refused: dict[str, ListedKey] = {}
        self.has_restarted = False
        self._source = source
        self._prefix = f"{key}/" if key else ""
        self._pages: Iterator[KeyPage] | None = None
        self._last = ""
        self._has_begun = self._has_delimiter = self._is_listed = False
        self._odd: list[tuple[str, str]] = []  # subfolders to be listed for the sake of their keys, and how far they were
        self._known_odd: set[str] = set()

    def next_page(self) -> bool:
        """Send at most one request, and return whether the listing is complete; after an error, the next call repeats it."""
        if not self._has_begun:
            known = self._source.known(self._prefix)
            self._has_begun = True
            self._add(known or [])
            if known is not None:
                self._source.note_size(len(known))
            return known is not None
        if self._odd:
            return self._next_odd_page()
        try:
            page = next(self._remaining(), KeyPage([], [], is_last=True))
        except Exception:
            self._pages, self.has_restarted = None, True
            raise
        is_first = not self._last
        self._last = max((each.key for each in page.keys[-1:]), default=self._last)
        self._last = max([self._last, *(folder[:-1] + "/\U0010ffff" for folder in page.folders[-1:])])
        if self._has_delimiter:
            self._add(page.keys)
            self._odd = [(folder, "") for folder in page.folders if self._is_odd(folder) and self._is_new(folder)]
            self.folders.update((folder[:-1], None) for folder in page.folders if not self._is_odd(folder))
            self._is_listed = page.is_last
            return self._is_listed and not self._odd
        self._add(page.keys)
        if is_first and self.folders:
            self._source.add(self._prefix, page)
        if page.is_last:
            if is_first:
                self._source.note_size(len(page.keys))
            return True
        if self.folders or "/" in self._last[len(self._prefix) :]:  # list only what is in the folder itself, from its beginning
            self.objects, self.folders, self.refused = {}, {}, {}
            self._last = ""
        self._pages, self._has_delimiter = None, True  # or later subfolders would be listed with all that is in them
        return False

    def first_after(self, name: str) -> str | None:
        """Request the first name in the folder after ``name``, or the first path in a subfolder; ``None`` if there is none."""
        start = len(self._prefix)
        page = next(
            self._source.listing.pages(self._prefix, start_after=self._prefix + name, size=1), KeyPage([], [], is_last=True)
        )
        return page.keys[0].key[start:] if page.keys else None

    def _next_odd_page(self) -> bool:
        """Request a page of the keys in a subfolder whose name is no path: all of them are refused."""
        prefix, after = self._odd[-1]
        page = next(self._source.listing.pages(prefix, start_after=after), KeyPage([], [], is_last=True))
        self._add(page.keys)
        self._odd[-1:] = [] if page.is_last else [(prefix, page.keys[-1].key)]
        return self._is_listed and not self._odd

    def _remaining(self) -> Iterator[KeyPage]:
        if self._pages is None:
            self._pages = self._source.listing.pages(self._prefix, start_after=self._last, has_delimiter=self._has_delimiter)
        return self._pages

    def _is_new(self, folder: str) -> bool:
        is_new = folder not in self._known_odd
        self._known_odd.add(folder)
        return is_new

    def _is_odd(self, folder: str) -> bool:
        return bool(objection(folder[len(self._prefix) : -1]))

    def _add(self, keys: list[ListedKey]) -> None:
        """Sort ``keys`` below the folder into its objects, its subfolders and those that are no paths."""
        start = len(self._prefix)
        for each in keys:
            first, slash, _ = each.key[start:].partition("/")
            if not first or objection(first):
                self._refuse(each)
            elif slash:
                self.folders[self._prefix + first] = None
            else:
                self.objects[each.key] = each

    def _refuse(self, each: ListedKey) -> None:
        if each.size or not each.key.endswith("/"):  # an empty one stands for a folder
            self.refused[each.key] = each


def _key(each: ListedKey) -> str:
    return each.key


def _after(prefix: str) -> str:
    """Return the first text that sorts after all keys in the folder ``prefix``, which ends in a slash."""
    return prefix[:-1] + "0"
