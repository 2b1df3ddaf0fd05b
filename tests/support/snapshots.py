"""What a tree of files looked like at one moment, so that a later look can tell which files were changed, added or removed."""

import os
import stat
from collections.abc import Collection
from hashlib import blake2b
from pathlib import Path

import msgspec

from support.invariants import STATE


class Kept(msgspec.Struct, frozen=True):
    """One file, link or folder: what must stay the same while nobody may touch it. ``inode`` is 0 where it means nothing."""

    kind: str
    content: bytes
    size: int
    mtime_ns: int
    inode: int = 0


Snapshot = dict[bytes, Kept]


def snapshot(root: Path, *, ignoring: Collection[str] = (), inodes: bool = True) -> Snapshot:
    """Return every file and link below ``root`` by its path relative to it; links are not followed.

    Folders called ``.pixmill``, and entries whose names are in ``ignoring``, are left out with all that is in them.
    ``inodes=False`` is for file systems that make inode numbers up as they go.
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
    """Return what is at ``path`` now."""
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
    """Return what happened to entries of ``before`` that are not as they were; entries that are only in ``after`` do not count."""
    return {path: _change(kept, after.get(path)) for path, kept in before.items() if after.get(path) != kept}


def _change(before: Kept, after: Kept | None) -> str:
    if after is None:
        return "removed"
    names = [name for name in before.__struct_fields__ if getattr(before, name) != getattr(after, name)]
    return "changed: " + ", ".join(names)
