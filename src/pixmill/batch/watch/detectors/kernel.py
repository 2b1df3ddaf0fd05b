"""The detector that is told by the kernel of every change, at once and at no cost while nothing happens."""

import os
import stat
from collections.abc import Callable

from pixmill.batch.watch.detectors.detector import Changes
from pixmill.batch.watch.detectors.inotify import Inotify, Mask, Notice

_CAME = Mask.CREATE | Mask.MOVED_TO
_WENT = Mask.DELETE | Mask.MOVED_FROM


class InotifyDetector:
    """Hears of the tree below ``root``, but for the folders that ``enters`` refuses. ``OSError`` when it cannot."""

    method = "inotify"

    def __init__(self, root: bytes, enters: Callable[[bytes], bool]) -> None:
        """Begin to listen; one watch for each folder."""
        self._root = root
        self._enters = enters
        self._queue = Inotify()
        self._paths: dict[int, bytes] = {}
        self._numbers: dict[bytes, int] = {}
        self._open: set[bytes] = set()
        self._touched: set[bytes] = set()
        self._folders: set[bytes] = set()
        try:
            self._listen_below(b"")
        except BaseException:
            self.close()
            raise

    def changes(self) -> Changes:
        """Return what was heard since the last call."""
        for notice in self._queue.read():
            self._hear(notice)
        changes = Changes(frozenset(self._touched), frozenset(self._folders))
        self._touched.clear()
        self._folders.clear()
        return changes

    def is_open(self, path: bytes) -> bool:
        """Tell whether the file was written to and not closed since."""
        return path in self._open

    def close(self) -> None:
        """Stop listening."""
        self._queue.close()

    def _hear(self, notice: Notice) -> None:
        if notice.mask & Mask.OVERFLOW:  # the kernel dropped notices: look at everything again
            self._open.clear()
            self._listen_below(b"")
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
            self._hear_of_folder(path, notice.mask)
        else:
            self._hear_of_file(path, notice.mask)

    def _hear_of_folder(self, path: bytes, mask: int) -> None:
        if not self._enters(path):
            return
        if mask & _CAME:
            self._listen_below(path)
            self._folders.add(path)
        elif mask & _WENT:
            self._stop_listening_below(path)
            self._touched.add(path)

    def _hear_of_file(self, path: bytes, mask: int) -> None:
        self._touched.add(path)
        if mask & (Mask.CLOSE_WRITE | _WENT):
            self._open.discard(path)
        elif mask & Mask.MODIFY or (mask & Mask.CREATE and self._is_being_begun(path)):
            self._open.add(path)

    def _is_being_begun(self, path: bytes) -> bool:
        """Tell a file that somebody opened to write from a link to a finished one, which nobody will ever close."""
        try:
            status = os.lstat(self._root + b"/" + path)
        except OSError:
            return False
        return stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and status.st_size == 0

    def _listen_below(self, path: bytes) -> None:
        waiting = [path]
        while waiting:
            folder = waiting.pop()
            full = self._root + b"/" + folder
            try:
                self._listen(folder, full)
                with os.scandir(full) as entries:
                    names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
            except (FileNotFoundError, NotADirectoryError, PermissionError):
                continue  # it went again, or nobody may read it: the listing will say so
            below = [folder + b"/" + name if folder else name for name in names]
            waiting.extend(each for each in below if self._enters(each))

    def _listen(self, folder: bytes, full: bytes) -> None:
        number = self._queue.watch(full)
        former = self._paths.get(number)
        if former is not None and former != folder:  # the same folder under a new name
            self._numbers.pop(former, None)
        self._paths[number] = folder
        self._numbers[folder] = number

    def _stop_listening_below(self, path: bytes) -> None:
        for folder in [folder for folder in self._numbers if folder == path or folder.startswith(path + b"/")]:
            self._queue.forget(self._drop(folder))

    def _drop(self, folder: bytes) -> int:
        number = self._numbers.pop(folder)
        self._paths.pop(number, None)
        return number
