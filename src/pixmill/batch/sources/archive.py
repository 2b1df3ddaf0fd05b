"""A tar or zip file, whose members are read in place."""

from collections.abc import Callable, Iterator
from typing import Self
from urllib.parse import quote_from_bytes, unquote_to_bytes

from pixmill.batch.naming.reserved import collision_stem, image_stem
from pixmill.batch.source import OnError, OnIgnored, SourceKind, SourceRequest, no_op, with_folders
from pixmill.core.errors import AddressError
from pixmill.storage.address import Address
from pixmill.storage.entry import Entry
from pixmill.storage.local.inodes import holder, real, real_holder
from pixmill.storage.open import open_storage
from pixmill.storage.storage import Storage

_SUFFIXES = {".tar": "tar", ".zip": "zip"}
_COMPRESSED = (".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst")  # the storage raises an error with a hint


class Archive(SourceKind):
    """The members of an archive: ``photos.tar``, ``photos.zip``, or any file as ``tar:///srv/x`` and ``zip:///srv/x``."""

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
            return True
        return address.local is not None and bool(_scheme(address.location)) and address.local.is_file()

    @classmethod
    def open(cls, request: SourceRequest) -> Self:
        """Return the archive; ``AddressError`` when it does not exist, is not an archive, or is compressed as a whole."""
        address = request.address
        if address.local is not None:
            address = Address(_scheme(address.location), quote_from_bytes(_absolute(address)).encode())
        if not address.location.startswith(b"/"):
            raise AddressError(
                f"{address} is not an absolute path", hint=f"write the full path: {address.scheme}:///srv/photos.{address.scheme}"
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
            yield with_folders(entries, folders)


def _scheme(location: bytes) -> str:
    """Return the scheme for a file of this name; empty if it does not have the extension of an archive."""
    name = location.lower().decode("utf-8", "surrogateescape")
    if name.endswith(_COMPRESSED):
        return "tar"
    return next((scheme for suffix, scheme in _SUFFIXES.items() if name.endswith(suffix)), "")


def _absolute(address: Address) -> bytes:
    return Address.parse(address.url).location
