"""The layout of a tar file: a header block before each member, found by going from one to the next.

The format: POSIX.1-2001, *pax*, "ustar Interchange Format" and "pax Extended Header"; GNU's long names and large numbers
as its manual has them. https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
"""

from collections.abc import Iterator

import msgspec

from pixmill.core.errors import AddressError, ReadError
from pixmill.core.text import printable
from pixmill.storage.archives.format import ArchiveFile, ArchiveFormat, Member, safe_name, too_large, unreadable

BLOCK = 512
_EMPTY = bytes(BLOCK)
_FILES, _LINK, _SPARSE = b"0\x007", b"1", b"S"
_WITHOUT_CONTENT = b"123456"  # links, devices, folders and pipes
_PAX, _PAX_FOR_ALL, _LONG_NAME, _LONG_LINK = b"x", b"g", b"L", b"K"
_PREFIXES = _PAX + _PAX_FOR_ALL + _LONG_NAME + _LONG_LINK
_LARGEST_PREFIX = 1 << 20  # bytes; longer names are an attack
_NANO = 10**9
_COMPRESSED = {
    b"\x1f\x8b": ("gzip", "gunzip"),
    b"BZh": ("bzip2", "bunzip2"),
    b"\xfd7zXZ": ("xz", "unxz"),
    b"\x28\xb5\x2f\xfd": ("zstd", "unzstd"),
}


