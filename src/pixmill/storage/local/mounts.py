"""The mounted file systems of this machine, read from Linux: proc_pid_mountinfo(5)."""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

MOUNTS = Path("/proc/self/mountinfo")
_INVENTED_INODES = frozenset({"9p", "cifs", "exfat", "msdos", "smb3", "smbfs", "vfat"})
_NO_CHANGE_TIMES = frozenset({"9p", "exfat", "msdos", "vfat"})
_MAY_IGNORE_CASE = frozenset({"9p", "cifs", "exfat", "hfs", "hfsplus", "msdos", "ntfs", "ntfs3", "smb3", "smbfs", "vfat"})
_REFUSING_NAMES = frozenset({"exfat", "msdos", "vfat"})
_ACCEPTING_NAMES = frozenset({"btrfs", "ext2", "ext3", "ext4", "f2fs", "nfs", "nfs4", "overlay", "ramfs", "tmpfs", "xfs", "zfs"})
_ESCAPES = ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\"))


class Mount(msgspec.Struct, frozen=True):
    """A mount at ``point``: the folder ``root`` of the file system on ``device``, of the type ``kind``."""

    point: bytes
    root: bytes
    device: bytes
    kind: str


def mounts() -> list[Mount]:
    """Return all mounts in the order in which they were mounted; empty if the system does not list them."""
    try:
        return list(parse(MOUNTS.read_bytes()))
    except OSError:
        return []


def parse(content: bytes) -> Iterator[Mount]:
    """Parse the lines of a mountinfo file."""
    for line in content.splitlines():
        left, _, right = line.partition(b" - ")
        _, _, device, root, point = left.split()[:5]
        yield Mount(_unescape(point), _unescape(root), device, right.split()[0].decode())


def is_within(path: bytes, folder: bytes) -> bool:
    """Tell whether ``path`` is ``folder`` or inside it, judging by the names alone."""
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")


def views(folder: bytes, mounted: list[Mount]) -> list[bytes]:
    """Return the other mount points that show ``folder``, a real path, or a folder inside it: those of bind mounts."""
    around = [mount for mount in mounted if is_within(folder, mount.point)]
    if not around:
        return []
    own = max(enumerate(around), key=lambda each: (len(each[1].point), each[0]))[1]  # the last one covers those before
    inner = os.path.join(own.root, folder[len(own.point.rstrip(b"/")) + 1 :]).rstrip(b"/") or b"/"
    return [mount.point for mount in mounted if mount.device == own.device and mount is not own and is_within(mount.root, inner)]


def keeps_inodes(folder: bytes, mounted: list[Mount]) -> bool:
    """Tell whether a file in ``folder``, a real path, has the same inode number each time it is examined.

    Some file systems have no such numbers, and invent one whenever a file enters the cache of the kernel.
    """
    kind = kind_of(folder, mounted)
    return kind not in _INVENTED_INODES and not kind.startswith("fuse")


def keeps_change_times(folder: bytes, mounted: list[Mount]) -> bool:
    """Tell whether the change time (ctime) of a file in ``folder``, a real path, changes with the file and only then.

    Some file systems have no such times, and show another time, or that at which a file entered the cache of the kernel.
    """
    kind = kind_of(folder, mounted)
    return kind not in _NO_CHANGE_TIMES and not kind.startswith("fuse")


def may_ignore_case(folder: bytes, mounted: list[Mount]) -> bool:
    """Tell whether the file system of ``folder``, a real path, is of a type that often ignores the case of names."""
    kind = kind_of(folder, mounted)
    return kind in _MAY_IGNORE_CASE or kind.startswith("fuse")


def known_to_refuse_names(folder: bytes, mounted: list[Mount]) -> bool | None:
    """Tell whether the file system of ``folder``, a real path, refuses some characters; ``None``: its type does not say."""
    kind = kind_of(folder, mounted)
    return True if kind in _REFUSING_NAMES else False if kind in _ACCEPTING_NAMES else None


def kind_of(folder: bytes, mounted: list[Mount]) -> str:
    """Return the type of the file system of ``folder``, a real path; empty if it is unknown."""
    around = [mount for mount in mounted if is_within(folder, mount.point)]
    return max(enumerate(around), key=lambda each: (len(each[1].point), each[0]))[1].kind if around else ""


def _unescape(text: bytes) -> bytes:
    for escaped, plain in _ESCAPES:
        text = text.replace(escaped, plain)
    return text
