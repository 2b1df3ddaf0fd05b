"""Where the members of an archive are: by path, and in the order of a listing, however many there are."""

import posixpath
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import groupby

import msgspec

from pixmill.core.external_sort import ExternalSort, Record
from pixmill.storage.archives.format import ArchiveFormat, Member

_HASHES = 1 << 64
_LONGEST_CHAIN = 8  # links that are followed from one to the next
_FOLDER = -1  # the offset of what stands for a folder, so that it is met among the members beside it
_REMEMBERED = 10_000  # folders that are not noted again
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Member).decode


class MemberIndex:
    """The members of one archive, found by going through it once when they are first asked for.

    Memory: 16 bytes a member for finding them by path, and what ``Sorted`` takes for listing them.
    """

    def __init__(self, layout: ArchiveFormat) -> None:
        """Look at nothing yet."""
        self._layout = layout

    def find(self, path: bytes) -> Member | None:
        """Return the last member called ``path``, links followed to what they name; ``None`` when there is none."""
        for _ in range(_LONGEST_CHAIN):
            member = self._last(path)
            if member is None or not member.link:
                return member
            path = member.link
        return None

    def folders(self, under: bytes, descend: Callable[[bytes], bool] | None) -> Iterator[list[Member]]:
        """Yield the members below ``under`` folder by folder, each sorted by name; of several with one name the last.

        Links are not followed. ``descend`` says which folders to enter, and is asked about those beside members before these come.
        """
        inside = under + b"/" if under else b""
        for folder, found in groupby(self._in_order(), key=_folder):
            is_below = folder == under or folder.startswith(inside)
            if is_below and (descend is None or all(map(descend, _between(under, folder)))):
                members: dict[bytes, Member] = {}
                for member in found:
                    if member.offset != _FOLDER:
                        members[member.path] = member
                    elif descend is not None:
                        descend(member.path)
                if members:
                    yield list(members.values())

    def _in_order(self) -> Iterator[Member]:
        return (_decode(content) for _, content in self._sorted)

    @cached_property
    def _sorted(self) -> ExternalSort:
        return ExternalSort(_records(self._layout.members()))

    @cached_property
    def _index(self) -> tuple["array[int]", "array[int]"]:
        """Return the hashes of all paths, sorted, and the offsets that belong to them."""
        hashes, offsets = array("Q"), array("Q")
        for member in self._layout.members():
            hashes.append(hash(member.path) % _HASHES)
            offsets.append(member.offset)
        order = sorted(range(len(hashes)), key=hashes.__getitem__)
        return array("Q", map(hashes.__getitem__, order)), array("Q", map(offsets.__getitem__, order))

    def _last(self, path: bytes) -> Member | None:
        hashes, offsets = self._index
        wanted = hash(path) % _HASHES
        first = bisect_left(hashes, wanted)
        found = None
        for index in range(first, len(hashes)):
            if hashes[index] != wanted:
                break
            member = self._layout.member(offsets[index])
            if member.path == path:
                found = member  # the offsets of one hash are in the order of the archive
        return found


def _records(members: Iterator[Member]) -> Iterator[Record]:
    """Yield a record for each member, and one for each folder on the way to it, some of them more than once."""
    noted: set[bytes] = set()
    for member in members:
        yield _record(member)
        folder = _folder(member)
        while folder and folder not in noted:
            if len(noted) >= _REMEMBERED:
                noted.clear()
            noted.add(folder)
            yield _record(Member(folder, 0, b"", _FOLDER))
            folder = posixpath.dirname(folder)


def _record(member: Member) -> Record:
    """Return ``member`` under a key that sorts a folder before those in it, and all of them by the names on the way."""
    folder, name = _folder(member), posixpath.basename(member.path)
    return b"%s\0\0%s" % (folder.replace(b"/", b"\0"), name), _encode(member)


def _folder(member: Member) -> bytes:
    """Return the folder of a member; the root for one that is refused, since its name may lead anywhere."""
    return b"" if member.error else posixpath.dirname(member.path)


def _between(under: bytes, folder: bytes) -> list[bytes]:
    """Return the folders on the way from ``under`` to ``folder``, the last included."""
    way = []
    while folder != under:
        way.append(folder)
        folder = posixpath.dirname(folder)
    return way[::-1]
