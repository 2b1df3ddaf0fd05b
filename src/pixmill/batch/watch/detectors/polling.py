"""The polling detector, for file systems whose changes the kernel does not report, such as network file systems.

It makes frequent quick scans and rare full scans. A quick scan checks the modification time of each folder and reads only
folders that have changed: added, removed and renamed files are folders soon, at the cost of one call per folder. A full scan
reads every folder and so also finds files that were overwritten in place.
"""

import os
import time
from collections.abc import Callable

import msgspec

from pixmill.batch.watch.detectors.detector import Changes

FULL_SCAN_CPU = 0.001  # of a core: the limit for full scans
QUICK_SCAN_CPU = 0.02  # of a core: the limit for quick scans, which cost almost nothing unless something changes
MAX_BUSY_SHARE = 0.2  # of the time: the limit for keeping the file system busy, which may be a slow server
Files = dict[bytes, tuple[int, int, int]]


class Folder(msgspec.Struct, frozen=True):
    """One folder as read: ``names_changed`` is its modification time in ns, ``is_new`` whether it differs from the last scan."""

    names_changed: int
    is_new: bool
    files: Files
    below: tuple[bytes, ...]


class PollingDetector:
    """Scans the tree below ``root`` every ``interval`` seconds, less often if that would exceed its limits.

    It remembers every file, about 200 bytes each. ``clock`` is monotonic, in seconds; ``cpu`` returns the processor time used.
    """

    method = "polling"

    def __init__(
        self,
        root: bytes,
        enters: Callable[[bytes], bool],
        *,
        interval: float,
        follow: bool,
        clock: Callable[[], float],
        cpu: Callable[[], float] = time.thread_time,
    ) -> None:
        """Make the first scan."""
        self._root = root
        self._enters = enters
        self._interval = interval
        self._follow = follow
        self._clock = clock
        self._cpu = cpu
        self._folders: dict[bytes, Folder] = {}
        self._quick_scan_due = self._full_scan_due = 0.0
        self.changes()

    def changes(self) -> Changes:
        """Return the changes since the last scan, if a scan is due."""
        began, worked = self._clock(), self._cpu()
        if began < min(self._quick_scan_due, self._full_scan_due):
            return Changes()
        is_full = began >= self._full_scan_due
        before, self._folders = self._folders, self._scan({} if is_full else self._folders)
        changes = _differences(before, self._folders)
        now = self._clock()
        share = FULL_SCAN_CPU if is_full else QUICK_SCAN_CPU
        pause = max(self._interval, (self._cpu() - worked) / share, (now - began) / MAX_BUSY_SHARE)
        self._quick_scan_due = now + (self._interval if is_full else pause)
        if is_full:
            self._full_scan_due = now + pause
        return changes

    def is_open(self, path: bytes) -> bool:
        """Return ``False``: polling cannot detect it."""
        del path
        return False

    def close(self) -> None:
        """Do nothing: no resources are held."""

    def _scan(self, former: dict[bytes, Folder]) -> dict[bytes, Folder]:
        """Scan the tree; a folder in ``former`` that has not changed is not read again."""
        folders: dict[bytes, Folder] = {}
        visited: set[tuple[int, int]] = set()
        waiting = [b""]
        while waiting:
            path = waiting.pop()
            try:
                status = os.stat(self._full(path))  # noqa: PTH116  # file names need not be valid text, which pathlib requires
                identity = (status.st_dev, status.st_ino)
                if self._follow and identity in visited:
                    continue
                visited.add(identity)
                folders[path] = self._folder(path, status.st_mtime_ns, former.get(path))
            except OSError:
                continue  # gone or unreadable: the listing reports it
            waiting.extend(folders[path].below)
        return folders

    def _folder(self, path: bytes, names_changed: int, former: Folder | None) -> Folder:
        """Read a folder if its names have changed, and once more in the next scan: two changes may have the same time."""
        is_new = former is None or former.names_changed != names_changed
        if former is not None and not is_new and not former.is_new:
            return former
        files, below = self._list(path)
        return Folder(names_changed, is_new, files, tuple(below))

    def _list(self, path: bytes) -> tuple[Files, list[bytes]]:
        prefix = path + b"/" if path else b""
        files: Files = {}
        below = []
        with os.scandir(self._full(path)) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=self._follow):
                    if self._enters(prefix + entry.name):
                        below.append(prefix + entry.name)
                    continue
                try:
                    status = entry.stat(follow_symlinks=self._follow)
                except OSError:
                    continue
                files[entry.name] = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        return files, below

    def _full(self, path: bytes) -> bytes:
        return self._root + b"/" + path


def _differences(before: dict[bytes, Folder], after: dict[bytes, Folder]) -> Changes:
    paths: set[bytes] = set()
    for path in before.keys() | after.keys():
        former, latter = (tree[path].files if path in tree else {} for tree in (before, after))
        if former is not latter:
            prefix = path + b"/" if path else b""
            names = former.keys() | latter.keys()
            paths.update(prefix + name for name in names if former.get(name) != latter.get(name))
    gone = {path for path in before if path and path not in after}  # the root has no name
    return Changes(frozenset(paths | gone))
