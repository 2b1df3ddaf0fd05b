"""``WebStorage``: what is below one URL, as a storage that is only read and cannot be listed."""

from collections.abc import Callable, Iterator
from http.client import HTTPResponse
from typing import ClassVar, Self
from urllib.parse import quote_from_bytes

from pixmill.core.errors import AddressError, ReadError, RunError
from pixmill.storage.address import Address, relative
from pixmill.storage.entry import Entry, Listing
from pixmill.storage.read_only import ReadOnly
from pixmill.storage.web.body import read_all, read_head
from pixmill.storage.web.client import Client
from pixmill.storage.web.policy import RequestPolicy
from pixmill.storage.web.url import redacted


class WebStorage(ReadOnly):
    """Images by URL. A path is put behind the root, percent-encoded; a place is what follows ``scheme://``, as it stands.

    An entry's version is its ETag, or the time of its last change; empty where a server tells neither.
    """

    scheme: ClassVar[str]

    def __init__(self, root: str, client: Client) -> None:
        """Ask ``client`` for what is below ``root``."""
        self._root = root
        self._client = client

    @classmethod
    def open(cls, address: Address, *, tag: str, follow_symlinks: bool) -> Self:  # noqa: ARG003  # it writes nothing, and has no links
        """Return what is below ``address``, on the terms that stand behind its ``#``."""
        try:
            location, _, fragment = address.location.decode("ascii").partition("#")
        except UnicodeDecodeError:
            raise AddressError(f"{address} is no URL: letters beyond ASCII are written as %XX") from None
        return cls(f"{cls.scheme}://{location.partition('?')[0]}".rstrip("/") + "/", Client(RequestPolicy.parse(fragment)))

    def stat(self, path: bytes) -> Entry | None:
        """Return what the server says is there, or ``None``."""
        url = self._url(path)
        try:
            try:
                with self._client.request("HEAD", url, {}) as response:
                    return Entry(path, _size(response), _version(response))
            except ReadError as error:
                if error.code != "read" or error.retryable:
                    raise
            with self._client.request("GET", url, {}) as response:  # it knows no HEAD
                return Entry(path, _size(response), _version(response))
        except ReadError as error:
            if error.code == "read-vanished":
                return None
            raise

    def read(self, path: bytes, *, limit: int) -> bytes:
        """Return the whole content, in one request."""
        url = self._url(path)
        with self._client.request("GET", url, {}) as response:
            if _size(response) > limit:
                raise ReadError(f"{redacted(url)} has {_size(response)} bytes, more than the limit of {limit}", code="limit-bytes")
            return read_all(response, url, limit=limit)

    def head(self, path: bytes, size: int) -> bytes:
        """Return the first bytes; of a server that knows no ranges no more is read either."""
        url = self._url(path)
        with self._client.request("GET", url, {"Range": f"bytes=0-{max(0, size - 1)}"}) as response:
            return read_head(response, url, size=size)

    def list(
        self,
        under: bytes = b"",
        *,
        descend: Callable[[bytes], bool] | None = None,  # noqa: ARG002  # there is nothing to enter
        on_error: Callable[[bytes, ReadError], None] | None = None,  # noqa: ARG002  # nor to look at
        on_link: Callable[[bytes], None] | None = None,  # noqa: ARG002  # the same
    ) -> Iterator[Listing]:
        """Refuse to: the web has no listings."""
        raise AddressError(
            f"{redacted(self._url(under) if under else self._root)} is no folder: a server does not list what it has",
            hint="give a file that names the URLs: pixmill run urls.txt DST",
        )

    def local_path(self, path: bytes) -> None:
        """Return ``None``: nothing here has a place in the file system."""
        self._url(path)

    def read_only_error(self, path: bytes) -> RunError:
        """Return that the web is only read."""
        return RunError(f"{redacted(self._url(path))} is on the web, which is only read", code="read-only")

    def _url(self, path: bytes) -> str:
        if path.startswith(b"\0"):
            return f"{self.scheme}://{path[1:].decode('ascii', 'replace')}"
        return self._root + quote_from_bytes(relative(path), safe="/~!$&'()*+,;=:@")


def _size(response: HTTPResponse) -> int:
    """Return the number of bytes that are announced, 0 when that is not known before they have come."""
    length = response.headers.get("Content-Length", "")
    is_plain = response.headers.get("Content-Encoding", "identity").strip().lower() in ("", "identity")
    return int(length) if length.isdigit() and is_plain else 0


def _version(response: HTTPResponse) -> bytes:
    return (response.headers.get("ETag") or response.headers.get("Last-Modified") or "").strip().encode("latin-1", "replace")
