"""Whether images are still in their source. Only what has been listed whole counts; an empty folder may be an unmounted disk."""

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import Protocol

from pixmill.batch.source import Source
from pixmill.batch.sources.archive import Archive
from pixmill.core.errors import PixmillError, ReadError
from pixmill.core.external_sort import ExternalSort
from pixmill.storage.local.mounts import is_within
from pixmill.storage.storage import Storage

EMPTY, UNREADABLE = "empty", "unreadable"


class Presence(Enum):
    """``UNKNOWN``: the folder of the image, or one above it, could not be listed or is empty."""

    THERE = 1
    GONE = 2
    UNKNOWN = 3


class Listed(Protocol):
    """What a source contains. ``unlisted``: the folders of which that is not known, each ``empty`` or ``unreadable``.

    ``place`` is where it is, for messages.
    """

    place: bytes
    unlisted: dict[bytes, str]

    def look(self, path: bytes) -> Presence:
        """Return whether the image at ``path`` is there. Ask in the order of the paths."""


class ListedFolders(Listed):
    """The folders of ``storage``, each listed once if paths come in order, and whole: what a run leaves out is there as well.

    A folder that is missing from a whole listing of its parent is gone, with everything below it. Memory: the names in the folders
    on one path.
    """

    def __init__(self, storage: Storage, place: bytes = b"") -> None:
        """List nothing yet."""
        self.place = place
        self.unlisted: dict[bytes, str] = {}
        self._storage = storage
        self._chain: list[tuple[bytes, frozenset[bytes] | Presence]] = []

    def look(self, path: bytes) -> Presence:
        """Return whether the image at ``path`` is there."""
        folder, _, name = path.rpartition(b"/")
        content = self._content(folder)
        if isinstance(content, Presence):
            return content
        return Presence.THERE if name in content else Presence.GONE

    def forget(self) -> None:
        """List folders again from here on."""
        self._chain.clear()
        self.unlisted.clear()

    def _content(self, folder: bytes) -> frozenset[bytes] | Presence:
        """Return the names in ``folder`` or, if there are none to tell by, what that means for everything in it."""
        while self._chain and self._chain[-1][0] and not is_within(folder, self._chain[-1][0]):
            self._chain.pop()
        if not self._chain:
            self._chain.append((b"", self._list(b"")))
        inner, content = self._chain[-1]
        for name in filter(None, folder[len(inner) :].split(b"/")):
            inner = inner + b"/" + name if inner else name
            if not isinstance(content, Presence):
                content = self._list(inner) if name in content else Presence.GONE
            self._chain.append((inner, content))
        return content

    def _list(self, folder: bytes) -> frozenset[bytes] | Presence:
        names: set[bytes] = set()
        links: list[bytes] = []
        is_whole = True

        def note(path: bytes) -> bool:
            names.add(path.rpartition(b"/")[2])
            return False

        def failed(path: bytes, error: ReadError) -> None:  # of the folder itself, or of an entry that is there
            nonlocal is_whole
            del error
            is_whole = is_whole and path != folder
            note(path)

        try:
            for entries in self._storage.list(folder, descend=note, on_error=failed, on_link=links.append):
                names.update(entry.path.rpartition(b"/")[2] for entry in entries if entry.path.rpartition(b"/")[0] == folder)
        except PixmillError:
            is_whole = False
        names.update(link.rpartition(b"/")[2] for link in links)
        if is_whole and names:
            return frozenset(names)
        self.unlisted[folder] = EMPTY if is_whole else UNREADABLE
        return Presence.UNKNOWN


class ListedPaths(Listed):
    """All paths of a source that is read at once, an archive or a list. ``found``: how many of them were asked for."""

    def __init__(self, read: Callable[[dict[bytes, str]], Iterable[bytes]], place: bytes) -> None:
        """Take the function that returns the paths, in any order, and notes in a dictionary why they are not all."""
        self.place = place
        self.unlisted: dict[bytes, str] = {}
        self.found = 0
        self._read = read
        self._paths: Iterator[bytes] | None = None
        self._next: bytes | None = None

    def look(self, path: bytes) -> Presence:
        """Return whether ``path`` is one of them."""
        if self._paths is None:
            self._paths = self._sorted()
            self._next = next(self._paths, None)
        if self.unlisted:
            return Presence.UNKNOWN
        while self._next is not None and self._next < path:
            self._next = next(self._paths, None)
        if self._next != path:
            return Presence.GONE
        self.found += 1
        return Presence.THERE

    @property
    def is_read(self) -> bool:
        """Tell whether any image has been looked up."""
        return self._paths is not None

    def _sorted(self) -> Iterator[bytes]:
        paths = ExternalSort((path, b"") for path in self._read(self.unlisted))
        try:
            is_empty = next(iter(paths), None) is None
        except PixmillError:
            is_empty, self.unlisted[b""] = False, UNREADABLE
        if is_empty:
            self.unlisted.setdefault(b"", EMPTY)
        return iter(()) if self.unlisted else (path for path, _ in paths)


def listed(source: Source) -> Listed:
    """Return the content of ``source``, a folder or an archive; nothing is read yet."""
    if not isinstance(source, Archive):
        return ListedFolders(source.storage, source.places[0])

    def members(unlisted: dict[bytes, str]) -> Iterator[bytes]:
        unreadable: list[bytes] = []
        for entries in source.storage.list(on_error=lambda path, _: unreadable.append(path)):
            yield from (entry.path for entry in entries)
        yield from filter(None, unreadable)
        if b"" in unreadable:  # the archive is damaged, and what follows the damage is not known
            unlisted[b""] = UNREADABLE

    return ListedPaths(members, source.places[0])
