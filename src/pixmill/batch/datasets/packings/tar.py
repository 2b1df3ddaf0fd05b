"""``tar://``: shards as WebDataset lays them out: of each sample its images, ``KEY.jpg``, and ``KEY.json`` that describes them."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, ClassVar

from pixmill.batch.datasets.packing import Packing, ShardReader, ShardWriter
from pixmill.batch.datasets.sample import Sample, description
from pixmill.batch.datasets.tar_blocks import END, header, padding
from pixmill.core.errors import ReadError
from pixmill.core.text import printable
from pixmill.engine.observability.files import line
from pixmill.storage.local.errors import read_error


class TarWriter(ShardWriter):
    """Appends members to an archive. A position is that of a member's first byte."""

    def __init__(self, file: BinaryIO) -> None:
        """Begin an archive."""
        self._file = file
        self._position = 0

    def add(self, sample: Sample, contents: Sequence[bytes]) -> Sequence[int]:
        """Append the members of ``sample``, then its description."""
        positions = [self._append(member.name, content) for member, content in zip(sample.members, contents, strict=True)]
        self._append(sample.key + b".json", line(description(sample)).encode())
        return positions

    def close(self) -> None:
        """Write the end of the archive."""
        self._file.write(END)

    def _append(self, name: bytes, content: bytes) -> int:
        head = header(name, len(content))
        start = self._position + len(head)
        for piece in (head, content, padding(len(content))):
            self._file.write(piece)
            self._position += len(piece)
        return start


class TarReader(ShardReader):
    """Reads members by their position."""

    def __init__(self, path: Path) -> None:
        """Open the archive."""
        self._path = path
        try:
            self._file = path.open("rb", buffering=0)
        except OSError as error:
            raise read_error(error, os.fsencode(path)) from error

    def read(self, position: int, size: int) -> bytes:
        """Return ``size`` bytes from ``position``."""
        try:
            content = os.pread(self._file.fileno(), size, position)
        except OSError as error:
            raise read_error(error, os.fsencode(self._path)) from error
        if len(content) < size:
            raise ReadError(f"{printable(self._path)} ends in the middle of a member")
        return content

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class Tar(Packing):
    """WebDataset shards."""

    suffix: ClassVar = ".tar"
    position: ClassVar = "offset"
    version: ClassVar = 1

    @classmethod
    def check(cls) -> None:
        """Do nothing: it needs no more than Python."""

    @classmethod
    def writer(cls, file: BinaryIO) -> TarWriter:
        """Return what writes an archive to ``file``."""
        return TarWriter(file)

    @classmethod
    def reader(cls, path: Path) -> TarReader:
        """Open the archive at ``path``."""
        return TarReader(path)
