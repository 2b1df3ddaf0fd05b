"""A folder, on this machine or in a bucket, walked below its root; or one file."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import msgspec

from pixmill.batch.outputs.own_folders import OUTPUT, OwnFolders
from pixmill.batch.source import SYMLINK, OnError, OnIgnored, SourceKind, SourceRequest, unnoticed, with_folders
from pixmill.core.errors import AddressError, ReadError, RunError
from pixmill.core.text import printable
from pixmill.storage.address import Address
from pixmill.storage.entry import Entry
from pixmill.storage.local.access import is_allowed
from pixmill.storage.local.inodes import absolute, is_link, real_holder
from pixmill.storage.retry.storage import open_with_retries
from pixmill.storage.storage import Storage


class Exclusion(msgspec.Struct, frozen=True, kw_only=True):
    """What is left out of a folder: the ``own`` folders of a run, and ``below``, the way to DST in a store.

    With ``follow`` links are followed, wherever they lead but into DST.
    """

    own: OwnFolders = msgspec.field(default_factory=OwnFolders)
    below: bytes = b""
    follow: bool = False


class Directory(SourceKind):
    """The files below the root of ``storage``, or the one called ``only``.

    Hidden folders are not entered; nor is one that a run writes to, whatever it is called below the root.
    """

    def __init__(self, address: Address, storage: Storage, *, only: bytes = b"", without: Exclusion | None = None) -> None:
        """Take the storage to walk, which is at ``address``; nothing is read yet."""
        self.address = address
        self.storage = storage
        self._only = only
        self._without = without or Exclusion()
        self._root = absolute(address.location) if address.local else None

    @classmethod
    def claims(cls, address: Address) -> bool:  # noqa: ARG003  # whatever it is
        """Claim everything: a place where nothing is known of is a folder."""
        return True

    @classmethod
    def open(cls, asked: SourceRequest) -> Self:
        """Return the folder at the address; for that of a file, the folder that holds it, and this one file in it."""
        path, follow = asked.address.local, asked.selection.follow_symlinks
        root, only = _there(asked.address, path) if path else _stored(asked.address)
        below = asked.output.below(root) if asked.output else None
        without = Exclusion(own=asked.own, below=below or b"", follow=follow)
        return cls(root, open_with_retries(root, follow_symlinks=follow), only=only, without=without)

    @property
    def roots(self) -> tuple[bytes, ...]:
        """Return the folder, and that of the file which is meant where SRC is a link to one."""
        if self._root is None:
            return ()
        return self._root, *((real_holder(self._full(self._only)),) if self._only else ())

    def excluding(self, folders: Sequence[Path]) -> "Directory":
        """Return the same source without ``folders`` of this machine."""
        without = msgspec.structs.replace(self._without, own=self._without.own.with_others(folders))
        return Directory(self.address, self.storage, only=self._only, without=without)

    def folders(self, refused: OnError, ignored: OnIgnored = unnoticed) -> Iterator[list[Entry]]:
        """Yield the entries folder by folder, sorted."""
        if self._only:
            yield [self._single()]
        else:
            yield from _Listing(self, refused, ignored).folders()

    def siblings(self, folder: bytes) -> list[Entry]:
        """Return what ``folders`` yields for one folder; none when it is gone or nobody may read it."""
        return next(_Listing(self, lambda *_: None, unnoticed).folders(folder, deep=False), [])

    def enters(self, path: bytes) -> bool:
        """Tell whether the folder ``path`` is looked into."""
        return not path.rpartition(b"/")[2].startswith(b".") and self.reason_against(path) is None

    def reason_against(self, path: bytes) -> str | None:
        """Return why the folder ``path`` is one that the run itself writes to, ``None`` where it is not."""
        if self._root is None:
            return OUTPUT if path == self._without.below else None
        full, own = self._full(path), self._without.own
        own.refresh()
        found = own.find(full)
        if found is None and self._without.follow and is_link(full):
            found = own.find_output_above(full)  # a link may lead elsewhere the next time
        return found.reason if found else None

    def leads_into_output(self, path: bytes) -> bool:
        """Tell whether the link ``path`` leads to a file in the output."""
        return self._without.own.output_of(self._full(path)) is not None

    @property
    def follows_links(self) -> bool:
        """Tell whether links are followed."""
        return self._without.follow

    def _full(self, path: bytes) -> bytes:
        return (self._root or b"") + b"/" + path

    def _single(self) -> Entry:
        entry = self.storage.stat(self._only)
        if entry is None and self._root is not None and is_link(self._full(self._only)):
            hint = "--follow-symlinks takes the file that it leads to"
            raise AddressError(f"{printable(self._only)} is a symbolic link", hint=hint)
        if entry is None:
            raise AddressError(f"{printable(self._only)} is not there, or not a regular file")
        return entry


class _Listing:
    """One walk through a ``Directory``.

    A folder is looked at before it is entered, and again once it was read: a run may have made its output there meanwhile.
    """

    def __init__(self, source: Directory, refused: OnError, ignored: OnIgnored) -> None:
        self._source = source
        self._refused = refused
        self._ignored = ignored
        self._folders: list[bytes] = []
        self._links: set[bytes] = set()
        self._last: tuple[bytes, bool] = (b"", False)

    def folders(self, under: bytes = b"", *, deep: bool = True) -> Iterator[list[Entry]]:
        """Yield the entries below ``under``, or only those in it."""
        descend = self._enters if deep else self._passes
        for entries in self._source.storage.list(under, descend=descend, on_error=self._refuse, on_link=self._note_link):
            folder = entries[0].path.rpartition(b"/")[0]
            if not self._is_left_out(folder):
                kept = [entry for entry in entries if self._takes(entry.path)] if self._links else entries
                if kept:
                    yield with_folders(kept, self._folders)
            self._folders.clear()
            self._links.clear()

    def _enters(self, path: bytes) -> bool:
        if path.rpartition(b"/")[2].startswith(b".") or self._is_left_out(path.rpartition(b"/")[0]):
            return False
        reason = self._source.reason_against(path)
        if reason is None:
            self._folders.append(path)
        elif reason:
            self._ignored(path, reason)
        return reason is None

    def _passes(self, path: bytes) -> bool:
        self._enters(path)
        return False

    def _is_left_out(self, folder: bytes) -> bool:
        """Tell whether ``folder``, which has been read, has turned out to be one that the run writes to; the root never is."""
        if self._last[0] != folder:
            reason = self._source.reason_against(folder) if folder else None
            self._last = (folder, reason is not None)
            if reason:
                self._ignored(folder, reason)
        return self._last[1]

    def _note_link(self, path: bytes) -> None:
        if self._source.follows_links:
            self._links.add(path)
        else:
            self._ignored(path, SYMLINK)

    def _refuse(self, path: bytes, error: ReadError) -> None:
        """Pass on that ``path`` cannot be looked at, unless it is a link to where the output will be."""
        if path in self._links and self._source.reason_against(path):
            self._ignored(path, OUTPUT)
        else:
            self._refused(path, error)

    def _takes(self, path: bytes) -> bool:
        if path in self._links and self._source.leads_into_output(path):
            self._ignored(path, OUTPUT)
            return False
        return True


def _there(address: Address, path: Path) -> tuple[Address, bytes]:
    """Return the folder and the file in it, if it is one, that are at the local ``path``; errors say why they cannot be used."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise AddressError(f"SRC {address} does not exist") from None
    except OSError as error:  # a folder on the way to it may not be entered, a server does not answer, the name is too long
        raise RunError(f"SRC {address} cannot be reached: {error.strerror}", code="not-readable") from None
    is_folder = path.is_dir()
    if not is_allowed(path, os.R_OK | (os.X_OK if is_folder else 0)):
        hint = f"run as its owner, or: chmod -R u+rX {path}"
        raise RunError(f"SRC {address} cannot be read", code="not-readable", hint=hint)
    return (address, b"") if is_folder else (Address.parse(path.parent), os.fsencode(path.name))


def _stored(address: Address) -> tuple[Address, bytes]:
    """Return the folder in a store, and the object in it if it is one, that are at ``address``."""
    folder, slash, name = address.location.rpartition(b"/")
    parent = Address(address.scheme, folder)
    if slash and folder and b"." in name and open_with_retries(parent).stat(name) is not None:
        return parent, name
    return address, b""
