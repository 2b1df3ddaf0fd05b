"""The layout of a zip file: a directory at its end that says where each member is.

The format: PKWARE, *APPNOTE.TXT, .ZIP File Format Specification*, 6.3.10; zip64 for what is larger than 32 bits.
"""

import calendar
import stat
import struct
import zlib
from collections.abc import Iterator

import msgspec

from pixmill.core.errors import AddressError, ReadError
from pixmill.core.text import printable
from pixmill.storage.archives.format import ArchiveFile, ArchiveFormat, Member, safe_name, too_large, unreadable

_END = struct.Struct("<4s4H2LH")
_END_64_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s2B5H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT = 0xFFFF
_SATURATED = 0xFFFFFFFF
_ENCRYPTED, _IS_UTF8 = 1 << 0, 1 << 11
_STORED, _DEFLATED = 0, 8
_UNIX, _ZIP_64 = 3, 1
_AT_ONCE = 1 << 20


class _Entry(msgspec.Struct, gc=False):
    """One entry of the directory. ``at`` is where it is, ``header`` where the member's own header is, ``next`` the next entry."""

    name: bytes
    flags: int
    method: int
    modified: tuple[int, int]
    crc: int
    stored: int
    size: int
    mode: int
    at: int
    header: int
    next: int


class ZipFormat(ArchiveFormat):
    """A zip file, its members stored or deflated. The version of one is its time, with its checksum in the nanoseconds."""

    def __init__(self, file: ArchiveFile) -> None:
        """Find the directory; ``AddressError`` when there is none."""
        self._file = file
        self._start, self._end, self._shift = self._directory()

    def members(self) -> Iterator[Member]:
        """Yield every regular file, in the order of the directory."""
        at = self._start
        while at < self._end:
            try:
                entry = self._entry(at)
            except ReadError as error:
                yield Member(b"", 0, b"", at, error=error.message)
                return
            if not entry.name.endswith(b"/") and stat.S_IFMT(entry.mode) in (0, stat.S_IFREG):
                try:
                    yield _member(entry)
                except ReadError as error:
                    yield Member(entry.name, 0, b"", at, error=error.message)
            at = entry.next

    def member(self, at: int) -> Member:
        """Return the member whose entry in the directory is at ``at``."""
        return _member(self._entry(at))

    def read(self, at: int, *, limit: int) -> bytes:
        """Return the content of the member, as far as its checksum proves it."""
        entry = self._entry(at)
        if entry.size > limit:
            raise too_large(entry.name, entry.size, limit)
        data = self._content(entry, entry.size + 1)  # one byte more than there should be: it comes when there is more
        if len(data) > entry.size:
            raise too_large(entry.name, None, entry.size)
        if len(data) < entry.size or zlib.crc32(data) != entry.crc:
            raise unreadable(entry.name, "damaged in the archive: its checksum is another")
        return data

    def head(self, at: int, size: int) -> bytes:
        """Return the first ``size`` bytes of the member."""
        return self._content(self._entry(at), size)

    def _content(self, entry: _Entry, most: int) -> bytes:
        _member(entry)  # refuse what cannot be read
        local = self._file.read(_LOCAL.size, entry.header)
        if len(local) < _LOCAL.size or not local.startswith(b"PK\3\4"):
            raise self._file.damaged(entry.header, f"{printable(entry.name)} should begin there")
        *_, name, extra = _LOCAL.unpack(local)
        data = entry.header + _LOCAL.size + name + extra
        if entry.method == _STORED:
            return self._file.read(min(entry.stored, most), data)
        return self._inflated(entry, data, most)

    def _inflated(self, entry: _Entry, at: int, most: int) -> bytes:
        """Decompress as much as is asked for and no more: what a bomb would grow to does not matter."""
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        parts, missing, end = [], most, at + entry.stored
        try:
            while missing > 0 and at < end and not inflate.eof:
                compressed = self._file.read(min(_AT_ONCE, end - at), at)
                if not compressed:
                    break
                part = inflate.decompress(compressed, missing)
                at += len(compressed)
                parts.append(part)
                missing -= len(part)
        except zlib.error:
            raise unreadable(entry.name, "damaged in the archive: it cannot be decompressed") from None
        return b"".join(parts)

    def _directory(self) -> tuple[int, int, int]:
        """Return where the directory begins and ends, and by how much all offsets are shifted by what stands before the archive."""
        file = self._file
        tail_at = max(0, file.size - _END.size - _LONGEST_COMMENT)
        tail = file.read(_END.size + _LONGEST_COMMENT, tail_at)
        found = tail.rfind(b"PK\5\6")
        if found < 0 or found + _END.size > len(tail):
            raise AddressError(f"{printable(file.path)} is no zip file, or its end is missing")
        _, disk, first_disk, _, _, size, offset, _ = _END.unpack_from(tail, found)
        end = tail_at + found
        locator = file.read(_END_64_LOCATOR.size, end - _END_64_LOCATOR.size) if end >= _END_64_LOCATOR.size else b""
        if locator.startswith(b"PK\6\7"):
            end, size, offset = self._directory_64(end - _END_64_LOCATOR.size, locator, size, offset)
        elif (disk, first_disk) != (0, 0):
            raise AddressError(
                f"{printable(file.path)} is one part of several", hint="put them together: zip -s 0 in.zip --out out.zip"
            )
        shift = end - size - offset
        if shift < 0:
            raise AddressError(f"{printable(file.path)} is cut off, or damaged: its directory is not where it should be")
        return offset + shift, end, shift

    def _directory_64(self, locator_at: int, locator: bytes, size: int, offset: int) -> tuple[int, int, int]:
        """Return the end, size and offset of the directory as the records for large archives have them."""
        record_at = _END_64_LOCATOR.unpack(locator)[2]
        for at in (record_at, locator_at - _END_64.size):  # the second is where it is when something stands before the archive
            record = self._file.read(_END_64.size, at)
            if len(record) == _END_64.size and record.startswith(b"PK\6\6"):
                *_, size, offset = _END_64.unpack(record)
                return at, size, offset
        return locator_at, size, offset

    def _entry(self, at: int) -> _Entry:
        fixed = self._file.read(_ENTRY.size, at)
        if len(fixed) < _ENTRY.size or not fixed.startswith(b"PK\1\2"):
            raise self._file.damaged(at, "there should be an entry of the directory")
        fields = _ENTRY.unpack(fixed)
        _, _, system, _, flags, method, time, date, crc, stored, size, name_size, extra_size, comment_size, _, _, mode, header = (
            fields
        )
        variable = self._file.read(name_size + extra_size, at + _ENTRY.size)
        name, extra = variable[:name_size], variable[name_size:]
        size, stored, header = _large(extra, [size, stored, header])
        return _Entry(
            name=name if flags & _IS_UTF8 else name.decode("cp437").encode(),
            flags=flags,
            method=method,
            modified=(date, time),
            crc=crc,
            stored=stored,
            size=size,
            mode=mode >> 16 if system == _UNIX else 0,
            at=at,
            header=header + self._shift,
            next=at + _ENTRY.size + name_size + extra_size + comment_size,
        )


