"""``Input``: the bytes of one source image, in memory or in a file."""

from collections.abc import Iterator
from functools import cached_property
from mmap import ACCESS_READ, mmap
from pathlib import Path

#: The whole content of a file, in memory or mapped into it.
Data = bytes | mmap

HEAD_BYTES = 4096  # enough for the signature of every format
CHUNK_BYTES = 1 << 20


class Input:
    """A source image: ``data`` if its bytes are in memory, ``path`` if a decoder may stream it from a file.

    ``is_checked``: what a decoder may warn about has been looked at, and only its errors count.
    """

    def __init__(self, data: bytes | None = None, *, path: bytes | str | Path | None = None, is_checked: bool = False) -> None:
        """Take bytes, or the path of a local file, which is read only when a decoder needs it."""
        self.data = data
        self.path = path
        self.is_checked = is_checked

    @cached_property
    def head(self) -> bytes:
        """Return the first 4,096 bytes, for sniffing."""
        if self.data is not None:
            return self.data[:HEAD_BYTES]
        with Path(self.name).open("rb") as file:
            return file.read(HEAD_BYTES)

    @property
    def tail(self) -> bytes:
        """Return the last 4,096 bytes, which show whether a file is complete."""
        if self.data is not None:
            return self.data[-HEAD_BYTES:]
        with Path(self.name).open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - HEAD_BYTES))
            return file.read()

    @property
    def name(self) -> str:
        """Return the local path as text, with undecodable bytes escaped as surrogates; empty for bytes in memory."""
        path = self.path
        if path is None:
            return ""
        return path.decode("utf-8", "surrogateescape") if isinstance(path, bytes) else str(path)

    def read(self) -> bytes:
        """Return the whole content."""
        return self.data if self.data is not None else Path(self.name).read_bytes()

    def mapped(self) -> Data:
        """Return the whole content, that of a file without reading it yet."""
        if self.data is not None:
            return self.data
        with Path(self.name).open("rb") as file:
            return mmap(file.fileno(), 0, access=ACCESS_READ)

    def chunks(self) -> Iterator[bytes]:
        """Yield the content in chunks: a single one if it is in memory, otherwise 1 MiB each."""
        if self.data is not None:
            yield self.data
            return
        with Path(self.name).open("rb") as file:
            while piece := file.read(CHUNK_BYTES):
                yield piece
