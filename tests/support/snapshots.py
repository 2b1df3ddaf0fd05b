"""Snapshots of a file tree, to find the files that were changed or removed between two of them."""

import os
import stat
from collections.abc import Collection
from hashlib import blake2b
from pathlib import Path

import msgspec

from support.invariants import STATE


class Kept(msgspec.Struct, frozen=True):
    """The state of one file, link or folder, which must not change. ``inode`` is 0 if it is meaningless."""

    kind: str
    content: bytes
    size: int
    mtime_ns: int
    inode: int = 0


Snapshot = dict[bytes, Kept]


def snapshot(root: Path, *, ignoring: Collection[str] = (), inodes: bool = True) -> Snapshot:
    """Return every file and link below ``root`` by relative path; links are not followed.

    Folders named ``.pixmill``, and entries whose names are in ``ignoring``, are left out with their contents.
    ``inodes=False`` is for file systems whose inode numbers are not stable.
    """
    base, left_out = os.fsencode(root), {os.fsencode(name) for name in (STATE, *ignoring)}
    found: Snapshot = {}
    waiting = [b""]
    while waiting:
        folder = waiting.pop()
        for name in sorted(os.listdir(os.path.join(base, folder))):  # noqa: PTH118, PTH208  # names need not be text
            path = os.path.join(folder, name)  # noqa: PTH118  # the same
            if name in left_out:
                continue
            kept = look(os.path.join(base, path), inodes=inodes)  # noqa: PTH118  # the same
            if kept.kind == "folder":
                waiting.append(path)
            else:
                found[path] = kept
    return found


def look(path: bytes, *, inodes: bool = True) -> Kept:
    """Return the current state of ``path``."""
    seen = os.lstat(path)
    if stat.S_ISDIR(seen.st_mode):
        return Kept("folder", b"", 0, 0)
    inode = seen.st_ino if inodes else 0
    if stat.S_ISLNK(seen.st_mode):
        return Kept("link", os.readlink(path), seen.st_size, seen.st_mtime_ns, inode)  # noqa: PTH115  # bytes
    if not stat.S_ISREG(seen.st_mode):
        return Kept("other", b"", seen.st_size, seen.st_mtime_ns, inode)
    with open(path, "rb") as file:  # noqa: PTH123  # bytes
        return Kept("file", blake2b(file.read(), digest_size=16).digest(), seen.st_size, seen.st_mtime_ns, inode)


def lost(before: Snapshot, after: Snapshot) -> dict[bytes, str]:
    """Return what changed about the entries of ``before``; entries that are only in ``after`` are ignored."""
    return {path: _change(kept, after.get(path)) for path, kept in before.items() if after.get(path) != kept}


def _change(before: Kept, after: Kept | None) -> str:
    if after is None:
        return "removed"
    names = [name for name in before.__struct_fields__ if getattr(before, name) != getattr(after, name)]
    return "changed: " + ", ".join(names)
