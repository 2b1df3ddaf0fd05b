"""Keys of a bucket in pages: the contract of a listing that shows every key as it is, and the key's objection to being a path.

obstore lists only keys that are paths: one key such as ``a//b`` hides everything beside it. Where a store can be asked directly
(``s3_listing``), its listing is used instead.
"""

from collections.abc import Iterator
from typing import Protocol

import msgspec

from pixmill.storage.object_store.keys import key_of, path_of

PAGE_SIZE = 1000  # keys: as many as S3 and Google return at once; Azure returns up to five times as many
_ODD = frozenset({"", ".", ".."})


class ListedKey(msgspec.Struct, frozen=True, gc=False):
    """An object as listed: its ``key`` below the store's prefix, its size in bytes and its ETag without quotes."""

    key: str
    size: int
    etag: str


class KeyPage(msgspec.Struct, frozen=True):
    """The answer to one request. ``folders`` are the keys of subfolders, with their slash, whose content was not asked for."""

    keys: list[ListedKey]
    folders: list[str]
    is_last: bool


class KeyListing(Protocol):
    """A store that lists its keys in the order of their bytes, a thousand with each request."""

    def pages(self, prefix: str, *, start_after: str = "", has_delimiter: bool = False, size: int = PAGE_SIZE) -> Iterator[KeyPage]:
        """Yield the keys that begin with ``prefix`` and come after ``start_after``, at most ``size`` with each request.

        With ``has_delimiter`` only those in the folder ``prefix`` itself, which is empty or ends in a slash, and its subfolders.
        Errors read like those of obstore.
        """


def objection(key: str) -> str:
    """Return why the object ``key`` cannot be processed: an end of a sentence; empty if it can."""
    parts = key.split("/")
    if parts[-1] == "":
        return "ends in '/'"
    if not _ODD.isdisjoint(parts):
        return "has an empty part" if "" in parts else "has a part '.' or '..'"
    return "" if key_of(path_of(key)) == key else "contains a control character"
