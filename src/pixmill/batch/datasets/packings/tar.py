"""``tar://``: shards in the layout of WebDataset: the images of a sample, ``KEY.jpg``, then ``KEY.txt`` and ``KEY.json``."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, ClassVar

from pixmill.batch.datasets.packing import Packing, ShardReader, ShardWriter
from pixmill.batch.datasets.sample import Sample, description
from pixmill.core.errors import ReadError
from pixmill.core.text import printable
from pixmill.engine.observability.json_lines import json_line
from pixmill.storage.local.errors import read_error

BLOCK = 512
END_OF_ARCHIVE = bytes(2 * BLOCK)
_NAME_FIELD_SIZE = 100
_OCTAL_LIMIT = 8**11
_LONG_NAME = b"././@LongLink"


class TarWriter(ShardWriter):
    """Appends members to an archive. A position is the offset of a member's first byte."""

    def __init__(self, file: BinaryIO) -> None:
        """Begin an archive."""
        self._file = file
        self._position = 0

    def add(self, sample: Sample, contents: Sequence[bytes]) -> Sequence[int]:
        """Append the members of ``sample``, its caption if the dataset has captions, and its description."""
        positions = [self._append(member.name, content) for member, content in zip(sample.members, contents, strict=True)]
        if sample.caption is not None:
            self._append(sample.key + b".txt", sample.caption.encode("utf-8", "replace"))
        self._append(sample.key + b".json", json_line(description(sample)).encode())
        return positions

    def close(self) -> None:
        """Write the end of the archive."""
        self._file.write(END_OF_ARCHIVE)

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
        """Close the file."""
        self._file.close()


class Tar(Packing):
    """WebDataset shards."""

    suffix: ClassVar = ".tar"
    position_name: ClassVar = "offset"
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


def header(name: bytes, size: int) -> bytes:
    """Return what stands before the ``size`` bytes of a file called ``name``."""
    if len(name) < _NAME_FIELD_SIZE:
        return _block(name, size, b"0")
    stored = name + b"\0"
    return _block(_LONG_NAME, len(stored), b"L") + stored + padding(len(stored)) + _block(name[: _NAME_FIELD_SIZE - 1], size, b"0")


def padding(size: int) -> bytes:
    """Return what follows ``size`` bytes, up to the next block."""
    return bytes(-size % BLOCK)


def _block(name: bytes, size: int, kind: bytes) -> bytes:
    fields = (
        name.ljust(_NAME_FIELD_SIZE, b"\0"),
        b"0000644\0",  # everybody may read it, its owner write it
        b"0000000\0" * 2,  # user and group
        _number(size),
        b"00000000000\0",  # 1970
    )
    before, after = b"".join(fields), kind + bytes(100) + b"ustar  \0"
    checksum = sum(before) + sum(after) + 8 * ord(" ")
    return (before + b"%06o\0 " % checksum + after).ljust(BLOCK, b"\0")


def _number(size: int) -> bytes:
    """Return ``size`` in the 12 bytes of its field: octal, or binary beyond 8 GiB."""
    return b"%011o\0" % size if size < _OCTAL_LIMIT else b"\x80" + size.to_bytes(11, "big")
