"""A folder, on this machine or in a bucket, walked below its root; or one file."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from pixmill.batch.source import Asked, Refused, SourceKind
from pixmill.core.errors import AddressError, RunError
from pixmill.core.text import printable
from pixmill.storage.address import Address
from pixmill.storage.local.rights import may
from pixmill.storage.retrying import open_patiently
from pixmill.storage.storage import Entry, Storage


class Directory(SourceKind):
    """The files below the root of ``storage``, or the one called ``only``.

    Hidden folders are not entered; nor is one for which ``is_ours`` is true: an output or state folder inside the input.
    """

    def __init__(
        self,
        address: Address,
        storage: Storage,
        *,
        only: bytes = b"",
        is_ours: Callable[[bytes], bool] = lambda path: False,  # noqa: ARG005  # the shape of is_ours
    ) -> None:
        """Take the storage to walk, which is at ``address``; nothing is read yet."""
        self.address = address
        self.storage = storage
        self._only = only
        self._is_ours = is_ours

    @classmethod
    def claims(cls, address: Address) -> bool:  # noqa: ARG003  # whatever it is
        """Claim everything: a place where nothing is known of is a folder."""
        return True

    @classmethod
    def open(cls, asked: Asked) -> Self:
        """Return the folder at the address; for that of a file, the folder that holds it, and this one file in it."""
        path, follow = asked.address.local, asked.selection.follow_symlinks
        root, only = _there(asked.address, path) if path else _stored(asked.address)
        ours = {below for place in asked.outputs if (below := place.below(root))}
        return cls(root, open_patiently(root, follow_symlinks=follow), only=only, is_ours=ours.__contains__)

    def folders(self, refused: Refused) -> Iterator[list[Entry]]:
        """Yield the entries folder by folder, sorted."""
        if not self._only:
            yield from self.storage.list(descend=self.enters, on_error=refused)
            return
        entry = self.storage.stat(self._only)
        if entry is None:
            raise AddressError(f"{printable(self._only)} is not there, or not a regular file")
        yield [entry]

    def enters(self, path: bytes) -> bool:
        """Tell whether the folder ``path`` is looked into."""
        return not path.rpartition(b"/")[2].startswith(b".") and not self._is_ours(path)


def _there(address: Address, path: Path) -> tuple[Address, bytes]:
    """Return the folder and the file in it, if it is one, that are at the local ``path``; errors say why they cannot be used."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise AddressError(f"SRC {address} does not exist") from None
    except OSError as error:  # a folder on the way to it may not be entered, a server does not answer, the name is too long
        raise RunError(f"SRC {address} cannot be reached: {error.strerror}", code="not-readable") from None
    is_folder = path.is_dir()
    if not may(path, os.R_OK | (os.X_OK if is_folder else 0)):
        hint = f"run as its owner, or: chmod -R u+rX {path}"
        raise RunError(f"SRC {address} cannot be read", code="not-readable", hint=hint)
    return (address, b"") if is_folder else (Address.parse(path.parent), os.fsencode(path.name))


def _stored(address: Address) -> tuple[Address, bytes]:
    """Return the folder in a store, and the object in it if it is one, that are at ``address``."""
    folder, slash, name = address.location.rpartition(b"/")
    parent = Address(address.scheme, folder)
    if slash and folder and b"." in name and open_patiently(parent).stat(name) is not None:
        return parent, name
    return address, b""
