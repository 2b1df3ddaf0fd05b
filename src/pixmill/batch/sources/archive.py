"""A tar or zip file, whose members are read in place."""

import os
from collections.abc import Callable, Iterator
from typing import Self
from urllib.parse import quote_from_bytes, unquote_to_bytes

from pixmill.batch.naming.reserved import collision_stem, image_stem
from pixmill.batch.source import OnError, OnIgnored, Row, SourceKind, SourceRequest, first_columns, no_op, with_folders
from pixmill.core.errors import AddressError
from pixmill.storage.address import Address
from pixmill.storage.entry import Entry, locator_of
from pixmill.storage.local.inodes import holder, real, real_holder
from pixmill.storage.open import open_storage
from pixmill.storage.storage import Storage

_SUFFIXES = {".tar": "tar", ".zip": "zip"}
_COMPRESSED = (".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst")  # the storage raises an error with a hint


class Archive(SourceKind):
    """The members of an archive: ``photos.tar``, ``photos.zip``, or any file as ``tar:///srv/x`` and ``zip:///srv/x``."""

    has_columns = True
    shape = "archive"

    def __init__(self, address: Address, storage: Storage, *, stem_of: Callable[[bytes], bytes] = image_stem) -> None:
        """Take the archive at ``address``, opened as ``storage``. ``stem_of``: what names have in common if they may collide."""
        self.address = address
        self.storage = storage
        self._stem_of = stem_of

    @classmethod
    def claims(cls, address: Address) -> bool:
        """Claim local files with the extension of an archive, and addresses with the scheme of one."""
        if address.scheme in _SUFFIXES.values():
            return not os.path.isdir(address.location)  # noqa: PTH112  # bytes; a folder of shards is a dataset
        return address.local is not None and bool(_scheme(address.location)) and address.local.is_file()

    @classmethod
    def open(cls, request: SourceRequest) -> Self:
        """Return the archive; ``AddressError`` when it does not exist, is not an archive, or is compressed as a whole."""
        address = request.address
        if address.local is not None:
            address = Address(_scheme(address.location), quote_from_bytes(_absolute(address)).encode())
        if not address.location.startswith(b"/"):
            folders = ", or name an existing folder of shards" if address.scheme == "tar" else ""
            raise AddressError(
                f"{address} is not an absolute path",
                hint=f"write the full path: {address.scheme}:///srv/photos.{address.scheme}{folders}",
            )
        stem_of = collision_stem if request.selection.all_files else image_stem
        return cls(address, open_storage(address), stem_of=stem_of)

    @property
    def roots(self) -> tuple[bytes, ...]:
        """Return the folder of the archive and, if it is a link, that of its target."""
        path = unquote_to_bytes(self.address.location)
        return holder(path), real_holder(path)

    @property
    def places(self) -> tuple[bytes, ...]:
        """Return the path of the archive without links, and what kind it is read as."""
        return (self.address.scheme.encode() + b"://" + real(unquote_to_bytes(self.address.location)),)

    def folders(self, on_error: OnError, on_ignored: OnIgnored = no_op) -> Iterator[list[Entry]]:  # noqa: ARG002  # none is skipped
        """Yield the members folder by folder, sorted; hidden folders are not entered."""
        folders: set[bytes] = set()

        def should_descend(folder: bytes) -> bool:
            is_visible = not folder.rpartition(b"/")[2].startswith(b".")
            if is_visible:
                folders.add(folder)
            return is_visible

        for entries in self.storage.list_parts(self._stem_of, descend=should_descend, on_error=on_error):
            here = entries[0].path.rpartition(b"/")[0]
            folders = {folder for folder in folders if folder.rpartition(b"/")[0] == here}  # of other parts of it, too
            yield with_folders(self._with_columns(entries), folders)

    def column_names(self) -> tuple[str, ...]:
        """Return those of the first members of a tar file."""
        return first_columns(entry for entries in self.folders(lambda *_: None) for entry in entries)

    def _with_columns(self, entries: list[Entry]) -> list[Entry]:
        """Return the ``entries`` of a tar file with the columns that files beside them have, as in WebDataset shards."""
        if self.address.scheme != "tar":
            return entries
        from pixmill.batch.manifests.sidecars import with_sidecars  # noqa: PLC0415  # few sources are archives

        return [_row(entry, columns) if columns else entry for entry, columns in with_sidecars(entries, self.storage)]


def _row(entry: Entry, columns: bytes) -> Row:
    return Row(*entry.identity, entry.changed_at, locator=locator_of(entry), columns=columns)


def _scheme(location: bytes) -> str:
    """Return the scheme for a file of this name; empty if it does not have the extension of an archive."""
    name = location.lower().decode("utf-8", "surrogateescape")
    if name.endswith(_COMPRESSED):
        return "tar"
    return next((scheme for suffix, scheme in _SUFFIXES.items() if name.endswith(suffix)), "")


def _absolute(address: Address) -> bytes:
    return Address.parse(address.url).location
