"""An index of the members of an archive: by path, and in listing order, for any number of members."""

import posixpath
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import groupby

import msgspec

from pixmill.core.external_sort import ExternalSort, Record
from pixmill.storage.archives.format import ArchiveFormat, Member
from pixmill.storage.parts import PART, group_key

_HASHES = 1 << 64
_MAX_LINK_CHAIN = 8  # links followed one after the other
_FOLDER = -1  # the offset of a record that stands for a folder, so that the folder is sorted among the members beside it
_MAX_NOTED_FOLDERS = 10_000  # folders known to have a record already
_FIRST, _SECOND = b"\1", b"\2"
Members = list[Member]
#: returns the group of a name
Grouping = Callable[[bytes], bytes]
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Member).decode


class MemberIndex:
    """The members of one archive, found by scanning it once at the first request.

    Memory: 16 bytes per member for finding them by path, plus the memory of an ``ExternalSort`` for listing them.
    """

    def __init__(self, layout: ArchiveFormat) -> None:
        """Scan nothing yet."""
        self._layout = layout
        self._sorted: dict[Grouping | None, ExternalSort] = {}

    def find(self, path: bytes) -> Member | None:
        """Return the last member called ``path``, or the member a link there leads to; ``None`` if there is none."""
        for _ in range(_MAX_LINK_CHAIN):
            member = self._last(path)
            if member is None or not member.link:
                return member
            path = member.link
        return None

    def folders(
        self, under: bytes, descend: Callable[[bytes], bool] | None, group: Grouping | None = None
    ) -> Iterator[list[Member]]:
        """Yield the members below ``under`` folder by folder, each sorted by name; of several with the same name only the last.

        Links are not followed. ``descend`` decides which folders to enter, and is called for the folders beside members before
        those members are yielded. With ``group`` members are sorted by the group of their name first, and a large folder comes in
        parts with whole groups.
        """
        prefix = under + b"/" if under else b""
        for folder, records in groupby(self._in_order(group), key=_folder):
            is_below = folder == under or folder.startswith(prefix)
            if is_below and (descend is None or all(map(descend, _between(under, folder)))):
                yield from _parts(records, descend, group)

    def _in_order(self, group: Grouping | None) -> Iterator[Member]:
        if group not in self._sorted:
            self._sorted[group] = ExternalSort(_records(self._layout.members(), group))
        return (_decode(content) for _, content in self._sorted[group])

    @cached_property
    def _index(self) -> tuple["array[int]", "array[int]"]:
        """Return the sorted hashes of all paths, and the offsets in the same order."""
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
        last = None
        for index in range(first, len(hashes)):
            if hashes[index] != wanted:
                break
            member = self._layout.member(offsets[index])
            if member.path == path:
                last = member  # the offsets of one hash are in the order of the archive
        return last


def _parts(records: Iterator[Member], descend: Callable[[bytes], bool] | None, group: Grouping | None) -> Iterator[list[Member]]:
    """Yield the members among ``records``, which are of one folder, and call ``descend`` for the folders."""
    members: dict[bytes, Member] = {}
    last = b""
    for member in records:
        if member.offset == _FOLDER:
            if descend is not None:
                descend(member.path)
            continue
        if group is not None:
            own = group(posixpath.basename(member.path))
            if len(members) >= PART and own != last:
                yield list(members.values())
                members = {}
            last = own
        members[member.path] = member
    if members:
        yield list(members.values())


def _records(members: Iterator[Member], group: Grouping | None) -> Iterator[Record]:
    """Yield a record for each member and for each of its parent folders; some folders come more than once."""
    noted: set[bytes] = set()
    for member in members:
        yield _record(member, group)
        folder = _folder(member)
        while folder and folder not in noted:
            if len(noted) >= _MAX_NOTED_FOLDERS:
                noted.clear()
            noted.add(folder)
            yield _record(Member(folder, 0, b"", _FOLDER), group)
            folder = posixpath.dirname(folder)


def _record(member: Member, group: Grouping | None) -> Record:
    """Return ``member`` with a key that sorts a folder before its subfolders, and everything by the names along its path.

    With ``group`` the folders in a folder come first, then the members by their groups.
    """
    folder, name = _folder(member), posixpath.basename(member.path)
    if group is not None:
        name = _FIRST + name if member.offset == _FOLDER else _SECOND + group_key(group(name), name)
    return b"%s\0\0%s" % (folder.replace(b"/", b"\0"), name), _encode(member)


def _folder(member: Member) -> bytes:
    """Return the folder of a member; the root for an unreadable one, because its name may lead anywhere."""
    return b"" if member.error else posixpath.dirname(member.path)


def _between(under: bytes, folder: bytes) -> list[bytes]:
    """Return the folders on the path from ``under`` to ``folder``, including the last."""
    folders = []
    while folder != under:
        folders.append(folder)
        folder = posixpath.dirname(folder)
    return folders[::-1]
