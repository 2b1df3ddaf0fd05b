"""Map each path or URL of a list to a path below the output, and to the locator that it is read by."""

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
_UNSUPPORTED_SCHEMES = frozenset({"memory", "tar", "zip", "parquet", "multi"})
_UNQUOTED = "%/?:@!$&'()*+,;=~-._[]"
_DEFAULT_NAME = b"index"


class MappedPath(msgspec.Struct, frozen=True):
    """``path`` is the path of the image as if it were below SRC; ``locator`` is where it is, for ``MultiStorage``."""

    path: bytes
    locator: bytes


class PathMapper:
    """Maps the entries of a list in the folder ``base`` to paths. ``schemes`` are the schemes of the available storages.

    A file below ``base`` keeps its path relative to ``base``, any other its path from the root of the file system. A URL becomes
    host and path, without its query. No path can lead out of the destination.
    """

    def __init__(self, base: bytes, schemes: Collection[str]) -> None:
        """Take the folder that relative paths are relative to."""
        self._base = os.path.abspath(base)  # noqa: PTH100  # bytes: a name need not be text
        self._schemes = frozenset(schemes) - _UNSUPPORTED_SCHEMES

    def __call__(self, text: bytes) -> MappedPath:
        """Return the path and the locator of the entry ``text``; ``ReadError`` when it is invalid."""
        url = _URL.fullmatch(text)
        if url is None or url[1].lower() == b"file":
            return self._file(_local(text) if url else text)
        scheme = url[1].lower().decode()
        if scheme not in self._schemes:
            raise ReadError(f"lists cannot contain {scheme}:// addresses", code="read-url")
        return _web(scheme, text, url[2]) if scheme in _WEB else _stored(scheme, url[2])

    def _file(self, path: bytes) -> MappedPath:
        if b"\0" in path:
            raise ReadError(f"{printable(path)} contains a NUL, which no path can", code="read-url")
        absolute = posixpath.normpath(posixpath.join(self._base, path)).replace(b"//", b"/")
        prefix = self._base.rstrip(b"/") + b"/"
        relative = absolute[len(prefix) :] if absolute.startswith(prefix) else absolute.lstrip(b"/")
        if not relative or absolute == self._base:
            raise ReadError(f"{printable(path)} is a folder", code="read-not-a-file")
        return MappedPath(relative, b"\0" + absolute)


def _local(url: bytes) -> bytes:
    try:
        return Address.parse(url.decode("utf-8", "surrogateescape")).location
    except AddressError as error:
        raise ReadError(error.message, code="read-url") from None


def _web(scheme: str, text: bytes, remainder: bytes) -> MappedPath:
    authority, _, path_and_query = remainder.partition(b"#")[0].partition(b"/")
    authority, query_mark, query = authority.partition(b"?")
    if b"@" in authority or not authority:
        raise ReadError("the URL has no host, or contains a user name or password, which would appear in logs", code="read-url")
    host = _ascii_host(authority)
    target = query_mark + query or b"/" + path_and_query
    locator = b"\0" + f"{scheme}://{host}{quote_from_bytes(target, safe=_UNQUOTED)}".encode()
    path = b"" if query_mark else path_and_query.partition(b"?")[0]
    return MappedPath(_below(host.encode(), path, text), locator)


def _ascii_host(authority: bytes) -> str:
    try:
        host, colon, port = (
            authority.decode().lower().partition(":") if not authority.startswith(b"[") else (authority.decode(), "", "")
        )
        return (host if host.isascii() else host.encode("idna").decode()) + colon + port
    except UnicodeError:
        raise ReadError(f"{printable(authority)!r} is not a host name", code="read-url") from None


def _stored(scheme: str, remainder: bytes) -> MappedPath:
    bucket, _, key = remainder.partition(b"/")
    if not bucket or not key or b"\0" in remainder or b"@" in bucket:
        raise ReadError(f"expected {scheme}://BUCKET/KEY", code="read-url")
    return MappedPath(_below(bucket, key.replace(b"%", b"%25"), remainder), b"\0" + scheme.encode() + b"://" + remainder)


def _below(root: bytes, path: bytes, text: bytes) -> bytes:
    """Return the percent-encoded ``path``, decoded, below ``root``: ``..`` cannot lead above it, as in RFC 3986, section 5.2.4."""
    parts: list[bytes] = []
    for encoded in path.split(b"/"):
        part = unquote_to_bytes(encoded)
        part = encoded if b"/" in part or b"\0" in part else part
        if part == b"..":
            del parts[-1:]
        elif part not in (b"", b"."):
            parts.append(part)
    if root in (b".", b".."):
        raise ReadError(f"{printable(text)} has no host", code="read-url")
    return b"/".join([root, *(parts or [_DEFAULT_NAME])])
