"""The layout of a zip file: a directory at its end with the offset of each member.

The format: PKWARE, *APPNOTE.TXT, .ZIP File Format Specification*, 6.3.10; zip64 for numbers larger than 32 bits.
"""

import calendar
import stat
import struct
import zlib
from collections.abc import Iterator

import msgspec

from pixmill.core.errors import AddressError, ReadError
from pixmill.core.text import printable
from pixmill.storage.archives.format import ArchiveFile, ArchiveFormat, Member, safe_name, unreadable
from pixmill.storage.storage import too_large

_END = struct.Struct("<4s4H2LH")
_END_64_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s2B5H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_MAX_COMMENT_SIZE = 0xFFFF
_SATURATED = 0xFFFFFFFF
_ENCRYPTED, _IS_UTF8 = 1 << 0, 1 << 11
_STORED, _DEFLATED = 0, 8
_UNIX, _ZIP_64 = 3, 1
_CHUNK_SIZE = 1 << 20


class _Entry(msgspec.Struct, gc=False):
    """One entry of the directory, with the offsets of itself, of the member's ``header`` and of the ``next`` entry."""

    name: bytes
    flags: int
    method: int
    modified: tuple[int, int]
    crc: int
    stored: int
    size: int
    mode: int
    offset: int
    header: int
    next: int


class ZipFormat(ArchiveFormat):
    """A zip file with stored or deflated members. A member's version is its time, with its checksum in the nanoseconds."""

    def __init__(self, file: ArchiveFile) -> None:
        """Find the directory; ``AddressError`` if there is none."""
        self._file = file
        self._start, self._end, self._shift = self._directory()

    def members(self) -> Iterator[Member]:
        """Yield every regular file, in the order of the directory."""
        offset = self._start
        while offset < self._end:
            try:
                entry = self._entry(offset)
            except ReadError as error:
                yield Member(b"", 0, b"", offset, error=error.message)
                return
            if not entry.name.endswith(b"/") and stat.S_IFMT(entry.mode) in (0, stat.S_IFREG):
                try:
                    yield _member(entry)
                except ReadError as error:
                    yield Member(entry.name, 0, b"", offset, error=error.message)
            offset = entry.next

    def member(self, offset: int) -> Member:
        """Return the member whose entry in the directory is at ``offset``."""
        return _member(self._entry(offset))

    def read(self, offset: int, *, limit: int) -> bytes:
        """Return the content of the member, verified against its checksum."""
        entry = self._entry(offset)
        if entry.size > limit:
            raise too_large(entry.name, entry.size, limit)
        data = self._content(entry, entry.size + 1)  # one byte more than declared, to detect a member that is longer
        if len(data) > entry.size:
            message = f"{printable(entry.name)} has more bytes than the {entry.size} that the archive declares"
            raise ReadError(message, code="limit-bytes")
        if len(data) < entry.size or zlib.crc32(data) != entry.crc:
            raise unreadable(entry.name, "damaged in the archive: its checksum does not match")
        return data

    def head(self, offset: int, size: int) -> bytes:
        """Return the first ``size`` bytes of the member."""
        return self._content(self._entry(offset), size)

    def _content(self, entry: _Entry, max_size: int) -> bytes:
        _member(entry)  # raises if the member cannot be read
        local = self._file.read(_LOCAL.size, entry.header)
        if len(local) < _LOCAL.size or not local.startswith(b"PK\3\4"):
            raise self._file.damaged(entry.header, f"the header of {printable(entry.name)} is missing")
        *_, name, extra = _LOCAL.unpack(local)
        data = entry.header + _LOCAL.size + name + extra
        if entry.method == _STORED:
            return self._file.read(min(entry.stored, max_size), data)
        return self._inflated(entry, data, max_size)

    def _inflated(self, entry: _Entry, offset: int, max_size: int) -> bytes:
        """Decompress at most ``max_size`` bytes, so that a decompression bomb does no harm."""
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        parts, missing, end = [], max_size, offset + entry.stored
        try:
            while missing > 0 and offset < end and not inflate.eof:
                compressed = self._file.read(min(_CHUNK_SIZE, end - offset), offset)
                if not compressed:
                    break
                part = inflate.decompress(compressed, missing)
                offset += len(compressed)
                parts.append(part)
                missing -= len(part)
        except zlib.error:
            raise unreadable(entry.name, "damaged in the archive: it cannot be decompressed") from None
        return b"".join(parts)

    def _directory(self) -> tuple[int, int, int]:
        """Return start and end of the directory, and the length of any data before the archive, which shifts all offsets."""
        file = self._file
        tail_offset = max(0, file.size - _END.size - _MAX_COMMENT_SIZE)
        tail = file.read(_END.size + _MAX_COMMENT_SIZE, tail_offset)
        index = tail.rfind(b"PK\5\6")
        if index < 0 or index + _END.size > len(tail):
            raise AddressError(f"{printable(file.path)} is not a zip file, or its end is missing")
        _, disk, first_disk, _, _, size, offset, _ = _END.unpack_from(tail, index)
        end = tail_offset + index
        locator = file.read(_END_64_LOCATOR.size, end - _END_64_LOCATOR.size) if end >= _END_64_LOCATOR.size else b""
        if locator.startswith(b"PK\6\7"):
            end, size, offset = self._directory_64(end - _END_64_LOCATOR.size, locator, size, offset)
        elif (disk, first_disk) != (0, 0):
            raise AddressError(
                f"{printable(file.path)} is one part of a split zip file", hint="join the parts: zip -s 0 in.zip --out out.zip"
            )
        shift = end - size - offset
        if shift < 0:
            raise AddressError(f"{printable(file.path)} is truncated or damaged: its directory is not at the recorded offset")
        return offset + shift, end, shift

    def _directory_64(self, locator_offset: int, locator: bytes, size: int, offset: int) -> tuple[int, int, int]:
        """Return the end, size and offset of the directory from the zip64 records of large archives."""
        record_offset = _END_64_LOCATOR.unpack(locator)[2]
        for candidate in (record_offset, locator_offset - _END_64.size):  # the second if there is data before the archive
            record = self._file.read(_END_64.size, candidate)
            if len(record) == _END_64.size and record.startswith(b"PK\6\6"):
                *_, size, offset = _END_64.unpack(record)
                return candidate, size, offset
        return locator_offset, size, offset

    def _entry(self, offset: int) -> _Entry:
        fixed = self._file.read(_ENTRY.size, offset)
        if len(fixed) < _ENTRY.size or not fixed.startswith(b"PK\1\2"):
            raise self._file.damaged(offset, "an entry of the directory is missing")
        fields = _ENTRY.unpack(fixed)
        _, _, system, _, flags, method, time, date, crc, stored, size, name_size, extra_size, comment_size, _, _, mode, header = (
            fields
        )
        variable = self._file.read(name_size + extra_size, offset + _ENTRY.size)
        name, extra = variable[:name_size], variable[name_size:]
        size, stored, header = _with_zip64(extra, [size, stored, header])
        return _Entry(
            name=name if flags & _IS_UTF8 else name.decode("cp437").encode(),
            flags=flags,
            method=method,
            modified=(date, time),
            crc=crc,
            stored=stored,
            size=size,
            mode=mode >> 16 if system == _UNIX else 0,
            offset=offset,
            header=header + self._shift,
            next=offset + _ENTRY.size + name_size + extra_size + comment_size,
        )


