"""Addresses of storages, a local path or ``scheme://location``, and the paths inside a storage."""

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Self
from urllib.parse import quote_from_bytes, unquote_to_bytes

import msgspec

from pixmill.core.errors import AddressError
from pixmill.core.text import printable

# one letter before "://" would be a drive letter of another system, never a scheme
_URL = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]+)://(.*)", re.DOTALL)


class Address(msgspec.Struct, frozen=True):
    """The address of a storage. ``location`` is the part after ``scheme://``; for ``file`` a file-system path, as given."""

    scheme: str
    location: bytes

    @classmethod
    def parse(cls, text: str | bytes | os.PathLike[str] | os.PathLike[bytes]) -> Self:
        """Parse a local path or a URL; bytes and path objects are always local paths. ``AddressError`` if it is neither.

        Only text with ``scheme://`` is a URL: ``a:b``, ``-x`` and ``~`` are file names. ``file://`` URLs are percent-decoded.
        """
        location = os.fsencode(text)
        url = _URL.fullmatch(location) if isinstance(text, str) else None
        scheme = url[1].decode().lower() if url else "file"
        if url:
            location = _path_of_file_url(url[2]) if scheme == "file" else url[2]
        if not location and scheme == "file":
            raise AddressError("expected a path or an address, received an empty string")
        if b"\0" in location:
            raise AddressError(f"expected a path or an address, received {printable(location)}, which contains a NUL character")
        return cls(scheme, location)

    @property
    def url(self) -> str:
        """Return the address as a URL that parses back to the same address; a local path in plain ASCII."""
        if self.scheme == "file":
            return f"file://{quote_from_bytes(os.path.abspath(self.location))}"
        return f"{self.scheme}://{os.fsdecode(self.location)}"

    @property
    def local(self) -> Path | None:
        """Return the file-system path of a local address, ``None`` for any other."""
        return Path(os.fsdecode(self.location)) if self.scheme == "file" else None

    def below(self, root: "Address") -> bytes | None:
        """Return the path of this address relative to ``root``, empty if they are equal; ``None`` if it is not inside ``root``."""
        if self.scheme != root.scheme:
            return None
        own, base = (os.path.realpath(each.location) if each.scheme == "file" else each.location for each in (self, root))
        own, base = own.rstrip(b"/"), base.rstrip(b"/")
        if own == base:
            return b""
        return own[len(base) + 1 :] if own.startswith(base + b"/") else None

    def __str__(self) -> str:
        """Return the address as a user would write it, safe to print."""
        return printable(self.location if self.scheme == "file" else f"{self.scheme}://{os.fsdecode(self.location)}")


def _path_of_file_url(location: bytes) -> bytes:
    host, slash, path = location.partition(b"/")
    if host not in (b"", b"localhost"):
        shown = printable(location)
        message = f"file://{shown} names a file on the host '{printable(host)}', but file:// reaches only this machine"
        raise AddressError(message, hint=f"write {shown} or file:///{shown}")
    return slash + unquote_to_bytes(path)


@lru_cache(maxsize=64)  # the same path is checked several times in a row
def relative(path: bytes) -> bytes:
    """Return ``path`` if it stays inside the storage it is used on; ``AddressError`` otherwise."""
    # most paths pass these three quick searches and need not be split
    suspect = b"//" in path or b"./" in path or path.endswith((b".", b"/"))
    parts = path.split(b"/") if suspect else ()
    if not path or path.startswith(b"/") or b"\0" in path or any(part in (b"", b".", b"..") for part in parts):
        raise AddressError(f"expected a relative path without '.', '..' or empty parts, received {printable(path)!r}")
    return path