class _Header(msgspec.Struct, gc=False):
    """A header with all that stands before it. ``data`` is where the content begins, ``end`` where the next header does."""

    name: bytes
    kind: bytes
    link: bytes
    size: int
    mtime_ns: int
    at: int
    data: int
    is_sparse: bool

    @property
    def end(self) -> int:
        stored = 0 if self.kind in _WITHOUT_CONTENT else self.size
        return self.data + -(-stored // BLOCK) * BLOCK


class TarFormat(ArchiveFormat):
    """A plain tar file. Its members are read in place; a member without a time of its own has the archive's."""

    def __init__(self, file: ArchiveFile) -> None:
        """Look at the beginning; ``AddressError`` when that is of no tar file."""
        self._file = file
        beginning = file.read(BLOCK, 0)
        for magic, (name, command) in _COMPRESSED.items():
            if beginning.startswith(magic):
                message = (
                    f"{printable(file.path)} is compressed with {name} as a whole: to read one image, all before it would be read"
                )
                raise AddressError(message, hint=f"{command} {printable(file.path)}")
        try:
            self._find(0)
        except ReadError:
            raise AddressError(f"{printable(file.path)} is no tar file, or its beginning is damaged") from None

    def members(self) -> Iterator[Member]:
        """Yield every regular file and hard link, in the order of the archive."""
        at = 0
        while True:
            try:
                found = self._find(at)
            except ReadError as error:
                yield Member(b"", 0, b"", at, error=error.message)
                return
            if found is None:
                return
            if found.kind in _FILES + _LINK + _SPARSE and not found.name.endswith(b"/"):
                try:
                    yield self._member(found)
                except ReadError as error:
                    yield Member(found.name, 0, b"", at, error=error.message)
            at = found.end

    def member(self, at: int) -> Member:
        """Return the member whose header is at ``at``."""
        return self._member(self._existing(at))

    def read(self, at: int, *, limit: int) -> bytes:
        """Return the content of the member at ``at``."""
        found = self._existing(at)
        if found.size > limit:
            raise too_large(found.name, found.size, limit)
        return self._content(found, found.size)

    def head(self, at: int, size: int) -> bytes:
        """Return the first ``size`` bytes of the member at ``at``."""
        found = self._existing(at)
        return self._content(found, min(size, found.size))

    def _content(self, found: _Header, size: int) -> bytes:
        data = self._file.read(size, found.data)
        if len(data) < size:
            raise unreadable(found.name, "cut off: the archive ends in the middle of it")
        return data

    def _member(self, found: _Header) -> Member:
        path = safe_name(found.name)
        if found.is_sparse or found.kind == _SPARSE:
            raise unreadable(path, "stored as a sparse file, with its holes left out", hint="make the archive without --sparse")
        if found.kind == _LINK:
            return Member(path, 0, b"", found.at, link=safe_name(found.link))
        if found.data + found.size > self._file.size:
            raise unreadable(path, "cut off: the archive ends in the middle of it")
        return Member(path, found.size, b"%d" % (found.mtime_ns or self._file.mtime_ns), found.at)

    def _existing(self, at: int) -> _Header:
        found = self._find(at)
        if found is None:
            raise self._file.damaged(at, "there should be a member")
        return found

    def _find(self, at: int) -> _Header | None:
        """Return the header at ``at`` or, where that only tells more of the next one, both as one; ``None`` at the end."""
        start, told = at, dict[bytes, bytes]()
        while True:
            block = self._file.read(BLOCK, at)
            if not block or block == _EMPTY:
                return None
            self._check(block, at)
            kind, size = block[156:157], _number(block[124:136])
            if kind not in _PREFIXES:
                return self._described(block, told, start, at + BLOCK)
            if size > _LARGEST_PREFIX:
                raise self._file.damaged(at, "a name or attribute is longer than any should be")
            content = self._file.read(size, at + BLOCK)
            told.update(_extended_header(kind, content))
            at += BLOCK + -(-size // BLOCK) * BLOCK

    def _described(self, block: bytes, told: dict[bytes, bytes], start: int, data: int) -> _Header:
        more = block[156:157] == _SPARSE and block[482:483]
        while more and more != b"\0":  # the map of an old sparse file goes on in blocks of its own
            more = self._file.read(BLOCK, data)[504:505]
            data += BLOCK
        try:
            return _header(block, told, start, data)
        except ValueError:
            raise self._file.damaged(start, "a number in the header is none") from None

    def _check(self, block: bytes, at: int) -> None:
        if len(block) < BLOCK:
            raise self._file.damaged(at, "it ends in the middle of a header")
        try:
            is_whole = sum(block) - sum(block[148:156]) + 8 * 0x20 == _number(block[148:156])
            _number(block[124:136])
        except ValueError:
            is_whole = False
        if not is_whole:
            raise self._file.damaged(at, "there is no header of a member, or a damaged one")


def _header(block: bytes, extended_header: dict[bytes, bytes], start: int, data: int) -> _Header:
    """Put a header together; ``ValueError`` when a number in it is none."""
    prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else b""
    name = _text(block[:100])
    return _Header(
        name=extended_header.get(b"path") or (prefix + b"/" + name if prefix else name),
        kind=block[156:157],
        link=extended_header.get(b"linkpath") or _text(block[157:257]),
        size=_decimal(extended_header[b"size"]) if b"size" in extended_header else _number(block[124:136]),
        mtime_ns=_nanoseconds(extended_header[b"mtime"]) if b"mtime" in extended_header else _number(block[136:148]) * _NANO,
        at=start,
        data=data,
        is_sparse=any(key.startswith(b"GNU.sparse.") for key in extended_header),
    )


def _extended_header(kind: bytes, content: bytes) -> dict[bytes, bytes]:
    """Return what a block in front of a header tells of it."""
    if kind == _LONG_NAME:
        return {b"path": _text(content)}
    if kind == _LONG_LINK:
        return {b"linkpath": _text(content)}
    return _attributes(content) if kind == _PAX else {}  # those for all members name no single file


def _attributes(content: bytes) -> dict[bytes, bytes]:
    """Read pax attributes: lines of ``length key=value``, the length being that of the whole line."""
    attributes = {}
    while content:
        length, _, rest = content.partition(b" ")
        if not length.isdigit() or not 0 < int(length) <= len(content):
            break
        key, _, value = rest[: int(length) - len(length) - 1].removesuffix(b"\n").partition(b"=")
        attributes[key] = value
        content = content[int(length) :]
    return attributes


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _number(field: bytes) -> int:
    """Read octal digits or, where the first bit is set, GNU's binary form."""
    if field[0] & 0x80:
        return int.from_bytes(field, "big", signed=True) & ((1 << (8 * len(field) - 1)) - 1)
    digits = field.strip(b" \0") or b"0"
    if not digits.isdigit():
        raise ValueError(field)
    return int(digits, 8)


def _decimal(digits: bytes) -> int:
    if not digits.isdigit():
        raise ValueError(digits)
    return int(digits)


def _nanoseconds(seconds: bytes) -> int:
    """Read a time such as ``1700000000.123456789``, exactly."""
    whole, _, fraction = seconds.partition(b".")
    return int(whole) * _NANO + int(fraction[:9].ljust(9, b"0") or b"0")
