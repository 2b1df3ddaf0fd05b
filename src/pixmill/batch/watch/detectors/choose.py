"""The choice of a detector for a folder: inotify where it is reliable, otherwise polling."""

import os
import sys
from collections.abc import Callable, Iterator

from pixmill.batch.watch.detectors.detector import Detector
from pixmill.batch.watch.detectors.kernel import InotifyDetector
from pixmill.batch.watch.detectors.polling import PollingDetector
from pixmill.core.units import Duration
from pixmill.storage.local import mounts

POLL_INTERVAL = 0.4  # seconds between two scans
# On these, the kernel makes every change itself and so reports every change. On others (nfs, cifs, 9p, virtiofs, fuse, which
# include the bind mounts of Docker on macOS and Windows), another machine may change a file without any notice.
LOCAL_FILE_SYSTEMS = frozenset({
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
    """Return a detector that watches ``root`` from now on, and the reason for the choice in words."""
    reason = why_not_inotify(root, follow=follow, poll=poll)
    if not reason:
        try:
            return InotifyDetector(root, enters), "this file system reports every change"
        except OSError as error:
            reason = f"inotify watches are exhausted ({error.strerror or error}); raise fs.inotify.max_user_watches"
    return PollingDetector(root, enters, interval=poll or POLL_INTERVAL, follow=follow, clock=clock), reason


def why_not_inotify(root: bytes, *, follow: bool, poll: Duration | None) -> str:
    """Return the reason why inotify is not reliable for ``root``, or the empty string."""
    if poll is not None:
        return "polling was requested"
    if sys.platform != "linux":
        return f"{sys.platform} has no inotify"
    if follow:
        return "symbolic links are followed and may lead out of the folder"
    foreign = sorted({kind for kind in file_systems(root, mounts.MOUNTS.read_bytes()) if kind not in LOCAL_FILE_SYSTEMS})
    return f"other machines may change files on {', '.join(foreign)}" if foreign else ""


def file_systems(root: bytes, mounted: bytes) -> Iterator[str]:
    """Yield the type of the file system of ``root``, and of every file system mounted below it.

    ``mounted`` is the content of /proc/self/mountinfo.
    """
    real_root = os.path.realpath(root)
    nearest, nearest_kind = b"", ""
    for mount in mounts.parse(mounted):
        if mounts.is_within(real_root, mount.point):
            if len(mount.point) >= len(nearest):
                nearest, nearest_kind = mount.point, mount.kind
        elif mounts.is_within(mount.point, real_root):
            yield mount.kind
    if nearest_kind:
        yield nearest_kind
