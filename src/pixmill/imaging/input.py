"""``Input``: the bytes of one source image, in memory or in a file."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

HEAD = 4096  # enough for the signature of every format that is sniffed
CHUNK = 1 << 20


class Input:
    """A source image: ``data`` when its bytes are in memory, ``path`` when a decoder may stream it from a file."""

    def __init__(self, data: bytes | None = None, *, path: bytes | str | Path | None = None) -> None:
        """Take bytes, or the path of a local file that is not read before a decoder asks."""
        self.data = data
        self.path = path

    @cached_property
    def head(self) -> bytes:
        """Return the first 4,096 bytes, for sniffing."""
        if self.data is not None:
            return self.data[:HEAD]
        with Path(self.name).open("rb") as file:
            return file.read(HEAD)

    @property
    def tail(self) -> bytes:
        """Return the last 4,096 bytes, which tell whether a file is whole."""
        if self.data is not None:
            return self.data[-HEAD:]
        with Path(self.name).open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - HEAD))
            return file.read()

    @property
    def name(self) -> str:
        """Return the local path as text, undecodable bytes escaped as Python does; empty for bytes in memory."""
        path = self.path
        if path is None:
            return ""
        return path.decode("utf-8", "surrogateescape") if isinstance(path, bytes) else str(path)

    def read(self) -> bytes:
        """Return the whole content."""
        return self.data if self.data is not None else Path(self.name).read_bytes()

    def chunks(self) -> Iterator[bytes]:
        """Yield the content in pieces: one when it is in memory, else of a mebibyte each."""
        if self.data is not None:
            yield self.data
            return
        with Path(self.name).open("rb") as file:
            while piece := file.read(CHUNK):
                yield piece
