"""A list of paths and URLs: a file of lines, CSV, JSONL or Parquet, lines on standard input, or one URL of the web."""

import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Self

from pixmill.batch.manifests import csv, jsonl, parquet, text
from pixmill.batch.manifests.grouping import Ancestors, ManifestImage, chunks, record
from pixmill.batch.manifests.paths import PathMapper
from pixmill.batch.manifests.row import ManifestRow
from pixmill.batch.outputs.own_folders import OwnFolders
from pixmill.batch.source import Folder, OnError, OnIgnored, Row, SourceKind, SourceRequest, unnoticed
from pixmill.core.errors import AddressError, ReadError, RunError
from pixmill.core.external_sort import ExternalSort, Record
from pixmill.core.text import printable
from pixmill.storage.address import Address
from pixmill.storage.entry import Entry
from pixmill.storage.local.access import is_allowed
from pixmill.storage.local.inodes import holder
from pixmill.storage.open import open_storage, schemes
from pixmill.storage.storage import Storage
from pixmill.storage.web.policy import RequestPolicy

STANDARD_INPUT = b"-"
LOCAL = Address("multi", b"local")
_WEB = ("http", "https")
_LINES, _JSON, _PARQUET = (".txt", ".lst", ".list"), (".jsonl", ".ndjson"), (".parquet", ".pq")
_DELIMITERS = {".csv": ",", ".tsv": "\t"}

Rows = Callable[[], Iterator[ManifestRow]]


class Manifest(SourceKind):
    """The images that a list names, folder by folder in sorted order, whatever the order of the list.

    A row in a file of this machine is looked at when it is yielded, and its version is the file's. What is elsewhere is not asked
    for ahead: its version is its address, so that another one is another image. ``address`` says that all is on this machine once
    the list has been read, if it is.
    """

    is_explicit = True
    has_columns = True

    def __init__(
        self,
        rows: Rows,
        base: bytes,
        *,
        name: str,
        terms: str = "",
        follow_symlinks: bool = False,
        own: OwnFolders | None = None,
    ) -> None:
        """Take a list that is called ``name``; it is read when the first image is asked for. ``base``: where its paths start."""
        self.address = Address("multi", f"#{terms}".encode() if terms else b"")
        self.storage: Storage = open_storage(self.address, follow_symlinks=follow_symlinks)
        self._name = name
        self._follow = follow_symlinks
        self._rows = rows
        self._mirror = PathMapper(base, schemes().names())
        self._own = own or OwnFolders()
        self._sorted = ExternalSort(self._records())

    @classmethod
    def claims(cls, address: Address) -> bool:
        """Claim ``-``, a file that is called like a list, and any URL of the web."""
        if address.scheme in _WEB or (address.scheme, address.location) == ("file", STANDARD_INPUT):
            return True
        known = (*_LINES, *_JSON, *_PARQUET, *_DELIMITERS)
        return address.local is not None and address.local.suffix.lower() in known and address.local.is_file()

    @classmethod
    def open(cls, asked: SourceRequest) -> Self:
        """Return the list; ``RunError`` when it cannot be read. What it holds is not looked at yet."""
        address, selection = asked.address, asked.selection
        terms = str(
            RequestPolicy(allow_private=selection.allow_private_hosts, per_host=selection.per_host, rate=selection.host_rate or 0.0)
        )
        make = partial(cls, terms=terms, follow_symlinks=selection.follow_symlinks, own=asked.own)
        path = address.local
        if path is None:
            url = address.url.encode("utf-8", "surrogateescape")
            return make(lambda: iter([ManifestRow(1, url)]), b"/", name="SRC")
        if address.location == STANDARD_INPUT:
            return make(_standard_input, os.fsencode(Path.cwd()), name="standard input")
        if not is_allowed(path, os.R_OK):
            raise RunError(f"SRC {address} cannot be read", code="not-readable")
        return make(partial(_rows, path, selection.column), os.fsencode(path.absolute().parent), name=printable(path.name))

    def folders(self, refused: OnError, ignored: OnIgnored = unnoticed) -> Iterator[list[Entry]]:  # noqa: ARG002  # all is named
        """Yield the images folder by folder, a large one in parts that cannot want one name.

        Where they lie is looked at once more: the output may have been made since the list was read.
        """

        def refuse(image: ManifestImage) -> None:
            refused(image.path, ReadError(image.refusal))

        for chunk in chunks(self._sorted, refuse):
            self._own.refresh()
            entries = []
            for image in chunk:
                try:
                    self._check_apart(image.locator)
                except ReadError as error:
                    refused(image.path, error)
                else:
                    entries.append(self._entry(image))
            yield entries

    def _records(self) -> Iterator[Record]:
        is_local, ancestors = True, Ancestors()
        self._own.refresh()
        for row in self._rows():
            name = f"{self._name}:{row.number:012}".encode("utf-8", "surrogateescape")
            if row.refusal:
                yield record(ManifestImage(name, refusal=f"{self._name}, row {row.number}: {row.refusal}"))
                continue
            try:
                image = self._mirror(row.text)
                self._check_apart(image.locator)
            except ReadError as error:
                yield record(ManifestImage(name, refusal=f"{self._name}, row {row.number}: {error.message}"))
            else:
                is_local = is_local and image.locator.startswith(b"\0/")
                yield record(ManifestImage(image.path, image.locator, row.columns))
                yield from map(record, ancestors(image.path))
        if is_local:  # then a worker needs no network, and waits for none
            self.address = LOCAL

    def _entry(self, image: ManifestImage) -> Entry:
        if image.is_folder:
            return Folder(image.path, 0, b"")
        size, version = 0, b"@" + blake2b(image.locator, digest_size=8).hexdigest().encode()  # a URL may hold a secret
        if image.locator.startswith(b"\0/"):
            found = self._found(image.locator)
            size, version = (found.size, found.version) if found else (0, b"")
        return Row(image.path, size, version, image.locator, image.columns)

    def _found(self, place: bytes) -> Entry | None:
        """Return what is there now; what is not, or cannot be looked at, is for the worker to say."""
        try:
            return self.storage.stat(place)
        except ReadError:
            return None

    def _check_apart(self, place: bytes) -> None:
        """Refuse what lies where results are written: it could be written over."""
        if not place.startswith(b"\0/"):
            return
        path = place[1:]
        found = self._own.output_of(path) if self._follow else self._own.find_output(holder(path))
        if found:
            message = f"{printable(path)} lies in DST {printable(found.output)}, where results could be written over it"
            raise ReadError(message)


def _rows(path: Path, column: str | None) -> Iterator[ManifestRow]:
    """Yield the rows of the list at ``path``, read as its name says."""
    suffix, shown = path.suffix.lower(), printable(path.name)
    if suffix in _PARQUET:
        yield from parquet.read(path, column, shown=shown)
        return
    with path.open("rb") as file:
        if suffix in _DELIMITERS:
            yield from csv.read(file, column, shown=shown, delimiter=_DELIMITERS[suffix])
        else:
            yield from jsonl.read(file, column, shown=shown) if suffix in _JSON else text.read(file)


def _standard_input() -> Iterator[ManifestRow]:
    file: BinaryIO | None = getattr(sys.stdin, "buffer", None)
    if file is None or file.isatty():
        raise AddressError("SRC is -, and no list comes through standard input", hint="find photos -type f | pixmill run - DST")
    return text.read(file)
