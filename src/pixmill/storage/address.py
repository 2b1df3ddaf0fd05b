"""Name places: a local path or ``scheme://location``, and the paths inside a storage."""

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Self
from urllib.parse import quote_from_bytes, unquote_to_bytes

import msgspec

from pixmill.core.errors import AddressError
from pixmill.core.text import printable

# one letter before "://" would be a drive of another system, never a scheme
_URL = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]+)://(.*)", re.DOTALL)


class Address(msgspec.Struct, frozen=True):
    """Where a storage is. ``location`` is what follows ``scheme://``; for ``file`` a path of the file system, as given."""

    scheme: str
    location: bytes

    @classmethod
    def parse(cls, text: str | bytes | os.PathLike[str] | os.PathLike[bytes]) -> Self:
        """Read a local path or a URL; bytes and path objects are always local paths.

        Only ``scheme://`` makes a URL: ``a:b``, ``-x`` and ``~`` are file names. ``file://`` URLs are percent-decoded.
        """
        location = os.fsencode(text)
        url = _URL.fullmatch(location) if isinstance(text, str) else None
        scheme = url[1].decode().lower() if url else "file"
        if url:
            location = _path_of_file_url(url[2]) if scheme == "file" else url[2]
        if not location and scheme == "file":
            raise AddressError("expected a path or an address, received nothing")
        if b"\0" in location:
            raise AddressError(f"expected a path or an address, received {printable(location)} with a NUL in it")
        return cls(scheme, location)

    @property
    def url(self) -> str:
        """Return the address as a URL that parses back to the same place; a local path in plain ASCII."""
        if self.scheme == "file":
            return f"file://{quote_from_bytes(os.path.abspath(self.location))}"
        return f"{self.scheme}://{os.fsdecode(self.location)}"

    @property
    def local(self) -> Path | None:
        """Return the path of the file system that the address is, ``None`` where it is none."""
        return Path(os.fsdecode(self.location)) if self.scheme == "file" else None

    def below(self, root: "Address") -> bytes | None:
        """Return the path to this place inside of ``root``, empty for the same place; ``None`` when it is elsewhere."""
        if self.scheme != root.scheme:
            return None
        here, there = (os.path.realpath(each.location) if each.scheme == "file" else each.location for each in (self, root))
        here, there = here.rstrip(b"/"), there.rstrip(b"/")
        if here == there:
            return b""
        return here[len(there) + 1 :] if here.startswith(there + b"/") else None

    def __str__(self) -> str:
        """Return the address as a person would write it, safe to print."""
        return printable(self.location if self.scheme == "file" else f"{self.scheme}://{os.fsdecode(self.location)}")


def _path_of_file_url(rest: bytes) -> bytes:
    host, slash, path = rest.partition(b"/")
    if host not in (b"", b"localhost"):
        shown = printable(rest)
        raise AddressError(f"file://{shown} names a file on the host '{printable(host)}'", hint=f"write {shown} or file:///{shown}")
    return slash + unquote_to_bytes(path)


@lru_cache(maxsize=64)  # a path is asked about several times in a row
def relative(path: bytes) -> bytes:
    """Return ``path`` if it stays inside the storage it is used on; ``AddressError`` otherwise."""
    # most paths pass the three searches; only the rest is taken apart
    suspect = b"//" in path or b"./" in path or path.endswith((b".", b"/"))
    parts = path.split(b"/") if suspect else ()
    if not path or path.startswith(b"/") or b"\0" in path or any(part in (b"", b".", b"..") for part in parts):
        raise AddressError(f"expected a relative path without '.', '..' and empty parts, received {printable(path)!r}")
    return path
