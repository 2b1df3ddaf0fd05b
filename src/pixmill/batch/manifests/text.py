"""A list of paths or URLs, one per line or separated by NUL as ``find -print0`` writes them."""

from collections.abc import Iterator
from typing import BinaryIO

from pixmill.batch.manifests.row import ManifestRow

_CHUNK_BYTES = 1 << 16
_MAX_LINE_BYTES = 1 << 16  # longer lines cannot be a path or URL
_BOM = b"\xef\xbb\xbf"  # some editors write it before UTF-8


def read(file: BinaryIO) -> Iterator[ManifestRow]:
    """Yield the rows of ``file``, without empty lines. If its first chunk has a NUL, NULs separate the rows."""
    for number, text in enumerate(_separated(file), 1):
        if len(text) > _MAX_LINE_BYTES:
            yield ManifestRow(number, error="the line is too long for a path or a URL")
        elif text:
            yield ManifestRow(number, text)


def _separated(file: BinaryIO) -> Iterator[bytes]:
    chunk = file.read(_CHUNK_BYTES).removeprefix(_BOM)
    separator = b"\0" if b"\0" in chunk else b"\n"
    partial = b""
    while chunk:
        *lines, partial = (partial + chunk).split(separator)
        yield from (text if separator == b"\0" else text.removesuffix(b"\r") for text in lines)
        partial = partial[: _MAX_LINE_BYTES + 1]
        chunk = file.read(_CHUNK_BYTES)
    yield partial if separator == b"\0" else partial.removesuffix(b"\r")
