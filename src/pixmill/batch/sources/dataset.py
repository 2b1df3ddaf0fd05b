"""A dataset made by others: a folder of tar or Parquet shards, ``tar://FOLDER`` and ``parquet://FOLDER``, or a Parquet file."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Self
from urllib.parse import quote_from_bytes

from pixmill.batch.manifests.grouping import Ancestors, ManifestImage, chunks, record
from pixmill.batch.source import (
    Folder,
    OnError,
    OnIgnored,
    Row,
    SourceKind,
    SourceRequest,
    first_columns,
    no_op,
    with_folders,
)
from pixmill.core.errors import AddressError, ImageError, MissingExtra, ReadError, RunError
from pixmill.core.external_sort import ExternalSort, Record
from pixmill.core.text import printable
from pixmill.storage.address import Address
from pixmill.storage.entry import Entry, locator_of
from pixmill.storage.local.inodes import absolute, holder, real, real_holder
from pixmill.storage.open import open_storage

_SUFFIXES = {"tar": (".tar",), "parquet": (".parquet", ".pq")}


class Dataset(SourceKind):
    """The pictures in ``shards``, each with the columns that the dataset has for it.

    Those in a shard of a folder are below its name without the extension; those in a single file are at the root. Tar shards are
    listed as archives are. The pictures of a Parquet shard are named by their ``path``, their ``key`` or the number of their row.
    """

    has_columns = True
    shape = "archive"

    def __init__(self, scheme: str, place: bytes, shards: list[bytes], *, is_file: bool = False, column: str | None = None) -> None:
        """Take the paths of ``shards``, all of one scheme; ``place`` is the folder or the file. Nothing is read yet."""
        self.address = Address("multi", b"local")
        self.storage = open_storage(self.address)
        self.is_explicit = scheme == "parquet"
        self._scheme = scheme
        self._place = place
        self._shards = shards
        self._is_file = is_file
        self._column = column
        self._has_unique_stems = len({os.path.splitext(each)[0] for each in shards}) == len(shards)  # noqa: PTH122  # bytes

    @classmethod
    def claims(cls, address: Address) -> bool:
        """Claim folders that a scheme names, all that ``parquet://`` names, and Parquet files that hold pictures."""
        if address.scheme == "parquet":
            return True
        if address.scheme == "tar":
            return os.path.isdir(address.location)  # noqa: PTH112  # bytes
        is_table = address.local is not None and address.local.suffix.lower() in _SUFFIXES["parquet"] and address.local.is_file()
        if not is_table or address.local is None:
            return False
        from pixmill.batch.manifests.pictures import picture_column  # noqa: PLC0415  # few sources are tables

        return picture_column(address.local) is not None

    @classmethod
    def open(cls, request: SourceRequest) -> Self:
        """Return the dataset; ``AddressError`` when there are no shards. None of them is read yet."""
        address, column = request.address, request.selection.column
        place = absolute(address.location)
        if not os.path.isdir(place):  # noqa: PTH112  # bytes
            if not os.path.isfile(place):  # noqa: PTH113  # bytes
                raise AddressError(f"SRC {address} does not exist: expected a folder of shards, or one of them")
            return cls("parquet", place, [place], is_file=True, column=column)
        suffixes = _SUFFIXES[address.scheme]
        try:
            names = sorted(each for each in os.listdir(place) if os.fsdecode(each).lower().endswith(suffixes))  # noqa: PTH208  # bytes
        except OSError as error:
            raise RunError(f"SRC {address} cannot be read: {error.strerror}", code="not-readable") from None
        shards = [place + b"/" + each for each in names if not each.startswith((b".", b"_"))]
        if not shards:
            message = f"SRC {address} has no shards: no file in this folder ends in {suffixes[0]}"
            raise AddressError(message, hint="shards in folders below it are not read: give these folders, too")
        return cls(address.scheme, place, shards, column=column)

    @property
    def roots(self) -> tuple[bytes, ...]:
        """Return the folder of the shards and, if a single one is a link, that of its target."""
        return (holder(self._place), real_holder(self._place)) if self._is_file else (self._place,)

    @property
    def places(self) -> tuple[bytes, ...]:
        """Return the path of the folder or file without links, and what it is read as."""
        return (self._scheme.encode() + b"://" + real(self._place),)

    def has(self, locator: bytes) -> bool:
        """Tell whether the picture with this ``locator`` is in one of the shards."""
        quoted = quote_from_bytes(self._place).encode()
        return locator.startswith(b"\0%s://%s%s" % (self._scheme.encode(), quoted, b"\0" if self._is_file else b"/"))

    def column_names(self) -> tuple[str, ...]:
        """Return those of the first pictures in the first shard."""
        try:
            return first_columns(entry for entries in self._rows(self._shards[0], lambda *_: None) for entry in entries)
        except AddressError:  # it cannot be read, which is reported for this shard
            return ()

    def folders(self, on_error: OnError, on_ignored: OnIgnored = no_op) -> Iterator[list[Entry]]:  # noqa: ARG002  # none is skipped
        """Yield the pictures shard by shard; a shard that cannot be read is reported, and the others follow."""
        for shard in self._shards:
            try:
                yield from self._rows(shard, on_error)
            except MissingExtra:
                raise
            except AddressError as error:
                on_error(os.path.basename(shard), ReadError(error.message))  # noqa: PTH119  # bytes

    def _rows(self, shard: bytes, on_error: OnError) -> Iterator[list[Entry]]:
        below = b"" if self._is_file else self._name(shard) + b"/"
        return self._members(shard, below, on_error) if self._scheme == "tar" else self._table(shard, below, on_error)

    def _name(self, shard: bytes) -> bytes:
        """Return the name of ``shard``, without its extension unless another shard has the same name with another one."""
        name = os.path.basename(shard)  # noqa: PTH119  # bytes
        return os.path.splitext(name)[0] if self._has_unique_stems else name  # noqa: PTH122  # bytes

    def _members(self, shard: bytes, below: bytes, on_error: OnError) -> Iterator[list[Entry]]:
        """Yield the members of a tar shard folder by folder; hidden folders are not entered."""
        from pixmill.batch.manifests.sidecars import with_sidecars  # noqa: PLC0415  # few sources are datasets

        archive = open_storage(self._address(shard))
        folders: set[bytes] = set()

        def should_descend(folder: bytes) -> bool:
            is_visible = not folder.rpartition(b"/")[2].startswith(b".")
            if is_visible:
                folders.add(below + folder)
            return is_visible

        def report(path: bytes, error: ImageError) -> None:
            on_error(below + path, error)

        prefix = self._locator_prefix(shard)
        for entries in archive.list(descend=should_descend, on_error=report):
            rows = [
                Row(below + each.path, each.size, each.version, locator=prefix + locator_of(each), columns=columns)
                for each, columns in with_sidecars(entries, archive)
            ]
            if rows:
                yield with_folders([*rows], folders)
            folders.clear()

    def _table(self, shard: bytes, below: bytes, on_error: OnError) -> Iterator[list[Entry]]:
        """Yield the rows of a Parquet shard in parts whose names cannot collide."""
        from pixmill.batch.manifests.pictures import picture_column, read_rows  # noqa: PLC0415  # few sources are tables
        from pixmill.storage.schemes.parquet import file_version, picture_locator  # noqa: PLC0415  # as above

        path = Path(os.fsdecode(shard))
        column = picture_column(path, self._column)
        if column is None:
            open_storage(self._address(shard))  # says what is wrong with the file, or not installed
            raise AddressError(f"{printable(shard)} has no column with pictures")
        version, prefix = file_version(shard), self._locator_prefix(shard)

        def records() -> Iterator[Record]:
            ancestors = Ancestors()
            for row in read_rows(path, column):
                image = ManifestImage(below + row.path, prefix + picture_locator(row.number, column, version), row.columns)
                yield record(image)
                yield from map(record, ancestors(image.path))

        def on_invalid(image: ManifestImage) -> None:
            on_error(image.path, ReadError(image.error))

        for images in chunks(ExternalSort(records()), on_invalid):
            yield [_entry(image, version) for image in images]

    def _address(self, shard: bytes) -> Address:
        return Address(self._scheme, quote_from_bytes(shard).encode())

    def _locator_prefix(self, shard: bytes) -> bytes:
        """Return what stands before the locator of a picture in the locator that ``multi://`` understands."""
        address = self._address(shard)
        return b"\0%s://%s\0" % (address.scheme.encode(), address.location)


def _entry(image: ManifestImage, version: bytes) -> Entry:
    if image.is_folder:
        return Folder(image.path, 0, b"")
    return Row(image.path, 0, version, locator=image.locator, columns=image.columns)
