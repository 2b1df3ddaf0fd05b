"""Several sources as one: each folder, archive and bucket below its own name, files beside each other, as ``cp -r`` puts them."""

import heapq
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter, itemgetter

import msgspec

from pixmill.batch.loose_files import LOCAL, LooseFiles
from pixmill.batch.manifests.grouping import disambiguated
from pixmill.batch.source import (
    Folder,
    Given,
    KnowsLocators,
    MemberEntry,
    OnError,
    OnIgnored,
    Row,
    Shape,
    Source,
    SourceRequest,
    kind_of,
    no_op,
    open_source,
    sources,
)
from pixmill.core.errors import AddressError, ImageError
from pixmill.storage.address import Address
from pixmill.storage.entry import Entry, locator_of
from pixmill.storage.local.inodes import absolute
from pixmill.storage.open import open_storage

_MAX_EXAMINED = 10  # sources, each of which takes a listing
_LOCAL_SCHEMES, _WEB = ("file", "tar", "zip"), ("http", "https")
_Listing = tuple[tuple[bytes, ...], list[Entry]]  # the parts of a folder's path, and entries in it


class Member(msgspec.Struct, frozen=True):
    """The source that was given as number ``index``. Its entries get paths ``below`` a folder, or at the root if that is empty."""

    index: int
    source: Source
    below: bytes = b""

    def path(self, inner: bytes) -> bytes:
        """Return the path of what has the path ``inner`` in the source."""
        return self.below + b"/" + inner if self.below else inner

    def entry(self, entry: Entry) -> Entry:
        """Return an entry of the source as one of the composition."""
        if isinstance(entry, MemberEntry):  # a loose file, which knows its own number
            return entry
        path = self.path(entry.path)
        if isinstance(entry, Folder):
            return Folder(path, 0, b"")
        columns, is_explicit = entry.columns if isinstance(entry, Row) else b"", self.source.is_explicit
        locator = _locator(self.source.address, entry)
        found = (path, entry.size, entry.version, entry.changed_at, locator, columns)
        return MemberEntry(*found, self.index, entry.path, is_explicit)

    def locate(self, path: bytes, locator: bytes) -> tuple[bytes, bytes] | None:
        """Return the place of an entry of the composition and its path there, or ``None`` if ``locator`` is not in this source."""
        address = self.source.address
        if isinstance(self.source, KnowsLocators):
            return self.source.locate(path.removeprefix(self.path(b"")), locator) if self.source.has(locator) else None
        if address.scheme == "multi":  # one URL
            return None if locator.startswith(b"\0/") or b"\0" in locator[1:] else self.source.locate(path, locator)
        prefix = _locator(address, Entry(b"", 0, b""))
        if not locator.startswith(prefix):
            return None
        inner = locator[len(prefix) :]
        return self.source.locate(path.removeprefix(self.path(b"")) if inner.startswith(b"\0") else inner, b"")


class Composition:
    """Several sources, merged folder by folder: what lies in one folder of the output comes together, whichever source it is from.

    Every entry is a ``MemberEntry``, which tells its source and its path there; its locator is one of ``multi://``. A file that
    two sources contain under the same path is one entry. Of different files with the same path one keeps it, and the others are
    distinguished by a hash of their location, as in a list.
    """

    is_explicit = False  # its entries tell
    has_unique_paths = False
    is_dated = False
    is_in_range = False
    shape: Shape = "folder"

    def __init__(
        self, members: Sequence[Member], *, left_out: Sequence[tuple[bytes, str]] = (), follow_links: bool = False
    ) -> None:
        """Combine ``members``. ``left_out`` are paths of sources that are not read, each with the reason."""
        self._members = members
        self._left_out = left_out
        self.has_columns = any(member.source.has_columns for member in members)
        self._below: dict[bytes, list[Member]] = defaultdict(list)
        for member in members:
            self._below[member.below].append(member)
        self.storage = open_storage(self.address, follow_symlinks=follow_links)

    @property
    def address(self) -> Address:
        """Return the address for workers: local if all sources are, else with the request policy of a web source."""
        addresses = [member.source.address for member in self._members]
        if all(address == LOCAL or address.scheme in _LOCAL_SCHEMES for address in addresses):
            return LOCAL
        return next((address for address in addresses if address.scheme == "multi" and address != LOCAL), Address("multi", b""))

    @property
    def roots(self) -> tuple[bytes, ...]:
        """Return the local folders of all sources."""
        return tuple(dict.fromkeys(root for member in self._members for root in member.source.roots))

    def given(self) -> Iterator[Given]:
        """Yield the location of every source."""
        for member in self._members:
            for given in member.source.given():
                yield given if isinstance(member.source, LooseFiles) else msgspec.structs.replace(given, index=member.index)

    @property
    def places(self) -> tuple[bytes, ...]:
        """Return the places of all sources."""
        return tuple(dict.fromkeys(place for member in self._members for place in member.source.places))

    def locate(self, path: bytes, locator: bytes) -> tuple[bytes, bytes]:
        """Return the place of the image ``path`` and its path there; of two sources that hold it, of the one it is named after."""
        first = path.partition(b"/")[0] if b"/" in path else b""
        candidates = [*self._below.get(first, ()), *(self._below.get(b"", ()) if first else ())]
        found: list[tuple[Member, tuple[bytes, bytes]]] = []
        for member in candidates:
            located = member.locate(path, locator)
            if located is not None:
                found.append((member, located))
        if not found:  # a folder or file that cannot be read
            member = next(iter(candidates), self._members[0])
            return member.source.places[0], path.removeprefix(member.path(b""))
        return next((located for member, located in found if member.path(located[1]) == path), found[0][1])

    def folders(self, on_error: OnError, on_ignored: OnIgnored = no_op) -> Iterator[list[Entry]]:
        """Yield the entries folder by folder. A source is only listed when its first folder is due."""
        for path, reason in self._left_out:
            on_ignored(path, reason)
        named = [Folder(member.below, 0, b"") for member in self._members if member.below]
        listings = heapq.merge(*(_listings(member, on_error, on_ignored) for member in self._members), key=itemgetter(0))
        for folder, group in groupby(listings, key=itemgetter(0)):
            entries = _combined([entry for _, listed in group for entry in listed], [] if folder else named)
            if entries:
                yield entries

    def find(self, paths: Iterable[bytes]) -> Iterator[Entry] | None:  # noqa: ARG002  # as every source has it
        """Return ``None``: which source a path is in, only a listing tells."""
        return None

    def column_names(self) -> tuple[str, ...]:
        """Return those of the first sources that have any."""
        found = (member.source.column_names() for member in self._members[:_MAX_EXAMINED])
        return next(filter(None, found), ())


