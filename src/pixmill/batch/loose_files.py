"""Single local files among several sources, as a shell makes of ``*.jpg``: each costs one look, for there may be thousands."""

import os
import stat
from collections.abc import Iterable, Iterator

from pixmill.batch.source import FALLBACK, SYMLINK, Given, MemberEntry, OnError, OnIgnored, Shape, kind_of, no_op, sources
from pixmill.storage.address import Address
from pixmill.storage.entry import Entry
from pixmill.storage.local.inodes import absolute, holder, is_link, real, real_holder
from pixmill.storage.open import open_storage

LOCAL = Address("multi", b"local")


class LooseFiles:
    """Local files, each with its own name as its path, whatever folder it is in; the same file twice counts once."""

    is_explicit = False
    has_columns = False
    has_unique_paths = False
    is_dated = False
    is_in_range = False
    shape: Shape = "folder"

    def __init__(self, *, follow_links: bool = False) -> None:
        """Start without files. With ``follow_links`` a symbolic link to a file counts as a file."""
        self.address = LOCAL
        self.storage = open_storage(LOCAL, follow_symlinks=follow_links)
        self._follow = follow_links
        self._kinds = sources()
        self._entries: dict[bytes, MemberEntry] = {}
        self._links: dict[bytes, None] = {}

    def add(self, index: int, address: Address) -> bool:
        """Add the file at ``address``, given as number ``index``; return whether it is a local file, but no archive or list."""
        if address.local is None or not _is_file(address.location):
            return False
        if kind_of(address, self._kinds) is not self._kinds.get(FALLBACK):
            return False
        path = absolute(address.location)
        if is_link(path) and not self._follow:
            self._links[path] = None
        elif path not in self._entries:
            name, status = os.path.basename(path), os.stat(path)  # noqa: PTH116, PTH119  # bytes
            version = b"%d" % status.st_mtime_ns
            self._entries[path] = MemberEntry(
                name, status.st_size, version, status.st_ctime_ns, locator=b"\0" + path, index=index, inner=name
            )
        return True

    @property
    def roots(self) -> tuple[bytes, ...]:
        """Return the folders of the files and, for links, those of their targets."""
        return tuple({root: None for given in self.given() for root in given.roots})

    def given(self) -> Iterator[Given]:
        """Yield the folders of the files, each once."""
        first: dict[bytes, int] = {}
        for path, entry in self._entries.items():
            for root in (holder(path), real_holder(path)) if self._follow else (holder(path),):
                first.setdefault(root, entry.index)
        return (Given(index, Address("file", root), (root,)) for root, index in first.items())

    @property
    def places(self) -> tuple[bytes, ...]:
        """Return the folders of the files, with their links resolved."""
        return tuple(dict.fromkeys(map(real_folder, self._entries)))

    def has(self, locator: bytes) -> bool:
        """Tell whether the file with this ``locator`` is one of them."""
        return locator[1:] in self._entries

    def locate(self, path: bytes, locator: bytes) -> tuple[bytes, bytes]:  # noqa: ARG002  # two files may have the same path
        """Return the folder of a file and its name."""
        return real_folder(locator[1:]), os.path.basename(locator)  # noqa: PTH119  # bytes

    def folders(self, on_error: OnError, on_ignored: OnIgnored = no_op) -> Iterator[list[Entry]]:  # noqa: ARG002  # all were seen
        """Yield the files, all in one folder."""
        for path in self._links:
            on_ignored(os.path.basename(path), SYMLINK)  # noqa: PTH119  # bytes
        if self._entries:
            yield list(self._entries.values())

    def find(self, paths: Iterable[bytes]) -> Iterator[Entry] | None:  # noqa: ARG002  # as every source has it
        """Return ``None``: all files are known already."""
        return None

    def column_names(self) -> tuple[str, ...]:
        """Return nothing: files have no columns."""
        return ()


def real_folder(path: bytes) -> bytes:
    """Return the folder that contains ``path``, with its links resolved."""
    return real(holder(path))


def _is_file(path: bytes) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116  # bytes
    except OSError:
        return False
