"""Requests for the folders of a bucket, retried, which become entries."""

from collections.abc import Callable, Iterable, Mapping
from threading import Event
from typing import Any, TypeVar

from pixmill.core.errors import ReadError
from pixmill.core.text import printable
from pixmill.storage.entry import Entry
from pixmill.storage.object_store import errors
from pixmill.storage.object_store.client import Bucket
from pixmill.storage.object_store.folder_parts import FolderParts, PartsPolicy
from pixmill.storage.object_store.key_folders import KeyFolder, KeyFolders
from pixmill.storage.object_store.key_listing import ListedKey, objection
from pixmill.storage.object_store.keys import key_of, path_of
from pixmill.storage.object_store.prefix_listing import PrefixListing
from pixmill.storage.object_store.walk import FolderListing
from pixmill.storage.storage import ListingPolicy

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
        while not self._retried(path, folder.next_page, is_over):
            requests += 1
            if self._parts is not None and requests > 1:  # the first one looks only at what has been listed before
                parts = FolderParts(f"{key}/" if key else "", self._parts, is_ordered=self._key_folders.is_ordered)
                return self._next_part(path, folder, parts, is_over, is_last=False)
        entries = sorted(map(_entry, folder.objects.values()), key=_path)
        return FolderListing([entries], _paths(folder.folders), _refused(folder.refused))

    def _next_part(self, path: bytes, folder: KeyFolder, parts: FolderParts, is_over: Event, *, is_last: bool) -> FolderListing:
        """Take from ``folder`` what has come, and add what is ready of it to what is returned."""
        objects, folders, refused = folder.objects, folder.folders, folder.refused
        folder.objects, folder.folders, folder.refused = {}, {}, {}
        parts.add(((each.key, _entry(each)) for each in objects.values()), may_repeat=folder.has_restarted)
        folder.has_restarted = False
        if is_last:
            return FolderListing(parts.rest(), _paths(folders), _refused(refused))
        ready = parts.ready(lambda name: self._retried(path, lambda: folder.first_after(name), is_over))

        def more(is_over: Event) -> FolderListing:
            is_last = self._retried(path, folder.next_page, is_over)
            return self._next_part(path, folder, parts, is_over, is_last=is_last)

        return FolderListing(ready, _paths(folders), _refused(refused), more)

    def _prefix_listing(self, path: bytes, key: str, is_over: Event) -> FolderListing:
        folder = PrefixListing(self._bucket, key)
        try:
            while not self._retried(path, folder.next_page, is_over):
                pass
        except ReadError as error:
            if error.retryable:
                raise
            self._retried(
                path, folder.list_with_delimiter, is_over
            )  # an invalid key further down, which may not concern this folder
        entries = [entry_of(path_of(each["path"]), each) for each in folder.objects.values()]
        return FolderListing([sorted(entries, key=_path)], _paths(folder.folders))

    def _retried(self, path: bytes, request: Callable[[], T], is_over: Event) -> T:
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


def _entry(each: ListedKey) -> Entry:
    return Entry(path_of(each.key), each.size, each.etag.encode())


def _paths(folders: Iterable[str]) -> list[bytes]:
    return sorted(map(path_of, folders))


def _refused(keys: Mapping[str, ListedKey]) -> tuple[tuple[bytes, ReadError], ...]:
    return tuple((key.encode(), errors.odd_key(key, objection(key))) for key in keys)


def _path(entry: Entry) -> bytes:
    return entry.path
