"""Requests for the folders of a bucket, retried, which become entries."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from threading import Event
from typing import Any, TypeVar

import msgspec

from pixmill.core.errors import ReadError
from pixmill.core.text import printable
from pixmill.storage.entry import Entry
from pixmill.storage.object_store import errors
from pixmill.storage.object_store.client import Bucket
from pixmill.storage.object_store.folder_parts import FolderParts, PartsPolicy
from pixmill.storage.object_store.key_folders import KeyFolder, KeyFolders
from pixmill.storage.object_store.key_listing import KeyPage, ListedKey, objection
from pixmill.storage.object_store.key_order import before
from pixmill.storage.object_store.keys import key_of, path_of
from pixmill.storage.object_store.prefix_listing import PrefixListing
from pixmill.storage.object_store.walk import FolderListing
from pixmill.storage.storage import FolderPart, ListingPolicy

T = TypeVar("T")


class FolderRequests:
    """Lists folders of ``bucket``, by its ``key_folders`` if it has them. Each request is retried by ``policy``.

    With ``parts``, a folder of more than one page is divided.
    """

    def __init__(self, bucket: Bucket, key_folders: KeyFolders | None, policy: ListingPolicy, parts: PartsPolicy | None) -> None:
        """Send no request yet."""
        self._bucket = bucket
        self._key_folders = key_folders
        self._policy = policy
        self._parts = parts

    def list_folder(self, path: bytes, is_over: Event) -> FolderListing:
        """Return the folder ``path``, or the first part of it. Once the event is set, no more requests are sent."""
        key = key_of(path) if path else ""
        if self._key_folders is None:
            return self._prefix_listing(path, key, is_over)
        folder, requests = KeyFolder(self._key_folders, key), 0
        while not self.retried(path, folder.next_page, is_over):
            requests += 1
            if self._parts is not None and requests > 1:  # the first one looks only at what has been listed before
                parts = FolderParts(_prefix(key), self._parts, is_ordered=self._key_folders.is_ordered)
                return self._next_part(path, _Paged(folder, _listed), parts, is_over, is_last=False)
        entries = sorted((_listed(each)[1] for each in folder.objects.values()), key=_path)
        return FolderListing([entries], _paths(folder.folders), _refused(folder.refused))

    def list_from(self, path: bytes) -> FolderPart | None:
        """Return a page of the keys from ``path`` on, in whatever folders; ``None`` if the store cannot be asked for them in order.

        If outputs in one folder are not asked for in order, further folders are listed from their beginning, if that is enough.
        """
        folders, (place, slash, name) = self._key_folders, key_of(path).rpartition("/")
        if folders is None or not folders.order.is_any:
            return None
        prefix = place + slash
        folders.is_out_of_order = folders.is_out_of_order or (folders.last_wanted[0] == prefix and name < folders.last_wanted[1])
        folders.last_wanted = prefix, name
        starts = [before(prefix + name)]
        if name.endswith("0") and folders.order.may_be_folders:  # before it is a slash, which by folders is lower than all
            starts.insert(0, f"{prefix}{name[:-1]}.\U0010ffff")
        if folders.is_out_of_order and path.rpartition(b"/")[0] not in folders.large:
            starts.insert(0, prefix)
        for start in starts:
            page = self.retried(path, partial(_one_page, folders, start), Event())
            if not folders.order.note(page.keys, start):
                return None
            last = None if page.is_last else page.keys[-1].key if page.keys else start
            if folders.order.covers(start, last, prefix + name):
                break
            folders.large.add(path.rpartition(b"/")[0])

        def covers(path: bytes) -> bool:
            return folders.order.covers(start, last, key_of(path))

        return FolderPart([_listed(each)[1] for each in page.keys if not objection(each.key)], covers, spans_folders=True)

    def _next_part(self, path: bytes, paged: "_Paged", parts: FolderParts, is_over: Event, *, is_last: bool) -> FolderListing:
        """Return what is ready after a page of a folder, and how to get more."""
        folder = paged.folder
        parts.add(map(paged.entry, folder.objects.values()), may_repeat=folder.has_restarted)
        folders, refused = _paths(folder.folders), _refused(folder.refused)
        for taken in (folder.objects, folder.folders, folder.refused):
            taken.clear()
        folder.has_restarted = False
        if is_last:
            return FolderListing(parts.rest(), folders, refused)
        ready = parts.ready(lambda name: self.retried(path, lambda: folder.first_after(name), is_over))

        def more(is_over: Event) -> FolderListing:
            is_last = self.retried(path, folder.next_page, is_over)
            return self._next_part(path, paged, parts, is_over, is_last=is_last)

        return FolderListing(ready, folders, refused, more)

    def _prefix_listing(self, path: bytes, key: str, is_over: Event) -> FolderListing:
        folder = PrefixListing(self._bucket, key)
        try:
            while not self.retried(path, folder.next_page, is_over):
                if self._parts is not None and not folder.folders:  # else obstore lists its own level at once
                    self.retried(path, folder.begin_stream, is_over)
                    parts = FolderParts(_prefix(key), self._parts, is_ordered=True)
                    return self._next_part(path, _Paged(folder, _met), parts, is_over, is_last=False)
        except ReadError as error:
            if error.retryable:
                raise
            self.retried(
                path, folder.list_with_delimiter, is_over
            )  # an invalid key further down, which may not concern this folder
        entries = sorted((_met(each)[1] for each in folder.objects.values()), key=_path)
        return FolderListing([entries], _paths(folder.folders))

    def retried(self, path: bytes, request: Callable[[], T], is_over: Event) -> T:
        """Return what ``request`` returns, which is for the folder ``path``; once the event is set, it is not sent."""

        def translated() -> T:
            if is_over.is_set():
                raise ReadError(f"{printable(path)} need not be listed any more")
            with errors.translating(errors.list_error, path, self._bucket.address):
                return request()

        return self._policy.call(translated)


def entry_of(path: bytes, meta: Any) -> Entry:  # noqa: ANN401  # obstore's own type does not exist at run time
    """Return the entry of the object at ``path`` with obstore's metadata."""
    # without quotes: Azure omits them in listings
    return Entry(path, meta["size"], (meta["e_tag"] or "").strip('"').encode())


def _one_page(folders: KeyFolders, start_after: str) -> KeyPage:
    pages = folders.listing.pages("", start_after=start_after)
    return next((page for page in pages if page.keys or page.is_last), KeyPage([], [], is_last=True))


class _Paged(msgspec.Struct, frozen=True):
    """A ``folder`` that is listed page by page, and the function that returns key and entry of one of its objects."""

    folder: KeyFolder | PrefixListing
    entry: Callable[[Any], tuple[str, Entry]]


def _listed(each: ListedKey) -> tuple[str, Entry]:
    return each.key, Entry(path_of(each.key), each.size, each.etag.encode())


def _met(meta: Any) -> tuple[str, Entry]:  # noqa: ANN401  # the same
    return meta["path"], entry_of(path_of(meta["path"]), meta)


def _prefix(key: str) -> str:
    return f"{key}/" if key else ""


def _paths(folders: Iterable[str]) -> list[bytes]:
    return sorted(map(path_of, folders))


def _refused(keys: Mapping[str, ListedKey]) -> tuple[tuple[bytes, ReadError], ...]:
    return tuple((key.encode(), errors.odd_key(key, objection(key))) for key in keys)


def _path(entry: Entry) -> bytes:
    return entry.path
