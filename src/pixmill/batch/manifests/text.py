"""A list of lines: one path or URL each, or separated by NUL as ``find -print0`` writes them."""

from collections.abc import Iterator
from typing import BinaryIO

from pixmill.batch.manifests.row import ManifestRow

_PIECE = 1 << 16
_LONGEST = 1 << 16  # bytes of one line; more is no path and no URL
_MARK = b"\xef\xbb\xbf"  # what some editors put before UTF-8


def read(file: BinaryIO) -> Iterator[ManifestRow]:
    """Yield the rows of ``file``; empty lines are none. A NUL at the beginning of the file decides what separates them."""
    for number, text in enumerate(_separated(file), 1):
        if len(text) > _LONGEST:
            yield ManifestRow(number, refusal="the line is too long for a path or a URL")
        elif text:
            yield ManifestRow(number, text)


def _separated(file: BinaryIO) -> Iterator[bytes]:
    piece = file.read(_PIECE).removeprefix(_MARK)
    separator = b"\0" if b"\0" in piece else b"\n"
    rest = b""
    while piece:
        *whole, rest = (rest + piece).split(separator)
        yield from (text if separator == b"\0" else text.removesuffix(b"\r") for text in whole)
        rest = rest[: _LONGEST + 1]
        piece = file.read(_PIECE)
    yield rest if separator == b"\0" else rest.removesuffix(b"\r")