def _member(entry: _Entry) -> Member:
    path = safe_name(entry.name)
    if entry.flags & _ENCRYPTED:
        raise unreadable(path, "encrypted")
    if entry.method not in (_STORED, _DEFLATED):
        hint = "unpack the archive, or create it again with deflate compression"
        raise unreadable(path, f"compressed with a method (number {entry.method}) that cannot be read in place", hint=hint)
    # Times have a resolution of two seconds: the digits below that have space for the checksum, and the version stays a time.
    return Member(path, entry.size, b"%d" % (_nanoseconds(*entry.modified) + entry.crc % (2 * 10**9)), entry.offset)


def _with_zip64(extra: bytes, values: list[int]) -> list[int]:
    """Replace the ``values`` that did not fit into 32 bits by those from the zip64 field of ``extra``."""
    offset = 0
    while offset + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, offset)
        if kind == _ZIP_64:
            large = iter(struct.unpack_from(f"<{min(size, len(extra) - offset - 4) // 8}Q", extra, offset + 4))
            return [next(large, value) if value == _SATURATED else value for value in values]
        offset += 4 + size
    return values


def _nanoseconds(date: int, time: int) -> int:
    """Return an MS-DOS time as nanoseconds. It has no time zone, taken as UTC, and no odd seconds."""
    day = (1980 + (date >> 9), date >> 5 & 15, date & 31)
    clock = (time >> 11, time >> 5 & 63, (time & 31) * 2)
    return calendar.timegm((*day, *clock)) * 10**9 if day[1] in range(1, 13) else 0
