"""The pictures in a Parquet file, read row by row: ``parquet:///srv/part-0.parquet``, with a locator for each."""

import importlib
import os
import weakref
from typing import Any, Self
from urllib.parse import unquote_to_bytes

from pixmill.core.errors import AddressError, MissingExtra, ReadError, RunError
from pixmill.core.text import printable
from pixmill.storage.address import Address
from pixmill.storage.entry import Entry
from pixmill.storage.read_only import NotListed
from pixmill.storage.storage import too_large

_BATCH_ROWS = 4  # decoded at once; a reader that goes forward decodes each row once


def picture_locator(row: int, column: str, version: bytes) -> bytes:
    """Return the locator of the picture in ``column`` of the ``row`` of a file that has this ``version``."""
    return b"\0%d %s %s" % (row, version, column.encode())


def file_version(path: bytes) -> bytes:
    """Return what changes with the file at ``path``: its size and modification time."""
    status = os.stat(path)  # bytes
    return b"%d-%d" % (status.st_size, status.st_mtime_ns)


class ParquetStorage(NotListed):
    """The pictures in one Parquet file, by locator only.

    The rows of a file are read forward, a few at a time: a worker that asks for rows in order decodes each row once, and never
    holds a whole group of rows.
    """

    def __init__(self, path: bytes) -> None:
        """Open the file; ``AddressError`` if it cannot be opened or is not Parquet, ``MissingExtra`` without pyarrow."""
        try:
            pyarrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
        except ImportError:
            raise MissingExtra("parquet", "pictures in Parquet") from None
        self._errors = (OSError, pyarrow.ArrowException)
        self._path = path
        try:
            self._version = file_version(path)
            self._file: Any = parquet.ParquetFile(os.fsdecode(path))
        except self._errors as error:
            raise AddressError(f"{printable(path)} cannot be read as Parquet: {error}") from None
        weakref.finalize(self, self._file.close, force=True)
        self._cursor: _Cursor | None = None

    @classmethod
    def open(cls, address: Address, *, tag: str, follow_symlinks: bool) -> Self:  # noqa: ARG003  # it writes nothing
        """Return the file whose percent-encoded path is the location of ``address``."""
        return cls(os.path.abspath(unquote_to_bytes(address.location)))

    def stat(self, path: bytes) -> Entry | None:
        """Return the entry at a locator, whose size is not known."""
        self._parsed(path)
        return Entry(path, 0, self._version)

    def read(self, path: bytes, *, limit: int) -> bytes:
        """Return the picture at a locator."""
        row, column = self._parsed(path)
        value = self._value(row, column)
        if value is None:
            raise ReadError(f"row {row} of {printable(self._path)} has no picture: {column} is null", code="read-vanished")
        if len(value) > limit:
            raise too_large(b"row %d of %s" % (row, self._path), len(value), limit)
        return value

    def head(self, path: bytes, size: int) -> bytes:
        """Return the first bytes of the picture at a locator."""
        row, column = self._parsed(path)
        return (self._value(row, column) or b"")[:size]

    def file_of(self, path: bytes) -> bytes:  # noqa: ARG002  # one file contains all pictures
        """Return the path of the file."""
        return self._path

    def local_path(self, path: bytes) -> None:
        """Return ``None``: a row has no path in the file system."""
        self._parsed(path)

    def unlisted_error(self, under: bytes) -> AddressError:  # noqa: ARG002  # nothing can be listed
        """Return the error for a listing."""
        return AddressError("parquet:// cannot be listed: it only reads the rows that a source names")

    def read_only_error(self, path: bytes) -> RunError:  # noqa: ARG002  # no row can be written
        """Return the error for writing into the file."""
        return RunError(f"{printable(self._path)} is a source of pictures, which pixmill only reads", code="read-only")

    def _parsed(self, path: bytes) -> tuple[int, str]:
        """Return row and column of a locator; ``ReadError`` if the file was changed since."""
        row, _, rest = path.removeprefix(b"\0").partition(b" ")
        version, _, column = rest.partition(b" ")
        if not path.startswith(b"\0") or not row.isdigit():
            raise AddressError(f"expected the locator of a row, received {printable(path)!r}")
        if version != self._version:
            message = f"{printable(self._path)} was changed after it was listed"
            raise ReadError(message, code="read-changed", hint="run the same command again to read the new file")
        return int(row), column.decode()

    def _value(self, row: int, column: str) -> bytes | None:
        try:
            if self._cursor is None or not self._cursor.reaches(row, column):
                self._cursor = _Cursor(self._file, column, row)
            return self._cursor.value(row)
        except (*self._errors, IndexError) as error:
            raise ReadError(f"row {row} of {printable(self._path)} could not be read: {error}") from error


class _Cursor:
    """Goes forward through ``column`` in the group of rows that holds ``row``."""

    def __init__(self, file: Any, column: str, row: int) -> None:  # noqa: ANN401  # a file of pyarrow
        self.column = column
        first = 0
        for index in range(file.num_row_groups):
            count = file.metadata.row_group(index).num_rows
            if row < first + count:
                break
            first += count
        else:
            raise IndexError("there is no such row")
        self._end = first + count
        self._start, self._values = first, list[bytes | None]()
        self._batches = file.iter_batches(batch_size=_BATCH_ROWS, row_groups=[index], columns=[column], use_threads=False)

    def reaches(self, row: int, column: str) -> bool:
        """Tell whether ``row`` is in the rows at hand, or further on in this group."""
        return column == self.column and self._start <= row < self._end

    def value(self, row: int) -> bytes | None:
        """Return the value in ``row``, which it must reach."""
        while row >= self._start + len(self._values):
            self._start += len(self._values)
            (values,) = next(self._batches).columns
            self._values = [each and each["bytes"] for each in values.to_pylist()] if "." in self.column else values.to_pylist()
        return self._values[row - self._start]
