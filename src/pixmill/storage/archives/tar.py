"""The layout of a tar file: a header block before each member, found by following one header to the next.

The format: POSIX.1-2001, *pax*, "ustar Interchange Format" and "pax Extended Header"; GNU's long names and large numbers
as described in its manual. https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
"""

from collections.abc import Iterator

import msgspec

from pixmill.core.errors import AddressError, ReadError
from pixmill.core.text import printable
from pixmill.storage.archives.format import ArchiveFile, ArchiveFormat, Member, safe_name, unreadable
from pixmill.storage.storage import too_large

BLOCK = 512
_EMPTY = bytes(BLOCK)
_FILES, _LINK, _SPARSE = b"0\x007", b"1", b"S"
_WITHOUT_CONTENT = b"123456"  # links, devices, folders and pipes
_PAX, _PAX_FOR_ALL, _LONG_NAME, _LONG_LINK = b"x", b"g", b"L", b"K"
_PREFIXES = _PAX + _PAX_FOR_ALL + _LONG_NAME + _LONG_LINK
_MAX_PREFIX_SIZE = 1 << 20  # bytes; a longer name is an attack
_NANO = 10**9
_COMPRESSED = {
    b"\x1f\x8b": ("gzip", "gunzip"),
    b"BZh": ("bzip2", "bunzip2"),
    b"\xfd7zXZ": ("xz", "unxz"),
    b"\x28\xb5\x2f\xfd": ("zstd", "unzstd"),
}