def open_sources(given: Sequence[str], request: SourceRequest) -> Source:
    """Open SRC, which is one or several addresses; ``request`` is that for the first one.

    ``AddressError`` or ``RunError`` if one of them cannot be read, or cannot be combined with others.
    """
    if len(given) == 1:
        return open_source(request)
    request.own.refresh()
    files = LooseFiles(follow_links=request.selection.follow_symlinks)
    members: list[Member] = []
    left_out: list[tuple[bytes, str]] = []
    seen: set[tuple[str, bytes, bytes]] = set()
    for index, text in enumerate(given):
        address = Address.parse(text)
        if files.add(index, address):
            continue
        own = request.own.find(absolute(address.location)) if address.local else None
        below = name_below(address)
        key = (address.scheme, absolute(address.location) if address.local else address.location.rstrip(b"/"), below)
        if own is not None and own.reason:  # the shell's * matches DST, too
            left_out.append((address.location, own.reason))
        elif key not in seen:
            seen.add(key)
            members.append(_member(index, address, below, request))
    members.append(Member(len(given), files))
    return Composition(members, left_out=left_out, follow_links=request.selection.follow_symlinks)


def name_below(address: Address) -> bytes:
    """Return the name of the folder in the output that gets the content of ``address``, like ``cp -r``.

    It is the last part of the path, without the extension of an archive. It is empty, so that the content itself goes there, for
    ``A/.``, ``.``, ``..`` and ``/``.
    """
    name = address.location.rstrip(b"/").rpartition(b"/")[2]
    return b"" if name in (b"", b".", b"..") else name


def _member(index: int, address: Address, below: bytes, request: SourceRequest) -> Member:
    kind = kind_of(address, sources())
    if kind.is_dated and address.scheme not in _WEB:  # a URL is one image
        raise AddressError(
            f"SRC {address} is a list of images, which cannot be combined with other sources",
            hint="give the list alone, or leave it out; with a pattern, name only images, such as *.jpg",
        )
    source = open_source(msgspec.structs.replace(request, address=address, is_one_of_several=True))
    if source.shape == "archive":
        below = os.path.splitext(below)[0]  # noqa: PTH122  # bytes
    return Member(index, source, b"" if source.shape == "image" else below)


def _listings(member: Member, on_error: OnError, on_ignored: OnIgnored) -> Iterator[_Listing]:
    """Yield the listings of ``member`` in the order of their folders, preceded by an empty one: only then is it really read."""

    def report(path: bytes, error: ImageError) -> None:
        on_error(member.path(path), error)

    yield _parts(member.below), []
    for entries in member.source.folders(report, on_ignored):
        for folder, group in groupby(map(member.entry, entries), key=_folder):
            yield _parts(folder), list(group)


def _combined(entries: Iterable[Entry], more_folders: Sequence[Folder]) -> list[Entry]:
    """Return the entries of one folder, each path once, followed by its subfolders; nothing if there are only subfolders."""
    files = sorted((entry for entry in entries if isinstance(entry, MemberEntry)), key=attrgetter("path", "locator"))
    folders = {entry.path: entry for entry in (*entries, *more_folders) if isinstance(entry, Folder)}
    unique: list[Entry] = []
    last: MemberEntry | None = None
    for entry in files:
        if last is None or last.path != entry.path:
            unique.append(entry)
        elif last.locator != entry.locator:
            unique.append(msgspec.structs.replace(entry, path=disambiguated(entry.path, entry.locator)))
        last = entry
    return [*unique, *(folders[path] for path in sorted(folders))] if unique else []


def _folder(entry: Entry) -> bytes:
    return entry.path.rpartition(b"/")[0]


def _parts(folder: bytes) -> tuple[bytes, ...]:
    return tuple(folder.split(b"/")) if folder else ()


def _locator(address: Address, entry: Entry) -> bytes:
    """Return the locator in ``multi://`` of an ``entry`` of the storage at ``address``."""
    if address.scheme == "multi":
        return locator_of(entry)
    if address.local:
        return b"\0" + absolute(address.location).rstrip(b"/") + b"/" + entry.path
    return b"\0%s://%s\0%s" % (address.scheme.encode(), address.location, locator_of(entry))
