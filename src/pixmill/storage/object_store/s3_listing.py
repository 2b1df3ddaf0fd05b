"""List the keys of an S3 bucket by its own protocol (ListObjectsV2), so that no key hides another.

Only with keys from the environment or a profile, since obstore does not pass on those that a machine provides.
Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from html import unescape
from http.client import HTTPException
from urllib.parse import quote, unquote, urlsplit

from pixmill.storage.object_store.key_listing import PAGE_SIZE, KeyPage, ListedKey
from pixmill.storage.object_store.signature import AccessKey, query_text, signed_headers

TIMEOUT = 20.0  # seconds without a byte
MAX_PAGE_BYTES = 16 << 20
_CONTENTS = re.compile(r"<Contents>(.*?)</Contents>", re.DOTALL)
_PREFIXES = re.compile(r"<CommonPrefixes>(.*?)</CommonPrefixes>", re.DOTALL)
_FIELDS = {name: re.compile(f"<{name}>(.*?)</{name}>", re.DOTALL) for name in ("Key", "Size", "ETag", "Prefix")}
_TRUNCATED = re.compile(r"<IsTruncated>\s*true\s*</IsTruncated>")
_TOKEN = re.compile(r"<NextContinuationToken>(.*?)</NextContinuationToken>", re.DOTALL)
_ENCODED = re.compile(r"<EncodingType>\s*url\s*</EncodingType>")


class ListingFailedError(Exception):
    """A request for a listing failed. Its text has the form of obstore's errors, which ``errors`` can read."""


class S3Listing:
    """The keys below ``prefix`` of ``bucket``, at ``endpoint``; unsigned without an ``access_key``.

    ``certificates`` is a file with those of further authorities, or empty.
    """

    def __init__(self, *, endpoint: str, bucket: str, prefix: str, access_key: AccessKey | None, certificates: str) -> None:
        """Send no request yet."""
        self._url = f"{endpoint.rstrip('/')}/{quote(bucket)}"
        self._below = f"{prefix}/" if prefix else ""
        self._access_key = access_key
        self._context = None
        if certificates and endpoint.startswith("https:"):
            self._context = ssl.create_default_context()
            self._context.load_verify_locations(certificates)

    def pages(self, prefix: str, *, start_after: str = "", has_delimiter: bool = False, size: int = PAGE_SIZE) -> Iterator[KeyPage]:
        """Yield the keys that begin with ``prefix`` and come after ``start_after``."""
        query = {"prefix": self._below + prefix}
        if start_after:
            query["start-after"] = self._below + start_after
        if has_delimiter:
            query["delimiter"] = "/"
        more: dict[str, str] = {}
        while True:
            text = self._get({"list-type": "2", "encoding-type": "url", "max-keys": str(size), **query, **more})
            token = _TOKEN.search(text) if _TRUNCATED.search(text) else None
            is_encoded = _ENCODED.search(text) is not None
            folders = [self._name(_field("Prefix", each), is_encoded=is_encoded) for each in _PREFIXES.findall(text)]
            yield KeyPage(self._keys(text, is_encoded=is_encoded), folders, token is None)
            if token is None:
                return
            more = {"continuation-token": unescape(token[1])}

    def _keys(self, text: str, *, is_encoded: bool) -> list[ListedKey]:
        return [
            ListedKey(
                self._name(_field("Key", each), is_encoded=is_encoded),
                int(_field("Size", each) or 0),
                unescape(_field("ETag", each)).strip('"'),
            )
            for each in _CONTENTS.findall(text)
        ]

    def _name(self, text: str, *, is_encoded: bool) -> str:
        return (unquote(text.replace("+", "%20")) if is_encoded else unescape(text)).removeprefix(self._below)

    def _get(self, query: Mapping[str, str]) -> str:
        split = urlsplit(self._url)
        headers = {}
        if self._access_key is not None:
            headers = signed_headers(self._access_key, host=split.netloc, path=split.path, query=query, now=time.time())
        request = urllib.request.Request(f"{self._url}?{query_text(query)}", headers=headers)  # noqa: S310  # http or https: see ``client_options``
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT, context=self._context) as response:  # noqa: S310  # the same
                data: bytes = response.read(MAX_PAGE_BYTES + 1)
        except urllib.error.HTTPError as error:
            with error:
                body = error.read(10_000).decode(errors="replace")
            raise ListingFailedError(f"- Server returned non-2xx status code: {error.code}: {body}") from None
        except (OSError, ValueError, HTTPException) as error:  # no connection, or an answer that breaks off
            raise ListingFailedError(f"kind: {_kind(error)}, {_reason(error)}") from None
        if not data.rstrip().endswith(b"</ListBucketResult>"):  # cut off, which ``read`` does not tell, or something else
            raise ListingFailedError("kind: Body,")
        return data.decode(errors="replace")


def _field(name: str, text: str) -> str:
    found = _FIELDS[name].search(text)
    return found[1] if found else ""


def _kind(error: Exception) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return "Timeout"
    return "Connect" if isinstance(error, urllib.error.URLError) and not isinstance(reason, ConnectionResetError) else "Body"


def _reason(error: Exception) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return f"certificate: {reason.verify_message}" if isinstance(reason, ssl.SSLCertVerificationError) else ""
