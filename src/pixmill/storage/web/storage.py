"""``WebStorage``: the images below one URL, as a storage that is read-only and cannot be listed."""

from email.utils import parsedate_to_datetime
from http.client import HTTPResponse
from typing import ClassVar, Self
from urllib.parse import quote_from_bytes

from pixmill.core.errors import AddressError, ReadError, RunError
from pixmill.core.text import redacted
from pixmill.storage.address import Address, relative
from pixmill.storage.entry import Entry
from pixmill.storage.read_only import NotListed
from pixmill.storage.storage import too_large
from pixmill.storage.web.body import read_all, read_head
from pixmill.storage.web.client import Client
from pixmill.storage.web.policy import RequestPolicy


class WebStorage(NotListed):
    """Images by URL. A path is percent-encoded and appended to the root; a locator is the part after ``scheme://``, unchanged.

    An entry's version is its ETag, or its ``Last-Modified`` time; empty if the server sends neither.
    """

    scheme: ClassVar[str]

    def __init__(self, root: str, client: Client) -> None:
        """Read the images below ``root`` through ``client``."""
        self._root = root
        self._client = client

    @classmethod
    def open(cls, address: Address, *, tag: str, follow_symlinks: bool) -> Self:  # noqa: ARG003  # it writes nothing, and has no links
        """Return the storage at ``address``, with the request policy after its ``#``."""
        try:
            location, _, fragment = address.location.decode("ascii").partition("#")
        except UnicodeDecodeError:
            message = f"{address} is not a valid URL: it contains characters beyond ASCII"
            raise AddressError(message, hint="write these characters percent-encoded, as %XX") from None
        return cls(f"{cls.scheme}://{location.partition('?')[0]}".rstrip("/") + "/", Client(RequestPolicy.parse(fragment)))

    def stat(self, path: bytes) -> Entry | None:
        """Return the entry that the server reports, or ``None``."""
        url = self._url(path)
        try:
            try:
                with self._client.request("HEAD", url, {}) as response:
                    return Entry(path, _size(response), _version(response))
            except ReadError as error:
                if error.code != "read" or error.retryable:
                    raise
            with self._client.request("GET", url, {}) as response:  # it does not support HEAD
                return Entry(path, _size(response), _version(response))
        except ReadError as error:
            if error.code == "read-vanished":
                return None
            raise

    def modified_ns(self, path: bytes) -> int | None:
        """Return when the server says that the file was last modified, or ``None``."""
        url = self._url(path)
        with self._client.request("GET", url, {"Range": "bytes=0-0"}) as response:
            text = response.headers.get("Last-Modified", "")
        try:
            return int(parsedate_to_datetime(text).timestamp() * 1_000_000_000)
        except ValueError:
            return None

    def read(self, path: bytes, *, limit: int) -> bytes:
        """Return the complete content, in one request."""
        url = self._url(path)
        with self._client.request("GET", url, {}) as response:
            if _size(response) > limit:
                raise too_large(redacted(url), _size(response), limit)
            return read_all(response, url, limit=limit)

    def head(self, path: bytes, size: int) -> bytes:
        """Return the first bytes; no more are read even if the server does not support ranges."""
        url = self._url(path)
        with self._client.request("GET", url, {"Range": f"bytes=0-{max(0, size - 1)}"}) as response:
            return read_head(response, url, size=size)

    def unlisted_error(self, under: bytes) -> AddressError:
        """Return the error for a listing: a web server has none."""
        return AddressError(
            f"{redacted(self._url(under) if under else self._root)} cannot be listed: a web server does not list its files",
            hint="write the URLs of the images into a file, then run: pixmill run urls.txt DST",
        )

    def local_path(self, path: bytes) -> None:
        """Return ``None``: a URL has no path in the file system."""
        self._url(path)

    def read_only_error(self, path: bytes) -> RunError:
        """Return the error for writing to the web."""
        message = f"{redacted(self._url(path))} is on the web, which pixmill only reads"
        return RunError(message, code="read-only", hint="choose a folder or a bucket as the destination")

    def _url(self, path: bytes) -> str:
        if path.startswith(b"\0"):
            return f"{self.scheme}://{path[1:].decode('ascii', 'replace')}"
        return self._root + quote_from_bytes(relative(path), safe="/~!$&'()*+,;=:@")


def _size(response: HTTPResponse) -> int:
    """Return the announced number of bytes, 0 if it is not known in advance."""
    length = response.headers.get("Content-Length", "")
    is_plain = response.headers.get("Content-Encoding", "identity").strip().lower() in ("", "identity")
    return int(length) if length.isdigit() and is_plain else 0


def _version(response: HTTPResponse) -> bytes:
    return (response.headers.get("ETag") or response.headers.get("Last-Modified") or "").strip().encode("latin-1", "replace")
