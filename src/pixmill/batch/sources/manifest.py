"""A list of paths and URLs: a file of lines, CSV, JSONL or Parquet, lines on standard input, or one URL of the web."""

import gzip
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Self, cast

import msgspec

from pixmill.batch.item import ADDRESS_VERSION
from pixmill.batch.manifests.grouping import Ancestors, ManifestImage, chunks, record
from pixmill.batch.manifests.paths import PathMapper
from pixmill.batch.manifests.row import ManifestRow, etag_in
from pixmill.batch.outputs.own_folders import OwnFolders
from pixmill.batch.source import Folder, OnError, OnIgnored, Row, Shape, SourceKind, SourceRequest, first_columns, no_op
from pixmill.core.errors import AddressError, ConfigError, ReadError, RunError
from pixmill.core.external_sort import ExternalSort, Record
from pixmill.core.operating_system import is_allowed
from pixmill.core.text import printable
from pixmill.storage.address import Address
from pixmill.storage.entry import Entry
from pixmill.storage.local.inodes import absolute, holder, real
from pixmill.storage.open import open_storage, schemes
from pixmill.storage.storage import Storage
from pixmill.storage.web.policy import RequestPolicy

STANDARD_INPUT = b"-"
_STANDARD_INPUT = "standard input"
LOCAL = Address("multi", b"local")
_WEB = ("http", "https")
_NO_OBJECTS = (b"\0/", *(b"\0%s://" % scheme.encode() for scheme in _WEB))  # begin the locators of files and of the web
_LINES, _JSON, _PARQUET = (".txt", ".lst", ".list"), (".jsonl", ".ndjson"), (".parquet", ".pq")
_GZIP = ".gz"
_DELIMITERS = {".csv": ",", ".tsv": "\t"}

Rows = Callable[[], Iterator[ManifestRow]]


class Manifest(SourceKind):
    """The images in a list, folder by folder in sorted order, whatever the order of the list.

    An entry for a local file is checked when it is yielded, and has the version of the file. Remote images are not requested
    ahead: their version is their address, so another address is another image, or the ETag that the list names for an object of a
    store, which is then read on condition that it still has this one. Once the list has been read, ``address`` shows
    whether all images are local.
    """

    is_explicit = True
    has_columns = True
    is_dated = True
    shape: Shape = "list"

    def __init__(
        self,
        rows: Rows,
        base: bytes,
        *,
        name: str,
        request_policy: str = "",
        follow_symlinks: bool = False,
        own: OwnFolders | None = None,
    ) -> None:
        """Take a list; it is read when the first image is requested. ``name`` is for messages, ``base`` anchors relative paths."""
        self.address = Address("multi", f"#{request_policy}".encode() if request_policy else b"")
        self.storage: Storage = open_storage(self.address, follow_symlinks=follow_symlinks)
        self._name = name
        self._follow = follow_symlinks
        self._rows = rows
        self._map_path = PathMapper(base, schemes().names())
        self._base, self._below_base = real(base), absolute(base).rstrip(b"/") + b"/"
        self._own = own or OwnFolders()
        self._sorted = ExternalSort(self._records())

    @classmethod
    def claims(cls, address: Address) -> bool:
        """Claim ``-``, files with the extension of a list, unless they hold the pictures themselves, and HTTP URLs."""
        if address.scheme in _WEB or (address.scheme, address.location) == ("file", STANDARD_INPUT):
            return True
        suffixes = (*_LINES, *_JSON, *_PARQUET, *_DELIMITERS, *(each + _GZIP for each in (*_LINES, *_JSON, *_DELIMITERS)))
        name = "" if address.local is None else address.local.name.lower()
        if address.local is None or not name.endswith(suffixes) or not address.local.is_file():
            return False
        if not name.endswith(_PARQUET):
            return True
        from pixmill.batch.manifests.pictures import picture_column  # noqa: PLC0415  # few lists are tables

        return picture_column(address.local) is None

    @classmethod
    def open(cls, request: SourceRequest) -> Self:
        """Return the list; ``RunError`` when it cannot be read. Its content is not read yet."""
        address, selection = request.address, request.selection
        request_policy = str(
            RequestPolicy(
                allow_private=selection.allow_private_hosts,
                per_host=selection.per_host,
                rate=selection.host_rate or 0.0,
                read_timeout=selection.read_timeout,
            )
        )
        make = partial(cls, request_policy=request_policy, follow_symlinks=selection.follow_symlinks, own=request.own)
        path = address.local
        checked = _web_rows if selection.web_only else iter
        if path is None:
            if b"@" in address.location.partition(b"/")[0]:
                message = f"{address} was given with a user name or password, which would appear in logs and reports"
                raise AddressError(message, hint="remove it from the URL")
            url = address.url.encode("utf-8", "surrogateescape")
            image = make(lambda: iter([ManifestRow(1, url)]), b"/", name="SRC")
            image.shape = "image"
            return image
        if address.location == STANDARD_INPUT:
            return make(lambda: checked(_standard_input()), os.fsencode(Path.cwd()), name=_STANDARD_INPUT)
        if not is_allowed(path, os.R_OK):
            raise RunError(f"SRC {address} cannot be read", code="not-readable")
        rows = partial(_rows, path, selection.column)
        return make(lambda: checked(rows()), os.fsencode(path.absolute().parent), name=printable(path.name))

    @property
    def places(self) -> tuple[bytes, ...]:
        """Return the folder of the list, the root of the file system, the web, and the stores."""
        return (self._base, b"/", *(scheme.encode() + b"://" for scheme in schemes().names() if scheme != "parquet"))

    def locate(self, path: bytes, locator: bytes) -> tuple[bytes, bytes]:
        """Return where the image is: images that several lists name are the same images."""
        if not locator or locator.startswith(b"\0/"):  # a row that names nothing has none
            return (self._base if not locator or locator.startswith(self._below_base, 1) else b"/"), path
        return locator[1:].partition(b":")[0] + b"://", path

    def folders(self, on_error: OnError, on_ignored: OnIgnored = no_op) -> Iterator[list[Entry]]:  # noqa: ARG002  # none is skipped
        """Yield the images folder by folder, a large folder in parts whose names cannot collide.

        Their locations are checked again: the output may have been created since the list was read.
        """

        def on_invalid(image: ManifestImage) -> None:
            on_error(image.path, ReadError(image.error))

        for chunk in chunks(self._sorted, on_invalid):
            self._own.refresh()
            entries = []
            for image in chunk:
                try:
                    self._check_outside_output(image.locator)
                except ReadError as error:
                    on_error(image.path, error)
                else:
                    entries.append(self._entry(image))
            yield entries

    def column_names(self) -> tuple[str, ...]:
        """Return those of the first rows; none of standard input, whose lines have none and can be read only once."""
        return () if self._name == _STANDARD_INPUT else first_columns(Row(b"", 0, b"", columns=row.columns) for row in self._rows())

    def _records(self) -> Iterator[Record]:
        is_local, ancestors = True, Ancestors()
        self._own.refresh()
        for row in self._rows():
            name = f"{self._name}:{row.number:012}".encode("utf-8", "surrogateescape")
            if row.error:
                yield record(ManifestImage(name, error=f"{self._name}, row {row.number}: {row.error}"))
                continue
            try:
                image = self._map_path(row.text)
                self._check_outside_output(image.locator)
            except ReadError as error:
                yield record(ManifestImage(name, error=f"{self._name}, row {row.number}: {error.message}"))
            else:
                is_local = is_local and image.locator.startswith(b"\0/")
                is_object = not image.locator.startswith(_NO_OBJECTS)
                etag = etag_in(row.columns) if is_object and row.columns else b""
                yield record(ManifestImage(image.path, image.locator, row.columns, etag=etag))
                yield from map(record, ancestors(image.path))
        if is_local:  # then workers need no network
            self.address = LOCAL

    def _entry(self, image: ManifestImage) -> Entry:
        if image.is_folder:
            return Folder(image.path, 0, b"")
        size, changed_at = 0, 0
        # a URL may hold a secret
        version = image.etag or ADDRESS_VERSION + blake2b(image.locator, digest_size=8).hexdigest().encode()
        if image.locator.startswith(b"\0/"):
            status = self._stat(image.locator)
            size, version = (status.size, status.version) if status else (0, b"")
            changed_at = status.changed_at if status else 0
        return Row(image.path, size, version, changed_at, locator=image.locator, columns=image.columns)

    def _stat(self, locator: bytes) -> Entry | None:
        """Return the entry as it is now; ``None`` if it is missing or cannot be read, which the worker will report."""
        try:
            return self.storage.stat(locator)
        except ReadError:
            return None

    def _check_outside_output(self, locator: bytes) -> None:
        """Raise ``ReadError`` for a file inside the output, where it could be overwritten."""
        if not locator.startswith(b"\0/"):
            return
        path = locator[1:]
        folder = self._own.output_of(path) if self._follow else self._own.find_output(holder(path))
        if folder:
            message = f"{printable(path)} is inside DST {printable(folder.output)}, where outputs could overwrite it"
            raise ReadError(message)


