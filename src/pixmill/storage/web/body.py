"""The content of an answer: all of it, not more than is wanted, and decompressed where a server insists."""

import http.client
import zlib
from collections.abc import Iterator

from pixmill.core.errors import ReadError
from pixmill.storage.web.url import redacted

_PIECE = 1 << 16
_WINDOWS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}


def read_all(response: http.client.HTTPResponse, url: str, *, limit: int) -> bytes:
    """Return the whole content; ``ReadError`` ``limit-bytes`` as soon as it is known to be more than ``limit`` bytes.

    ``read-cut-off``, which is worth another try, when fewer bytes came than were announced.
    """
    data = read_head(response, url, size=limit + 1)
    if len(data) > limit:
        raise ReadError(f"{redacted(url)} has more than the limit of {limit} bytes", code="limit-bytes")
    return data


def read_head(response: http.client.HTTPResponse, url: str, *, size: int) -> bytes:
    """Return the first ``size`` bytes of the content, fewer when there are fewer. No more than that is ever held."""
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return _joined(_pieces(response), size)
    if encoding not in _WINDOWS:
        raise ReadError(
            f"{redacted(url)} was sent compressed with a method that was not asked for: {encoding[:20]!r}", code="read-url"
        )
    try:
        return _joined(_inflated(_pieces(response), _WINDOWS[encoding], size), size)
    except zlib.error:
        raise ReadError(f"{redacted(url)} was sent with damaged compression", code="read-cut-off", retryable=True) from None


def _joined(pieces: Iterator[bytes], size: int) -> bytes:
    parts, missing = [], size
    for piece in pieces:
        parts.append(piece[:missing])
        missing -= len(parts[-1])
        if missing <= 0:
            break
    return b"".join(parts)


def _pieces(response: http.client.HTTPResponse) -> Iterator[bytes]:
    while piece := response.read(_PIECE):
        yield piece
    if response.length:  # what http.client still expects: with a size given, it does not say that too little came
        raise http.client.IncompleteRead(b"", response.length)


def _inflated(pieces: Iterator[bytes], window: int, size: int) -> Iterator[bytes]:
    """Decompress a piece at a time, as far as ``size`` bytes need it: what a bomb would grow to does not matter."""
    inflate = zlib.decompressobj(window)
    for piece in pieces:
        yield inflate.decompress(piece, size)
    if not inflate.eof:
        raise zlib.error
