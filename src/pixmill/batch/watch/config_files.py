"""The files that say what to do: whether one of them has changed."""

from collections.abc import Sequence
from pathlib import Path


class ConfigFileWatcher:
    """Notices when a file changes and has then stayed the same between two looks, so that nobody reads half of it."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Remember what is there now."""
        self._paths = tuple(paths)
        self._known = self._seen = self._look()

    def have_changed(self) -> bool:
        """Tell whether they have changed for good since they were last told of. Look once a second."""
        before, self._seen = self._seen, self._look()
        if self._seen != before or self._seen == self._known:
            return False
        self._known = self._seen
        return True

    def _look(self) -> list[tuple[int, int, int] | None]:
        return [_stamp(path) for path in self._paths]


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
