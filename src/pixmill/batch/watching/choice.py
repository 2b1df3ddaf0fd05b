"""Which detector a folder gets: the kernel's word where it can be trusted, else looking."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from pixmill.batch.watching.detector import Detector
from pixmill.batch.watching.polling import Polling
from pixmill.batch.watching.told import Told
from pixmill.core.units import Duration

INTERVAL = 0.4  # seconds between two looks
# The kernel hears of every change on these, since it makes every change itself. On others (nfs, cifs, 9p, virtiofs, fuse: the
# bind mounts of Docker on macOS and Windows among them) somebody else may change a file, and no notice comes.
LOCAL = frozenset({
    "ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "bcachefs", "jfs", "reiserfs", "nilfs2", "tmpfs", "ramfs", "overlay",
    "vfat", "exfat", "ntfs3", "hfsplus", "squashfs",
})  # fmt: skip


def choose(
    root: bytes,
    enters: Callable[[bytes], bool],
    *,
    follow: bool,
    poll: Duration | None,
    clock: Callable[[], float],
) -> tuple[Detector, str]:
    """Return a detector that looks at ``root`` from now on, and the reason for it in words."""
    reason = why_not_told(root, follow=follow, poll=poll)
    if not reason:
        try:
            return Told(root, enters), "the kernel tells of every change here"
        except OSError as error:
            reason = f"the kernel has no more watches ({error.strerror or error}): raise fs.inotify.max_user_watches"
    return Polling(root, enters, interval=poll or INTERVAL, follow=follow, clock=clock), reason


def why_not_told(root: bytes, *, follow: bool, poll: Duration | None) -> str:
    """Return why the kernel's word is not enough for ``root``, or the empty string."""
    if poll is not None:
        return "it was asked for"
    if sys.platform != "linux":
        return f"{sys.platform} has no inotify"
    if follow:
        return "links are followed, and may lead out of the folder"
    foreign = sorted({kind for kind in file_systems(root, Path("/proc/self/mountinfo").read_bytes()) if kind not in LOCAL})
    return f"somebody else may change files on {', '.join(foreign)}" if foreign else ""


def file_systems(root: bytes, mounts: bytes) -> Iterator[str]:
    """Yield the type of the file system that ``root`` is on, and of every one mounted below it.

    ``mounts`` is the content of /proc/self/mountinfo: proc_pid_mountinfo(5).
    """
    place = os.path.realpath(root)
    holder, kind = b"", ""
    for line in mounts.splitlines():
        left, _, right = line.partition(b" - ")
        point = _unescape(left.split()[4])
        name = right.split()[0].decode()
        if _is_within(place, point):
            if len(point) >= len(holder):
                holder, kind = point, name
        elif _is_within(point, place):
            yield name
    if kind:
        yield kind


def _is_within(path: bytes, folder: bytes) -> bool:
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")


def _unescape(text: bytes) -> bytes:
    for escaped, plain in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\")):
        text = text.replace(escaped, plain)
    return text
