"""Read the body of a response: complete, within a limit, and decompressed if the server compresses it unasked."""

import http.client
import zlib
from collections.abc import Iterator

from pixmill.core.errors import ReadError
from pixmill.core.text import redacted
from pixmill.storage.storage import too_large

_CHUNK_SIZE = 1 << 16
_WINDOWS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}


def read_all(response: http.client.HTTPResponse, url: str, *, limit: int) -> bytes:
    """Return the complete content; ``ReadError`` ``limit-bytes`` as soon as it exceeds ``limit`` bytes.

    A retryable ``read-cut-off`` if the server sent fewer bytes than it announced.
    """
    data = read_head(response, url, size=limit + 1)
    if len(data) > limit:
        raise too_large(redacted(url), None, limit)
    return data


def read_head(response: http.client.HTTPResponse, url: str, *, size: int) -> bytes:
    """Return the first ``size`` bytes of the content, or all if there are fewer. No more than that is ever in memory."""
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return _joined(_chunks(response), size)
    if encoding not in _WINDOWS:
        raise ReadError(f"{redacted(url)} was sent with a compression that pixmill cannot read: {encoding[:20]!r}", code="read-url")
    try:
        return _joined(_inflated(_chunks(response), _WINDOWS[encoding], size), size)
    except zlib.error:
        raise ReadError(f"{redacted(url)} was sent with damaged compression", code="read-cut-off", retryable=True) from None


def _joined(chunks: Iterator[bytes], size: int) -> bytes:
    parts, missing = [], size
    for chunk in chunks:
        parts.append(chunk[:missing])
        missing -= len(parts[-1])
        if missing <= 0:
            break
    return b"".join(parts)


def _chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    while chunk := response.read(_CHUNK_SIZE):
        yield chunk
    if response.length:  # bytes still missing: http.client does not raise an error itself when it reads with a size
        raise http.client.IncompleteRead(b"", response.length)


def _inflated(chunks: Iterator[bytes], window: int, size: int) -> Iterator[bytes]:
    """Decompress chunk by chunk, as far as ``size`` bytes require, so that a decompression bomb does no harm."""
    inflate = zlib.decompressobj(window)
    for chunk in chunks:
        yield inflate.decompress(chunk, size)
    if not inflate.eof:
        raise zlib.error
