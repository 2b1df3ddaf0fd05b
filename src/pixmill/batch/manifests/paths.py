"""Where an image goes whose path or URL a list names, and what it is read by."""

import os
import posixpath
import re
from collections.abc import Collection
from urllib.parse import quote_from_bytes, unquote_to_bytes

import msgspec

from pixmill.core.errors import AddressError, ReadError
from pixmill.core.text import printable
from pixmill.storage.address import Address

_URL = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]+)://(.*)", re.DOTALL)
_WEB = ("http", "https")
_NO_PLACES = frozenset({"memory", "tar", "zip", "multi"})  # what a list cannot lead into
_AS_THEY_ARE = "%/?:@!$&'()*+,;=~-._[]"
_NAMELESS = b"index"


class MappedPath(msgspec.Struct, frozen=True):
    """``path`` is the image's own below SRC, as it were; ``place`` is where it is, for the storage that goes anywhere."""

    path: bytes
    locator: bytes


class PathMapper:
    """Tells the path of everything that a list in the folder ``base`` names. ``schemes`` are those of storages that there are.

    A file below ``base`` is mirrored from there, any other from the root of the file system. A URL is mirrored as host and path,
    without what follows a ``?``. No path leads out of where it is put.
    """

    def __init__(self, base: bytes, schemes: Collection[str]) -> None:
        """Take the folder that relative paths start from."""
        self._base = os.path.abspath(base)  # noqa: PTH100  # bytes: a name need not be text
        self._schemes = frozenset(schemes) - _NO_PLACES

    def __call__(self, text: bytes) -> MappedPath:
        """Return where what ``text`` names goes; ``ReadError`` when it can name nothing."""
        url = _URL.fullmatch(text)
        if url is None or url[1].lower() == b"file":
            return self._file(_local(text) if url else text)
        scheme = url[1].lower().decode()
        if scheme not in self._schemes:
            raise ReadError(f"a list leads to no place of the kind {scheme}://", code="read-url")
        return _web(scheme, text, url[2]) if scheme in _WEB else _stored(scheme, url[2])

    def _file(self, path: bytes) -> MappedPath:
        if b"\0" in path:
            raise ReadError(f"{printable(path)} holds a NUL, as no path does", code="read-url")
        absolute = posixpath.normpath(posixpath.join(self._base, path)).replace(b"//", b"/")
        inside = self._base.rstrip(b"/") + b"/"
        below = absolute[len(inside) :] if absolute.startswith(inside) else absolute.lstrip(b"/")
        if not below or absolute == self._base:
            raise ReadError(f"{printable(path)} is a folder", code="read-not-a-file")
        return MappedPath(below, b"\0" + absolute)


def _local(url: bytes) -> bytes:
    try:
        return Address.parse(url.decode("utf-8", "surrogateescape")).location
    except AddressError as error:
        raise ReadError(error.message, code="read-url") from None


def _web(scheme: str, text: bytes, rest: bytes) -> MappedPath:
    authority, _, behind = rest.partition(b"#")[0].partition(b"/")
    authority, query_mark, query = authority.partition(b"?")
    if b"@" in authority or not authority:
        raise ReadError("the URL names no host, or holds a user name or password, which would be seen by many", code="read-url")
    host = _ascii_host(authority)
    target = query_mark + query or b"/" + behind
    place = b"\0" + f"{scheme}://{host}{quote_from_bytes(target, safe=_AS_THEY_ARE)}".encode()
    path = b"" if query_mark else behind.partition(b"?")[0]
    return MappedPath(_below(host.encode(), path, text), place)


def _ascii_host(authority: bytes) -> str:
    try:
        host, colon, port = (
            authority.decode().lower().partition(":") if not authority.startswith(b"[") else (authority.decode(), "", "")
        )
        return (host if host.isascii() else host.encode("idna").decode()) + colon + port
    except UnicodeError:
        raise ReadError(f"{printable(authority)!r} is no name of a host", code="read-url") from None


def _stored(scheme: str, rest: bytes) -> MappedPath:
    bucket, _, key = rest.partition(b"/")
    if not bucket or not key or b"\0" in rest or b"@" in bucket:
        raise ReadError(f"expected {scheme}://BUCKET/KEY", code="read-url")
    return MappedPath(_below(bucket, key.replace(b"%", b"%25"), rest), b"\0" + scheme.encode() + b"://" + rest)


def _below(root: bytes, path: bytes, text: bytes) -> bytes:
    """Return ``path``, percent-encoded, below ``root``: ``..`` leads up to there and no further, as RFC 3986 has it in 5.2.4."""
    parts: list[bytes] = []
    for encoded in path.split(b"/"):
        part = unquote_to_bytes(encoded)
        part = encoded if b"/" in part or b"\0" in part else part
        if part == b"..":
            del parts[-1:]
        elif part not in (b"", b"."):
            parts.append(part)
    if root in (b".", b".."):
        raise ReadError(f"{printable(text)} names no host", code="read-url")
    return b"/".join([root, *(parts or [_NAMELESS])])
