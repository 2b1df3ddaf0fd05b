"""The detector that looks for itself, again and again: where the kernel does not hear of changes, as on network file systems.

It glances often and looks seldom. A glance asks each folder when its list of names last changed, and reads only those that
have a new answer: what comes, goes or is renamed is seen soon, at the cost of a call for each folder. A look reads every folder,
and so also sees a file that was written over in its place.
"""

import os
import time
from collections.abc import Callable

import msgspec

from pixmill.batch.watch.detectors.detector import Changes

FULL_SCAN_CPU = 0.001  # of a core: the most that looks may cost, whether anything happens or not
QUICK_SCAN_CPU = 0.02  # of a core: the most that glances may cost, which cost next to nothing unless something happens
DUTY = 0.2  # of the time: the most that the other side, which may be a slow server, is kept busy
Files = dict[bytes, tuple[int, int, int]]


class Folder(msgspec.Struct, frozen=True):
    """One folder as it was read: ``names_changed`` is its time in nanoseconds, ``is_new`` whether that has just moved on."""

    names_changed: int
    is_new: bool
    files: Files
    below: tuple[bytes, ...]


class PollingDetector:
    """Glances at the tree below ``root`` every ``interval`` seconds, more rarely when that would cost more than its share.

    Remembers every file: some 200 bytes each. ``clock`` returns seconds that only grow, ``cpu`` those that were worked.
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
        """Look for the first time."""
        self._root = root
        self._enters = enters
        self._interval = interval
        self._follow = follow
        self._clock = clock
        self._cpu = cpu
        self._known: dict[bytes, Folder] = {}
        self._glance_due = self._look_due = 0.0
        self.changes()

    def changes(self) -> Changes:
        """Return the differences to the last time, when it is time again."""
        began, worked = self._clock(), self._cpu()
        if began < min(self._glance_due, self._look_due):
            return Changes()
        is_look = began >= self._look_due
        before, self._known = self._known, self._visit({} if is_look else self._known)
        changes = _differences(before, self._known)
        now = self._clock()
        share = FULL_SCAN_CPU if is_look else QUICK_SCAN_CPU
        pause = max(self._interval, (self._cpu() - worked) / share, (now - began) / DUTY)
        self._glance_due = now + (self._interval if is_look else pause)
        if is_look:
            self._look_due = now + pause
        return changes

    def is_open(self, path: bytes) -> bool:
        """Return ``False``: looking does not tell."""
        del path
        return False

    def close(self) -> None:
        """Hold nothing, so let go of nothing."""

    def _visit(self, known: dict[bytes, Folder]) -> dict[bytes, Folder]:
        """Go through the tree; a folder that is ``known`` and has the same names is not read again."""
        found: dict[bytes, Folder] = {}
        visited: set[tuple[int, int]] = set()
        waiting = [b""]
        while waiting:
            path = waiting.pop()
            try:
                status = os.stat(self._full(path))  # noqa: PTH116  # a file name need not be text, and pathlib knows only text
                place = (status.st_dev, status.st_ino)
                if self._follow and place in visited:
                    continue
                visited.add(place)
                found[path] = self._folder(path, status.st_mtime_ns, known.get(path))
            except OSError:
                continue  # it went meanwhile, or nobody may read it: the listing will say so
            waiting.extend(found[path].below)
        return found

    def _folder(self, path: bytes, names_changed: int, former: Folder | None) -> Folder:
        """Read a folder if its names have changed, and once more after that: two changes may have the same time."""
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
    gone = {path for path in before if path and path not in after}  # the root has no name of its own
    return Changes(frozenset(paths | gone))
