"""A folder, local or in a bucket, walked recursively; or a single file."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Self

import msgspec

from pixmill.batch.naming.reserved import collision_stem, image_stem, with_stems
from pixmill.batch.outputs.own_folders import OUTPUT, OwnFolders
from pixmill.batch.source import SYMLINK, Folder, OnError, OnIgnored, SourceKind, SourceRequest, no_op, subfolders
from pixmill.batch.state.identity import identity_of
from pixmill.core.errors import AddressError, ReadError, RunError
from pixmill.core.operating_system import is_allowed
from pixmill.core.text import printable
from pixmill.storage.address import Address
from pixmill.storage.entry import Entry, Listing
from pixmill.storage.local.inodes import absolute, is_link, real_holder
from pixmill.storage.retry.outage import OutagePolicy
from pixmill.storage.retry.storage import open_with_retries
from pixmill.storage.storage import Storage


class Exclusion(msgspec.Struct, frozen=True, kw_only=True):
    """What is excluded from a folder: the ``own`` folders of a run, and ``below``, the path to DST in a store.

    With ``follow_links`` links are followed, except into DST. ``stem_of`` returns what names have in common if they may collide.
    ``folders_first``: the name of an output may be that of any subfolder, whatever its source is called.
    ``keeps_folders_together``: a folder comes before its subfolders, at once.
    """

    own: OwnFolders = msgspec.field(default_factory=OwnFolders)
    below: bytes = b""
    follow_links: bool = False
    stem_of: Callable[[bytes], bytes] = image_stem
    folders_first: bool = True
    keeps_folders_together: bool = False


class Directory(SourceKind):
    """The files below the root of ``storage``, or only the file ``only``.

    Hidden folders are not entered, nor are folders that the run writes to, whatever their path below the root.
    """

    def __init__(self, address: Address, storage: Storage, *, only: bytes = b"", exclusion: Exclusion | None = None) -> None:
        """Take the ``storage`` at ``address``; nothing is read yet."""
        self.address = address
        self.storage = storage
        self._only = only
        self.shape = "image" if only else "folder"
        self._exclusion = exclusion or Exclusion()
        self._root = absolute(address.location) if address.local else None

    @classmethod
    def claims(cls, address: Address) -> bool:  # noqa: ARG003  # claims every address
        """Claim everything: an address that no other source claims is a folder."""
        return True

    @classmethod
    def open(cls, request: SourceRequest) -> Self:
        """Return the folder at the address; for the address of a file, its folder restricted to this file."""
        path, follow = request.address.local, request.selection.follow_symlinks
        root, only = _local_root(request.address, path) if path else _store_root(request.address, request.policy)
        below = request.output.below(root) if request.output else None
        stem_of = collision_stem if request.selection.all_files else image_stem
        exclusion = Exclusion(
            own=request.own,
            below=below or b"",
            follow_links=follow,
            stem_of=stem_of,
            folders_first=not request.names_begin_alike,
            keeps_folders_together=request.is_one_of_several,
        )
        storage: Storage = open_with_retries(root, follow_symlinks=follow, policy=request.policy)
        limited = storage.between(*request.key_range) if request.key_range and not only else None
        directory = cls(root, limited or storage, only=only, exclusion=exclusion)
        directory.is_in_range = limited is not None
        return directory

    @property
    def roots(self) -> tuple[bytes, ...]:
        """Return the folder and, if SRC is a link to a file, the folder of its target."""
        if self._root is None:
            return ()
        return self._root, *((real_holder(self._full(self._only)),) if self._only else ())

    def excluding(self, folders: Sequence[Path]) -> "Directory":
        """Return the same source without the local ``folders``."""
        exclusion = msgspec.structs.replace(self._exclusion, own=self._exclusion.own.with_others(folders))
        return Directory(self.address, self.storage, only=self._only, exclusion=exclusion)

    def folders(self, on_error: OnError, on_ignored: OnIgnored = no_op) -> Iterator[list[Entry]]:
        """Yield the entries folder by folder, sorted."""
        if self._only:
            yield [self._single()]
        else:
            yield from _Listing(self, on_error, on_ignored).folders()

    def find(self, paths: Iterable[bytes]) -> Iterator[Entry] | None:
        """Return the files at ``paths`` in a local folder whose links are not followed; in a store, a listing costs less."""
        return None if self._root is None or self._only or self.follows_links else self._found(paths)

    def _found(self, paths: Iterable[bytes]) -> Iterator[Entry]:
        for folder, members in groupby(paths, key=lambda path: path.rpartition(b"/")[0]):
            parts = folder.split(b"/") if folder else []
            if all(self.is_entered(b"/".join(parts[: depth + 1])) for depth in range(len(parts))):
                for path in members:
                    with suppress(ReadError):  # its folder cannot be read, which a listing reports
                        if entry := self.storage.stat(path):
                            yield entry

    def siblings(self, folder: bytes, stems: Collection[bytes] | None = None) -> list[Entry]:
        """Return the entries that ``folders`` yields for one folder; none if it no longer exists or cannot be read.

        With ``stems``, return only those whose ``stem`` is one of these, which takes a fraction of the time.
        """
        wants = None if stems is None else with_stems(stems, self._exclusion.stem_of)
        return next(filter(None, _Listing(self, lambda *_: None, no_op).folder(folder, wants)), [])

    def stem(self, name: bytes) -> bytes:
        """Return what ``name`` has in common with those beside it whose outputs could get the same name."""
        return self._exclusion.stem_of(name)

    def is_entered(self, path: bytes) -> bool:
        """Tell whether the walk enters the folder ``path``."""
        return not path.rpartition(b"/")[2].startswith(b".") and self.reason_against(path) is None

    def reason_against(self, path: bytes) -> str | None:
        """Return the reason for ignoring the folder ``path`` if the run, or another one, writes to it, otherwise ``None``."""
        if self._root is None:
            return OUTPUT if path == self._exclusion.below else None
        full, own = self._full(path), self._exclusion.own
        own.refresh()
        folder = own.find(full)
        if folder is None and self._exclusion.follow_links and is_link(full):
            folder = own.find_output_above(full)  # not cached: the target of a link may change
        if folder is None:
            return OUTPUT if identity_of(Path(os.fsdecode(full))) else None  # or two outputs in SRC would feed each other
        return folder.reason

    def leads_into_output(self, path: bytes) -> bool:
        """Tell whether the link ``path`` leads to a file in the output."""
        return self._exclusion.own.output_of(self._full(path)) is not None

    def reserves_name(self, path: bytes) -> bool:
        """Tell whether an output may want the name of the folder ``path``.

        A store may have millions. If names of outputs begin with those of their sources, only a name with a dot is wanted.
        """
        return self._root is not None or self._exclusion.folders_first or b"." in path.rpartition(b"/")[2]

    @property
    def lists_folders_first(self) -> bool:
        """Tell whether all subfolders must be known before images beside them get names."""
        return self._exclusion.folders_first

    @property
    def keeps_folders_together(self) -> bool:
        """Tell whether a folder has to come before its subfolders, at once."""
        return self._exclusion.keeps_folders_together

    @property
    def follows_links(self) -> bool:
        """Tell whether links are followed."""
        return self._exclusion.follow_links

    def _full(self, path: bytes) -> bytes:
        return (self._root or b"") + b"/" + path

    def _single(self) -> Entry:
        entry = self.storage.stat(self._only)
        if entry is None and self._root is not None and is_link(self._full(self._only)):
            hint = "--follow-symlinks processes the file it points to"
            raise AddressError(f"{printable(self._only)} is a symbolic link", hint=hint)
        if entry is None:
            raise AddressError(f"{printable(self._only)} does not exist, or is not a regular file")
        return entry


class _Listing:
    """One walk through a ``Directory``.

    A folder is checked before it is entered, and again once it has been read: a run may have created its output there since.
    """

    def __init__(self, source: Directory, on_error: OnError, on_ignored: OnIgnored) -> None:
        self._source = source
        self._on_error = on_error
        self._on_ignored = on_ignored
        self._noted: dict[bytes, list[bytes]] = {}  # subfolders that were found and not yielded yet, by their parents
        self._noted_links: set[bytes] = set()
        self._subfolders: dict[bytes, list[Folder]] = {}  # those before, by their parents
        self._current: bytes | None = None  # the folder that is being listed, and its links
        self._links: set[bytes] = set()
        self._last_check: tuple[bytes, bool] = (b"", False)

    def folders(self) -> Iterator[list[Entry]]:
        """Yield all entries."""
        source = self._source
        if source.keeps_folders_together and not source.address.local:  # which a local folder does in any case
            return self._inputs(source.storage.list(descend=self._should_descend, on_error=self._report_error))
        return self._inputs(
            source.storage.list_parts(
                source.stem,
                folders_first=source.lists_folders_first,
                descend=self._should_descend,
                on_error=self._report_error,
                on_link=self._note_link,
            )
        )

    def folder(self, path: bytes, wants: Callable[[bytes], bool] | None) -> Iterator[list[Entry]]:
        """Yield the entries in the folder ``path``, those whose names it ``wants``."""
        storage, descend, on_link = self._source.storage, self._note_folder, self._note_link
        if wants is None:
            return self._inputs(storage.list(path, descend=descend, on_error=self._report_error, on_link=on_link))
        return self._inputs(storage.list_wanted(path, wants, descend=descend, on_error=self._report_error, on_link=on_link))

    def _inputs(self, listings: Iterable[Listing]) -> Iterator[list[Entry]]:
        for entries in listings:
            if not entries:
                yield entries
                continue
            folder = entries[0].path.rpartition(b"/")[0]
            if folder != self._current:
                self._begin(folder)
            if folder in self._noted:  # those of a bucket come with its pages
                self._subfolders.setdefault(folder, []).extend(subfolders(folder, self._noted.pop(folder)))
            if not self._is_excluded(folder):
                inputs = [entry for entry in entries if self._is_input(entry.path)] if self._links else entries
                if inputs:
                    yield [*inputs, *self._subfolders.get(folder, ())]

    def _begin(self, folder: bytes) -> None:
        """Take what was noted while ``folder`` was read, which holds for all of its parts.

        A folder of a store may come after its subfolders; a local one comes before them.
        """
        self._current = folder
        self._links, self._noted_links = self._noted_links, set()
        for noted in (self._noted, self._subfolders):
            for other in [other for other in noted if not self._may_continue(other, folder)]:
                del noted[other]

    def _may_continue(self, folder: bytes, current: bytes) -> bool:
        """Tell whether entries of ``folder`` may come after some of ``current``."""
        if folder == current or self._source.address.local:
            return folder == current
        return not folder or not current or folder.startswith(current + b"/") or current.startswith(folder + b"/")

    def _should_descend(self, path: bytes) -> bool:
        if path.rpartition(b"/")[2].startswith(b".") or self._is_excluded(path.rpartition(b"/")[0]):
            return False
        reason = self._source.reason_against(path)
        if reason is None and self._source.reserves_name(path):
            self._noted.setdefault(path.rpartition(b"/")[0], []).append(path)
        if reason:
            self._on_ignored(path, reason)
        return reason is None

    def _note_folder(self, path: bytes) -> bool:
        self._should_descend(path)
        return False

    def _is_excluded(self, folder: bytes) -> bool:
        """Tell whether ``folder``, which has been read, is now one that the run writes to; the root never is."""
        if self._last_check[0] != folder:
            reason = self._source.reason_against(folder) if folder else None
            self._last_check = (folder, reason is not None)
            if reason:
                self._on_ignored(folder, reason)
        return self._last_check[1]

    def _note_link(self, path: bytes) -> None:
        if self._source.follows_links:
            self._noted_links.add(path)
        else:
            self._on_ignored(path, SYMLINK)

    def _report_error(self, path: bytes, error: ReadError) -> None:
        """Report that ``path`` cannot be read, unless it is a link to where the output will be."""
        if path in self._noted_links and self._source.reason_against(path):
            self._on_ignored(path, OUTPUT)
        else:
            self._on_error(path, error)

    def _is_input(self, path: bytes) -> bool:
        if path in self._links and self._source.leads_into_output(path):
            self._on_ignored(path, OUTPUT)
            return False
        return True


def _local_root(address: Address, path: Path) -> tuple[Address, bytes]:
    """Return the folder at the local ``path`` or, if it is a file, its folder and its name; raise if it cannot be read."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise AddressError(f"SRC {address} does not exist") from None
    except OSError as error:  # a parent cannot be entered, a server does not respond, or the name is too long
        raise RunError(f"SRC {address} cannot be reached: {error.strerror}", code="not-readable") from None
    is_folder = path.is_dir()
    if not is_allowed(path, os.R_OK | (os.X_OK if is_folder else 0)):
        hint = f"run as its owner, or: chmod -R u+rX {path}"
        raise RunError(f"SRC {address} cannot be read", code="not-readable", hint=hint)
    return (address, b"") if is_folder else (Address.parse(path.parent), os.fsencode(path.name))


def _store_root(address: Address, policy: OutagePolicy) -> tuple[Address, bytes]:
    """Return the folder in a store at ``address`` or, if it is an object, its folder and its name."""
    folder, slash, name = address.location.rpartition(b"/")
    parent = Address(address.scheme, folder)
    if slash and folder and b"." in name and open_with_retries(parent, policy=policy).stat(name) is not None:
        return parent, name
    return address, b""
