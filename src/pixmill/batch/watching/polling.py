"""The detector that looks for itself, again and again: where the kernel does not hear of changes, as on network file systems."""

import os
from collections.abc import Callable

from pixmill.batch.watching.detector import Changes

SHARE = 0.01  # of one core: the most that looking may cost
Folder = dict[bytes, tuple[int, int, int]]


class Polling:
    """Looks at the tree below ``root`` every ``interval`` seconds, more rarely when that would cost over 1 % of a core.

    Remembers every file: some 200 bytes each. ``clock`` returns seconds that only grow.
    """

    method = "polling"

    def __init__(
        self, root: bytes, enters: Callable[[bytes], bool], *, interval: float, follow: bool, clock: Callable[[], float]
    ) -> None:
        """Look for the first time."""
        self._root = root
        self._enters = enters
        self._interval = interval
        self._follow = follow
        self._clock = clock
        self._due = 0.0
        self._known = self._look()

    def changes(self) -> Changes:
        """Return the differences to the last look, when it is time for another."""
        if self._clock() < self._due:
            return Changes()
        before, self._known = self._known, self._look()
        paths: set[bytes] = set()
        for folder, files in self._known.items():
            paths.update(_differences(folder, before.get(folder, {}), files))
        gone = [folder for folder in before if folder and folder not in self._known]  # the root has no name of its own
        for folder in gone:
            paths.update(_differences(folder, before[folder], {}))
        return Changes(frozenset(paths).union(gone))

    def is_open(self, path: bytes) -> bool:
        """Return ``False``: looking does not tell."""
        del path
        return False

    def close(self) -> None:
        """Hold nothing, so let go of nothing."""

    def _look(self) -> dict[bytes, Folder]:
        began = self._clock()
        found: dict[bytes, Folder] = {}
        visited: set[tuple[int, int]] = set()
        waiting = [b""]
        while waiting:
            folder = waiting.pop()
            try:
                if self._follow and not self._is_first(folder, visited):
                    continue
                found[folder], below = self._list(folder)
            except OSError:
                continue  # it went meanwhile, or nobody may read it: the listing will say so
            waiting.extend(below)
        now = self._clock()
        self._due = now + max(self._interval, (now - began) / SHARE)
        return found

    def _list(self, folder: bytes) -> tuple[Folder, list[bytes]]:
        prefix = folder + b"/" if folder else b""
        files: Folder = {}
        below = []
        with os.scandir(self._root + b"/" + folder) as entries:
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

    def _is_first(self, folder: bytes, visited: set[tuple[int, int]]) -> bool:
        status = os.stat(self._root + b"/" + folder)  # noqa: PTH116  # a file name need not be text, and pathlib knows only text
        place = (status.st_dev, status.st_ino)
        is_first = place not in visited
        visited.add(place)
        return is_first


def _differences(folder: bytes, before: Folder, after: Folder) -> list[bytes]:
    prefix = folder + b"/" if folder else b""
    return [prefix + name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