def _web_rows(rows: Iterator[ManifestRow]) -> Iterator[ManifestRow]:
    """Yield ``rows``, those with errors that are not URLs of the web: the author of the list may name nothing else."""
    for row in rows:
        is_web = row.error or row.text.lower().startswith(tuple(f"{scheme}://".encode() for scheme in _WEB))
        yield row if is_web else msgspec.structs.replace(row, error="not a URL of the web, which --web-only asks for")


def _rows(path: Path, column: str | None) -> Iterator[ManifestRow]:
    """Yield the rows of the list at ``path``, in the format of its extension."""
    from pixmill.batch.manifests import csv, jsonl, parquet, text  # noqa: PLC0415  # most runs have no list

    name, shown = path.name.lower(), printable(path.name)
    is_compressed = name.endswith(_GZIP)
    suffix = os.path.splitext(name.removesuffix(_GZIP))[1]  # noqa: PTH122  # of a name
    if suffix in _PARQUET:
        yield from parquet.read(path, column, shown=shown)
        return
    with gzip.open(path) if is_compressed else path.open("rb") as opened:
        file = cast("BinaryIO", opened)  # which a GzipFile is in all that is read from it
        try:
            if suffix in _DELIMITERS:
                yield from csv.read(file, column, shown=shown, delimiter=_DELIMITERS[suffix])
            else:
                yield from jsonl.read(file, column, shown=shown) if suffix in _JSON else text.read(file)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ConfigError(f"{shown} is damaged or cut off: {error}") from None


def _standard_input() -> Iterator[ManifestRow]:
    from pixmill.batch.manifests import text  # noqa: PLC0415  # the same

    file: BinaryIO | None = getattr(sys.stdin, "buffer", None)
    if file is None or file.isatty():
        raise AddressError("SRC is -, but standard input has no list", hint="find photos -type f | pixmill run - DST")
    return text.read(file)
