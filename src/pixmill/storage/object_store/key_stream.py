"""All folders of a bucket from one listing of its keys: one request for each thousand, whatever folders they are in.

All keys below a folder follow each other, so a folder is complete when the listing has left it. Until then its entries are held, or
divided if they are many (``folder_parts``). A folder that is not entered is skipped, which takes a request if it goes on beyond the
page. A store that keeps to no order is listed folder by folder instead.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from threading import Event
from typing import Protocol, TypeVar

import msgspec

from pixmill.core.errors import ReadError, RunError
from pixmill.storage.entry import Entry, Listing
from pixmill.storage.object_store import errors
from pixmill.storage.object_store.folder_parts import WINDOW, FolderParts, PartsPolicy
from pixmill.storage.object_store.key_listing import KeyListing, KeyPage, ListedKey, objection
from pixmill.storage.object_store.key_order import KeyOrder, before
from pixmill.storage.object_store.keys import path_of
from pixmill.storage.object_store.walk import IDLE_AFTER
from pixmill.storage.parts import PART

_HIGHEST = "\U0010ffff"
_NO_BYTES = "the store does not list keys in the order of their bytes, so that they cannot be divided at keys"
_BY_HASH = "leave out --shard-at: the hashes of names divide them"
Descend = Callable[[bytes], bool]
Refuse = Callable[[bytes, ReadError], None]
T = TypeVar("T")


class Retried(Protocol):
    """Sends a request for the folder ``path``, and repeats it; once the event is set, it sends no more."""

    def __call__(self, path: bytes, request: Callable[[], T], is_over: Event) -> T:
        """Return what the request returns."""


class _Cursor:
    """The pages of ``listing`` after the key ``after``. After an error, the next call requests the same page again."""

    def __init__(self, listing: KeyListing, after: str = "") -> None:
        self._listing = listing
        self._after = after
        self._pages: Iterator[KeyPage] | None = None

    def page(self) -> KeyPage:
        try:
            if self._pages is None:
                self._pages = self._listing.pages("", start_after=self._after)
            page = next(self._pages, KeyPage([], [], is_last=True))
        except Exception:
            self._pages = None
            raise
        if page.keys:
            self._after = page.keys[-1].key
        return page


class _OpenFolder:
    """A folder whose last key has not been listed yet, with the ``entries`` that are not in ``parts``, in order, by key."""

    __slots__ = ("entries", "is_entered", "parts", "path", "prefix")

    def __init__(self, prefix: str, *, is_entered: bool) -> None:
        self.prefix = prefix
        self.path = path_of(prefix[:-1])
        self.is_entered = is_entered
        self.entries: list[tuple[str, Entry]] = []
        self.parts: FolderParts | None = None

    def divide(self, policy: PartsPolicy) -> FolderParts:
        """Return the entries, which are many, in parts."""
        if self.parts is None:
            self.parts = FolderParts(self.prefix, policy, is_ordered=True)
        self.parts.add(self.entries, may_repeat=False)
        self.entries = []
        return self.parts

    def rest(self, policy: PartsPolicy) -> Iterator[Listing]:
        """Yield what is left once the folder has been listed to its end."""
        if self.parts is not None or len(self.entries) > PART:
            yield from self.divide(policy).rest()
        elif self.entries:
            yield sorted((entry for _, entry in self.entries), key=_path)


class StreamPolicy(msgspec.Struct, frozen=True):
    """How the keys of a bucket are listed: ``parts`` divides large folders. ``descend`` and ``on_error`` as in ``Storage``.

    ``idles``: while no page has arrived, an empty listing is yielded. ``retried`` repeats requests.
    """

    parts: PartsPolicy
    descend: Descend | None
    on_error: Refuse | None
    idles: bool
    retried: Retried


#: lists folder by folder; it is given the functions to call and, if that is all, the first page
ByFolders = Callable[[Descend, Refuse | None, KeyPage | None], Iterator[Listing]]


class KeyStream:
    """One listing of all keys of ``listing``, as entries by folder.

    ``by_folders`` lists a bucket that has only one page, or whose keys are in no order.
    """

    def __init__(
        self, listing: KeyListing, policy: StreamPolicy, by_folders: ByFolders, *, key_range: tuple[str, str] = ("", "")
    ) -> None:
        """Send no request yet. Of a ``key_range`` only keys from the first on and before the second, if they are not empty."""
        self._first, self._end = key_range
        self._is_checked = False  # whether the order is that of bytes, on which ranges depend
        self._listing = listing
        self._policy = policy
        self._by_folders = by_folders
        self._later = msgspec.structs.replace(policy.parts, is_urgent=False)
        self._order = KeyOrder()
        self._stack = [_OpenFolder("", is_entered=True)]
        self._has_yielded = False
        self._entered: dict[bytes, bool] = {}  # until something has been yielded
        self._refused: set[bytes] = set()  # the same

    def listings(self) -> Iterator[Listing]:
        """Yield the entries folder by folder, each after those of its subfolders or, if they are many, in parts between them."""
        pool = ThreadPoolExecutor(2, thread_name_prefix="listing")
        is_over = Event()
        try:
            yield from self._stream(pool, is_over)
        finally:
            is_over.set()
            pool.shutdown(wait=False, cancel_futures=True)

    def _stream(self, pool: ThreadPoolExecutor, is_over: Event) -> Iterator[Listing]:
        is_whole = not self._first and not self._end
        start = before(self._first) if self._first else ""
        cursor, last, is_first, is_last = _Cursor(self._listing, start), start, True, False
        requested: Future[KeyPage] | None = None
        while not is_last:
            requested = requested or self._request(pool, cursor, is_over)
            yield from self._idling(requested)
            page, requested = self._result(requested), None
            if page is None:
                return
            is_last = page.is_last
            if not is_whole:
                self._check_order(page, is_over)
                self._order.may_be_folders = False
                page, is_last = self._in_range(page), is_last or bool(self._end and page.keys and page.keys[-1].key >= self._end)
            if (is_first and is_last and is_whole) or not self._order.note(page.keys, last):
                yield from self._folder_by_folder(page if is_first and is_last else None)
                return
            last, is_first = page.keys[-1].key if page.keys else last, False
            if not is_last and self._stack[-1].is_entered:  # while this page is processed
                requested = self._request(pool, cursor, is_over)
            yield from self._noted(self._take(page))
            if not self._stack[-1].is_entered:
                cursor, last, requested = _Cursor(self._listing, self._stack[-1].prefix + _HIGHEST), "", None
            if not is_last:
                yield from self._ready(pool, is_over)
        while self._stack:
            yield from self._noted(self._stack.pop().rest(self._later))

    def _result(self, requested: "Future[KeyPage]") -> KeyPage | None:
        try:
            return requested.result()
        except ReadError as error:
            self._report(error)
            return None

    def _request(self, pool: ThreadPoolExecutor, cursor: _Cursor, is_over: Event) -> Future[KeyPage]:
        return pool.submit(self._policy.retried, b"", cursor.page, is_over)

    def _idling(self, future: "Future[T]") -> Iterator[Listing]:
        while self._policy.idles and not wait([future], IDLE_AFTER).done:
            yield []

    def _noted(self, listings: Iterable[Listing]) -> Iterator[Listing]:
        for listing in listings:
            if listing and not self._has_yielded:
                self._has_yielded = True
                self._entered, self._refused = {}, set()
            yield listing

    def _take(self, page: KeyPage) -> Iterator[Listing]:
        """Take the keys of ``page``, and yield the folders that end in it."""
        stack = self._stack
        for each in page.keys:
            key = each.key
            while not key.startswith(stack[-1].prefix):
                yield from stack.pop().rest(self._later)
            folder, rest = stack[-1], key[len(stack[-1].prefix) :]
            while folder.is_entered:
                name, slash, rest = rest.partition("/")
                if not name or objection(name):
                    self._refuse(each)
                    break
                if not slash:
                    folder.entries.append((key, Entry(path_of(key), each.size, each.etag.encode())))
                    break
                folder = _OpenFolder(f"{folder.prefix}{name}/", is_entered=True)
                folder.is_entered = self._descend(folder.path)
                stack.append(folder)

    def _ready(self, pool: ThreadPoolExecutor, is_over: Event) -> Iterator[Listing]:
        """Yield what is ready of the open folders that are large, or of any while nothing has been yielded and that is urgent."""
        for folder in reversed(self._stack):
            is_urgent = self._policy.parts.is_urgent and not self._has_yielded
            if folder.entries and (folder.parts is not None or is_urgent or len(folder.entries) >= WINDOW):
                parts = folder.divide(self._policy.parts if is_urgent else self._later)
                found = pool.submit(parts.ready, partial(self._first_after, folder, is_over))
                yield from self._idling(found)
                yield from self._noted(found.result())

    def _first_after(self, folder: _OpenFolder, is_over: Event, name: str) -> str | None:
        """Request the first name in ``folder`` after ``name``, or the first path in a subfolder; ``None`` if there is none."""

        def request() -> str | None:
            pages = self._listing.pages(folder.prefix, start_after=folder.prefix + name, size=1)
            page = next(pages, KeyPage([], [], is_last=True))
            return page.keys[0].key[len(folder.prefix) :] if page.keys else None

        return self._policy.retried(folder.path, request, is_over)

    def _descend(self, path: bytes) -> bool:
        if path in self._entered:
            return self._entered[path]
        is_entered = self._policy.descend is None or self._policy.descend(path)
        if not self._has_yielded:
            self._entered[path] = is_entered
        return is_entered

    def _refuse(self, each: ListedKey) -> None:
        if self._policy.on_error is None or (not each.size and each.key.endswith("/")):  # an empty one stands for a folder
            return
        path = each.key.encode()
        if not self._has_yielded:
            self._refused.add(path)
        self._policy.on_error(path, errors.odd_key(each.key, objection(each.key)))

    def _folder_by_folder(self, page: KeyPage | None) -> Iterator[Listing]:
        """List a bucket that has one ``page``, or keeps to no order, unless folders have been yielded, which could come twice."""
        on_error, refused = self._policy.on_error, self._refused
        if self._has_yielded or self._first or self._end:
            self._report(ReadError("the bucket could not be listed to its end: the store does not keep to one order of keys"))
            return

        def on_new_error(path: bytes, error: ReadError) -> None:
            if path not in refused and on_error is not None:
                on_error(path, error)

        yield from self._by_folders(self._descend, on_new_error if on_error else None, page)

    def _in_range(self, page: KeyPage) -> KeyPage:
        keys = [each for each in page.keys if not self._end or each.key < self._end]
        return KeyPage(keys, [], page.is_last)

    def _check_order(self, page: KeyPage, is_over: Event) -> None:
        """Raise ``RunError`` if the store does not list keys in the order of their bytes, as the first key in a folder tells.

        It comes after every name that continues that of the folder with a dot; by folders, it comes before them.
        """
        key = next((each.key for each in page.keys if "/" in each.key), "")
        if self._is_checked or not key:
            return
        folder = key.rpartition("/")[0]

        def request() -> KeyPage:
            return next(self._listing.pages("", start_after=f"{folder}.{_HIGHEST}", size=1), KeyPage([], [], is_last=True))

        found = self._policy.retried(b"", request, is_over).keys
        if not found or not found[0].key.startswith(f"{folder}/"):
            raise RunError(_NO_BYTES, code="not-readable", hint=_BY_HASH)
        self._is_checked = True

    def _report(self, error: ReadError) -> None:
        if self._policy.on_error is None:
            raise error
        self._policy.on_error(b"", error)


def _path(entry: Entry) -> bytes:
    return entry.path