class _Header(msgspec.Struct, gc=False):
    """A header with its prefixes, at ``offset``. The content begins at ``data``, the next header at ``end``."""

    name: bytes
    kind: bytes
    link: bytes
    size: int
    mtime_ns: int
    offset: int
    data: int
    is_sparse: bool

    @property
    def end(self) -> int:
        stored = 0 if self.kind in _WITHOUT_CONTENT else self.size
        return self.data + -(-stored // BLOCK) * BLOCK


class TarFormat(ArchiveFormat):
    """A plain tar file. Members are read in place; a member without its own modification time has that of the archive."""

    def __init__(self, file: ArchiveFile) -> None:
        """Check the first header; ``AddressError`` if the file is not a tar file."""
        self._file = file
        beginning = file.read(BLOCK, 0)
        for magic, (name, command) in _COMPRESSED.items():
            if beginning.startswith(magic):
                message = (
                    f"{printable(file.path)} is compressed with {name} as a whole, so reading an image would mean decompressing "
                    "everything before it"
                )
                raise AddressError(message, hint=f"{command} {printable(file.path)}")
        try:
            self._find(0)
        except ReadError:
            raise AddressError(f"{printable(file.path)} is not a tar file, or its first header is damaged") from None

    def members(self) -> Iterator[Member]:
        """Yield every regular file and hard link, in the order of the archive."""
        offset = 0
        while True:
            try:
                header = self._find(offset)
            except ReadError as error:
                yield Member(b"", 0, b"", offset, error=error.message)
                return
            if header is None:
                return
            if header.kind in _FILES + _LINK + _SPARSE and not header.name.endswith(b"/"):
                try:
                    yield self._member(header)
                except ReadError as error:
                    yield Member(header.name, 0, b"", offset, error=error.message)
            offset = header.end

    def member(self, offset: int) -> Member:
        """Return the member whose header is at ``offset``."""
        return self._member(self._existing(offset))

    def read(self, offset: int, *, limit: int) -> bytes:
        """Return the content of the member at ``offset``."""
        header = self._existing(offset)
        if header.size > limit:
            raise too_large(header.name, header.size, limit)
        return self._content(header, header.size)

    def head(self, offset: int, size: int) -> bytes:
        """Return the first ``size`` bytes of the member at ``offset``."""
        header = self._existing(offset)
        return self._content(header, min(size, header.size))

    def _content(self, header: _Header, size: int) -> bytes:
        data = self._file.read(size, header.data)
        if len(data) < size:
            raise unreadable(header.name, "truncated: the archive ends in the middle of it")
        return data

    def _member(self, header: _Header) -> Member:
        path = safe_name(header.name)
        if header.is_sparse or header.kind == _SPARSE:
            hint = "create the archive without --sparse"
            raise unreadable(path, "stored as a sparse file, without its holes, which pixmill cannot read", hint=hint)
        if header.kind == _LINK:
            return Member(path, 0, b"", header.offset, link=safe_name(header.link))
        if header.data + header.size > self._file.size:
            raise unreadable(path, "truncated: the archive ends in the middle of it")
        return Member(path, header.size, b"%d" % (header.mtime_ns or self._file.mtime_ns), header.offset)

    def _existing(self, offset: int) -> _Header:
        header = self._find(offset)
        if header is None:
            raise self._file.damaged(offset, "expected a member, found the end of the archive")
        return header

    def _find(self, offset: int) -> _Header | None:
        """Return the header at ``offset``, combined with the one it extends if it is a prefix; ``None`` at the end."""
        start, extended_header = offset, dict[bytes, bytes]()
        while True:
            block = self._file.read(BLOCK, offset)
            if not block or block == _EMPTY:
                return None
            self._check(block, offset)
            kind, size = block[156:157], _number(block[124:136])
            if kind not in _PREFIXES:
                return self._combined(block, extended_header, start, offset + BLOCK)
            if size > _MAX_PREFIX_SIZE:
                raise self._file.damaged(offset, f"a name or attribute is longer than {_MAX_PREFIX_SIZE:,} bytes")
            content = self._file.read(size, offset + BLOCK)
            extended_header.update(_extended_header(kind, content))
            offset += BLOCK + -(-size // BLOCK) * BLOCK

    def _combined(self, block: bytes, extended_header: dict[bytes, bytes], start: int, data: int) -> _Header:
        more = block[156:157] == _SPARSE and block[482:483]
        while more and more != b"\0":  # the map of an old sparse file continues in separate blocks
            more = self._file.read(BLOCK, data)[504:505]
            data += BLOCK
        try:
            return _header(block, extended_header, start, data)
        except ValueError:
            raise self._file.damaged(start, "the header contains an invalid number") from None

    def _check(self, block: bytes, offset: int) -> None:
        if len(block) < BLOCK:
            raise self._file.damaged(offset, "the archive ends in the middle of a header")
        try:
            is_valid = sum(block) - sum(block[148:156]) + 8 * 0x20 == _number(block[148:156])
            _number(block[124:136])
        except ValueError:
            is_valid = False
        if not is_valid:
            raise self._file.damaged(offset, "the header of a member is missing or damaged")


def _header(block: bytes, extended_header: dict[bytes, bytes], start: int, data: int) -> _Header:
    """Combine a header block with its prefixes; ``ValueError`` if it contains an invalid number."""
    prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else b""
    name = _text(block[:100])
    return _Header(
        name=extended_header.get(b"path") or (prefix + b"/" + name if prefix else name),
        kind=block[156:157],
        link=extended_header.get(b"linkpath") or _text(block[157:257]),
        size=_decimal(extended_header[b"size"]) if b"size" in extended_header else _number(block[124:136]),
        mtime_ns=_nanoseconds(extended_header[b"mtime"]) if b"mtime" in extended_header else _number(block[136:148]) * _NANO,
        offset=start,
        data=data,
        is_sparse=any(key.startswith(b"GNU.sparse.") for key in extended_header),
    )


def _extended_header(kind: bytes, content: bytes) -> dict[bytes, bytes]:
    """Return the attributes that a block before a header sets for it."""
    if kind == _LONG_NAME:
        return {b"path": _text(content)}
    if kind == _LONG_LINK:
        return {b"linkpath": _text(content)}
    return _attributes(content) if kind == _PAX else {}  # attributes for all members name no single file


def _attributes(content: bytes) -> dict[bytes, bytes]:
    """Parse pax attributes: lines of ``length key=value``, where the length is that of the complete line."""
    attributes = {}
    while content:
        length, _, remainder = content.partition(b" ")
        if not length.isdigit() or not 0 < int(length) <= len(content):
            break
        key, _, value = remainder[: int(length) - len(length) - 1].removesuffix(b"\n").partition(b"=")
        attributes[key] = value
        content = content[int(length) :]
    return attributes


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _number(field: bytes) -> int:
    """Parse octal digits or, if the first bit is set, GNU's binary form."""
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
    """Parse a time such as ``1700000000.123456789``, exactly."""
    whole, _, fraction = seconds.partition(b".")
    return int(whole) * _NANO + int(fraction[:9].ljust(9, b"0") or b"0")
