"""A tar or zip file, its members read where they lie."""

from collections.abc import Iterator
from typing import Self
from urllib.parse import quote_from_bytes, unquote_to_bytes

from pixmill.batch.source import OnError, OnIgnored, SourceKind, SourceRequest, unnoticed, with_folders
from pixmill.core.errors import AddressError
from pixmill.storage.address import Address
from pixmill.storage.entry import Entry
from pixmill.storage.local.inodes import holder, real_holder
from pixmill.storage.open import open_storage
from pixmill.storage.storage import Storage

_SUFFIXES = {".tar": "tar", ".zip": "zip"}
_COMPRESSED = (".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst")  # the storage says what is to be done


class Archive(SourceKind):
    """The members of an archive: ``photos.tar``, ``photos.zip``, or any file as ``tar:///srv/x`` and ``zip:///srv/x``."""

    def __init__(self, address: Address, storage: Storage) -> None:
        """Take the archive as a storage, which is at ``address``."""
        self.address = address
        self.storage = storage

    @classmethod
    def claims(cls, address: Address) -> bool:
        """Claim a local file that is called like an archive, and what is said to be one."""
        if address.scheme in _SUFFIXES.values():
            return True
        return address.local is not None and bool(_scheme(address.location)) and address.local.is_file()

    @classmethod
    def open(cls, asked: SourceRequest) -> Self:
        """Return the archive; ``AddressError`` when it is not there, not an archive, or compressed as a whole."""
        address = asked.address
        if address.local is not None:
            address = Address(_scheme(address.location), quote_from_bytes(_absolute(address)).encode())
        if not address.location.startswith(b"/"):
            raise AddressError(
                f"{address} names no file", hint=f"write the whole path: {address.scheme}:///srv/photos.{address.scheme}"
            )
        return cls(address, open_storage(address))

    @property
    def roots(self) -> tuple[bytes, ...]:
        """Return the folder of the archive and, where it is a link, that of the file which is meant."""
        path = unquote_to_bytes(self.address.location)
        return holder(path), real_holder(path)

    def folders(self, refused: OnError, ignored: OnIgnored = unnoticed) -> Iterator[list[Entry]]:  # noqa: ARG002  # none is left out
        """Yield the members folder by folder, sorted; hidden folders are not entered."""
        folders: set[bytes] = set()

        def enters(folder: bytes) -> bool:
            is_visible = not folder.rpartition(b"/")[2].startswith(b".")
            if is_visible:
                folders.add(folder)
            return is_visible

        for entries in self.storage.list(descend=enters, on_error=refused):
            yield with_folders(entries, folders)
            folders.clear()


def _scheme(location: bytes) -> str:
    """Return the scheme for a file of this name, empty where it is not called like an archive."""
    name = location.lower().decode("utf-8", "surrogateescape")
    if name.endswith(_COMPRESSED):
        return "tar"
    return next((scheme for suffix, scheme in _SUFFIXES.items() if name.endswith(suffix)), "")


def _absolute(address: Address) -> bytes:
    return Address.parse(address.url).location