def _member(entry: _Entry) -> Member:
    path = safe_name(entry.name)
    if entry.flags & _ENCRYPTED:
        raise unreadable(path, "encrypted")
    if entry.method not in (_STORED, _DEFLATED):
        hint = "unpack the archive, or make it anew with deflate"
        raise unreadable(path, f"compressed with a method (number {entry.method}) that is not read in place", hint=hint)
    # Times are of two seconds each: what is below that has room for the checksum, and the version stays a time.
    return Member(path, entry.size, b"%d" % (_nanoseconds(*entry.modified) + entry.crc % (2 * 10**9)), entry.at)


def _large(extra: bytes, values: list[int]) -> list[int]:
    """Replace those ``values`` that did not fit into 32 bits by what the zip64 field of ``extra`` has for them."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, at)
        if kind == _ZIP_64:
            large = iter(struct.unpack_from(f"<{min(size, len(extra) - at - 4) // 8}Q", extra, at + 4))
            return [next(large, value) if value == _SATURATED else value for value in values]
        at += 4 + size
    return values


def _nanoseconds(date: int, time: int) -> int:
    """Return a time of MS-DOS, which knows no time zone and no odd seconds, as nanoseconds; taken for UTC."""
    day = (1980 + (date >> 9), date >> 5 & 15, date & 31)
    clock = (time >> 11, time >> 5 & 63, (time & 31) * 2)
    return calendar.timegm((*day, *clock)) * 10**9 if day[1] in range(1, 13) else 0
