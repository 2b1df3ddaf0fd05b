"""Which detector a folder gets: the kernel's word where it can be trusted, else looking."""

import os
import sys
from collections.abc import Callable, Iterator

from pixmill.batch.watch.detectors.detector import Detector
from pixmill.batch.watch.detectors.kernel import InotifyDetector
from pixmill.batch.watch.detectors.polling import PollingDetector
from pixmill.core.units import Duration
from pixmill.storage.local import mounts

INTERVAL = 0.4  # seconds between two looks
# The kernel hears of every change on these, since it makes every change itself. On others (nfs, cifs, 9p, virtiofs, fuse: the
# bind mounts of Docker on macOS and Windows among them) somebody else may change a file, and no notice comes.
LOCAL = frozenset({
    "ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "bcachefs", "jfs", "reiserfs", "nilfs2", "tmpfs", "ramfs", "overlay",
    "vfat", "exfat", "ntfs3", "hfsplus", "squashfs",
})  # fmt: skip


def choose_detector(
    root: bytes,
    enters: Callable[[bytes], bool],
    *,
    follow: bool,
    poll: Duration | None,
    clock: Callable[[], float],
) -> tuple[Detector, str]:
    """Return a detector that looks at ``root`` from now on, and the reason for it in words."""
    reason = why_not_inotify(root, follow=follow, poll=poll)
    if not reason:
        try:
            return InotifyDetector(root, enters), "the kernel tells of every change here"
        except OSError as error:
            reason = f"the kernel has no more watches ({error.strerror or error}): raise fs.inotify.max_user_watches"
    return PollingDetector(root, enters, interval=poll or INTERVAL, follow=follow, clock=clock), reason


def why_not_inotify(root: bytes, *, follow: bool, poll: Duration | None) -> str:
    """Return why the kernel's word is not enough for ``root``, or the empty string."""
    if poll is not None:
        return "it was asked for"
    if sys.platform != "linux":
        return f"{sys.platform} has no inotify"
    if follow:
        return "links are followed, and may lead out of the folder"
    foreign = sorted({kind for kind in file_systems(root, mounts.MOUNTS.read_bytes()) if kind not in LOCAL})
    return f"somebody else may change files on {', '.join(foreign)}" if foreign else ""


def file_systems(root: bytes, mounted: bytes) -> Iterator[str]:
    """Yield the type of the file system that ``root`` is on, and of every one mounted below it.

    ``mounted`` is the content of /proc/self/mountinfo.
    """
    place = os.path.realpath(root)
    holder, kind = b"", ""
    for mount in mounts.parse(mounted):
        if mounts.is_within(place, mount.point):
            if len(mount.point) >= len(holder):
                holder, kind = mount.point, mount.kind
        elif mounts.is_within(mount.point, place):
            yield mount.kind
    if kind:
        yield kind
