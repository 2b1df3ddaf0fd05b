"""The inotify detector: the kernel reports every change at once, and idling costs nothing."""

import os
import stat
from collections.abc import Callable

from pixmill.batch.watch.detectors.detector import Changes
from pixmill.batch.watch.detectors.inotify import Inotify, Mask, Notice

_ADDED = Mask.CREATE | Mask.MOVED_TO
_REMOVED = Mask.DELETE | Mask.MOVED_FROM


class InotifyDetector:
    """Watches the tree below ``root``, except for folders that ``enters`` rejects; ``OSError`` if it cannot."""

    method = "inotify"

    def __init__(self, root: bytes, enters: Callable[[bytes], bool]) -> None:
        """Start watching, with one watch for each folder."""
        self._root = root
        self._enters = enters
        self._queue = Inotify()
        self._paths: dict[int, bytes] = {}
        self._descriptors: dict[bytes, int] = {}
        self._open: set[bytes] = set()
        self._changed: set[bytes] = set()
        self._folders: set[bytes] = set()
        try:
            self._watch_tree(b"")
        except BaseException:
            self.close()
            raise

    def changes(self) -> Changes:
        """Return the changes since the last call."""
        for notice in self._queue.read():
            self._on_notice(notice)
        changes = Changes(frozenset(self._changed), frozenset(self._folders))
        self._changed.clear()
        self._folders.clear()
        return changes

    def is_open(self, path: bytes) -> bool:
        """Return whether the file was written to and has not been closed since."""
        return path in self._open

    def close(self) -> None:
        """Stop watching."""
        self._queue.close()

    def _on_notice(self, notice: Notice) -> None:
        if notice.mask & Mask.OVERFLOW:  # the kernel dropped notices: everything must be listed again
            self._open.clear()
            self._watch_tree(b"")
            self._folders.add(b"")
            return
        folder = self._paths.get(notice.folder)
        if folder is None:
            return
        if notice.mask & Mask.IGNORED:
            self._drop(folder)
            return
        path = folder + b"/" + notice.name if folder else notice.name
        if notice.mask & Mask.ISDIR:
            self._on_folder_notice(path, notice.mask)
        else:
            self._on_file_notice(path, notice.mask)

    def _on_folder_notice(self, path: bytes, mask: int) -> None:
        if not self._enters(path):
            return
        if mask & _ADDED:
            self._watch_tree(path)
            self._folders.add(path)
        elif mask & _REMOVED:
            self._unwatch_tree(path)
            self._changed.add(path)

    def _on_file_notice(self, path: bytes, mask: int) -> None:
        self._changed.add(path)
        if mask & (Mask.CLOSE_WRITE | _REMOVED):
            self._open.discard(path)
        elif mask & Mask.MODIFY or (mask & Mask.CREATE and self._is_new_file(path)):
            self._open.add(path)

    def _is_new_file(self, path: bytes) -> bool:
        """Return whether a program has just created the file to write it. A hard link to a finished file is never closed."""
        try:
            status = os.lstat(self._root + b"/" + path)
        except OSError:
            return False
        return stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and status.st_size == 0

    def _watch_tree(self, path: bytes) -> None:
        waiting = [path]
        while waiting:
            folder = waiting.pop()
            full = self._root + b"/" + folder
            try:
                self._watch(folder, full)
                with os.scandir(full) as entries:
                    names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
            except (FileNotFoundError, NotADirectoryError, PermissionError):
                continue  # gone again or unreadable: the listing reports it
            below = [folder + b"/" + name if folder else name for name in names]
            waiting.extend(each for each in below if self._enters(each))

    def _watch(self, folder: bytes, full: bytes) -> None:
        number = self._queue.watch(full)
        former = self._paths.get(number)
        if former is not None and former != folder:  # the same folder under a new name
            self._descriptors.pop(former, None)
        self._paths[number] = folder
        self._descriptors[folder] = number

    def _unwatch_tree(self, path: bytes) -> None:
        for folder in [folder for folder in self._descriptors if folder == path or folder.startswith(path + b"/")]:
            self._queue.unwatch(self._drop(folder))

    def _drop(self, folder: bytes) -> int:
        number = self._descriptors.pop(folder)
        self._paths.pop(number, None)
        return number
