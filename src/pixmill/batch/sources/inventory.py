"""The objects of a bucket as an S3 Inventory lists them, without a request for a listing."""

import os
import posixpath
from collections.abc import Iterator
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from pixmill.batch.manifests.grouping import Ancestors, ManifestImage, chunks, record
from pixmill.batch.outputs.own_folders import OUTPUT
from pixmill.batch.source import Folder, OnError, OnIgnored, SourceKind, SourceRequest, no_op
from pixmill.core.errors import AddressError, ConfigError, ReadError, RunError
from pixmill.core.external_sort import ExternalSort, Record
from pixmill.core.text import printable
from pixmill.storage.address import Address
from pixmill.storage.entry import Entry
from pixmill.storage.retry.outage import OutagePolicy
from pixmill.storage.retry.storage import open_with_retries

if TYPE_CHECKING:  # what only an inventory needs is imported with the first one
    from pixmill.batch.manifests.inventory import InventoryManifest, ListedObject, ListFile

_MANIFEST = "manifest.json"
_MAX_MANIFEST_BYTES = 256_000_000
_MAX_LIST_BYTES = 4_000_000_000
_NOT_READ = b"\0"  # before the reason of a row that is ignored, in place of an error
_encode = msgspec.msgpack.encode
_decode = msgspec.msgpack.Decoder(tuple[int, str]).decode


class Inventory(SourceKind):
    """The latest versions of the objects in a bucket, folder by folder in sorted order, as its inventory lists them.

    ``address`` is the bucket: an image is the same one whether it was found by a listing or by the inventory. Its version is the
    ETag in the inventory. The lists are read one by one, each as a whole, and their rows sorted on disk.
    """

    is_dated = True

    def __init__(self, manifest: "InventoryManifest", request: SourceRequest, *, folder: Path | None) -> None:
        """Take the ``manifest``; the lists are read when the first entry is asked for. ``folder``: that of a local manifest."""
        self.address = Address("s3", manifest.source_bucket.encode())
        self.storage = open_with_retries(self.address, policy=request.policy)
        self._manifest = manifest
        self._folder = folder
        self._policy = request.policy
        self._output = (request.output.below(self.address) if request.output else None) or b""
        self._sorted = ExternalSort(self._records())

    @classmethod
    def claims(cls, address: Address) -> bool:
        """Claim files and objects with the name of the manifest of an inventory."""
        if address.local is not None:
            return address.local.name == _MANIFEST and address.local.is_file()
        return address.scheme == "s3" and address.location.endswith(b"/" + _MANIFEST.encode())

    @classmethod
    def open(cls, request: SourceRequest) -> Self:
        """Return the inventory; ``ConfigError`` if it is none, ``RunError`` if its manifest cannot be read."""
        path = request.address.local
        if request.selection.web_only:
            raise AddressError(f"SRC {request.address} is an inventory of a bucket, which --web-only excludes")
        if path is None:
            content = _read_object(request.address, request.policy, limit=_MAX_MANIFEST_BYTES)
        else:
            try:
                content = path.read_bytes()
            except OSError as error:
                raise RunError(f"SRC {request.address} cannot be read: {error.strerror}", code="not-readable") from None
        from pixmill.batch.manifests import inventory  # noqa: PLC0415

        manifest = inventory.parse(content, shown=f"SRC {request.address}")
        return cls(manifest, request, folder=path.parent if path else None)

    def folders(self, on_error: OnError, on_ignored: OnIgnored = no_op) -> Iterator[list[Entry]]:
        """Yield the entries folder by folder, a large folder in parts. Rows that are no latest version are ignored."""
        from pixmill.storage.object_store.errors import odd_key  # noqa: PLC0415

        def on_invalid(image: ManifestImage) -> None:
            if image.locator == _NOT_READ:
                on_ignored(image.path, image.error)
            else:
                on_error(image.path, odd_key(os.fsdecode(image.path), image.error))

        for chunk in chunks(self._sorted, on_invalid, has_unique_paths=True):
            yield [_entry(image) for image in chunk]

    def _records(self) -> Iterator[Record]:
        from pixmill.batch.manifests import inventory  # noqa: PLC0415
        from pixmill.storage.object_store.key_listing import objection  # noqa: PLC0415
        from pixmill.storage.object_store.keys import path_of  # noqa: PLC0415

        ancestors = Ancestors()
        for file in self._manifest.files:
            shown = printable(file.key)
            for row in inventory.rows(self._manifest, self._content(file), shown=shown):
                path = path_of(row.key)
                if row.ignored or self._is_output(path):
                    yield record(ManifestImage(path, _NOT_READ, error=row.ignored or OUTPUT))
                elif reason := objection(row.key):
                    if row.size or not row.key.endswith("/"):  # an empty one stands for a folder
                        yield record(ManifestImage(row.key.encode("utf-8", "surrogateescape"), error=reason))
                elif not _is_hidden(path):
                    yield record(_image(path, row))
                    yield from map(record, ancestors(path))

    def _is_output(self, path: bytes) -> bool:
        return bool(self._output) and path.startswith(self._output + b"/")

    def _content(self, file: "ListFile") -> bytes:
        """Return the content of a list: beside a local manifest if it is there, else from the bucket."""
        content = self._local_content(file)
        if content is None:
            location = f"{self._manifest.destination}/{file.key}".encode("utf-8", "surrogateescape")
            content = _read_object(Address("s3", location), self._policy, limit=_MAX_LIST_BYTES)
        if file.checksum and md5(content, usedforsecurity=False).hexdigest() != file.checksum.lower():
            raise ConfigError(f"{printable(file.key)} is not the list that the inventory names: its MD5 checksum differs")
        return content

    def _local_content(self, file: "ListFile") -> bytes | None:
        if self._folder is None:
            return None
        name = posixpath.basename(file.key)
        for folder in (self._folder, self._folder / "data", self._folder.parent / "data"):
            if (folder / name).is_file():
                return (folder / name).read_bytes()
        return None


def _is_hidden(path: bytes) -> bool:
    """Tell whether ``path`` is in a hidden folder, which no source enters."""
    return b"/." in b"/" + path.rpartition(b"/")[0]


def _image(path: bytes, row: "ListedObject") -> ManifestImage:
    return ManifestImage(path, columns=_encode((row.size, row.etag)))


def _entry(image: ManifestImage) -> Entry:
    if image.is_folder:
        return Folder(image.path, 0, b"")
    size, etag = _decode(image.columns)
    return Entry(image.path, size, etag.encode())


def _read_object(address: Address, policy: OutagePolicy, *, limit: int) -> bytes:
    folder, _, name = address.location.rpartition(b"/")
    try:
        return open_with_retries(Address(address.scheme, folder), policy=policy).read(name, limit=limit)
    except ReadError as error:
        if error.code == "read-vanished":
            raise AddressError(f"{address} does not exist") from None
        raise RunError(f"{address} cannot be read: {error.message}", code="not-readable", hint=error.hint) from None
