"""Detects changes of the configuration files."""

from collections.abc import Sequence
from pathlib import Path


class ConfigFileWatcher:
    """Detects when a file has changed and then stayed the same between two checks, so that a partial file is never read."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Record the current state of the files."""
        self._paths = tuple(paths)
        self._reported = self._last_seen = self._stamps()

    def have_changed(self) -> bool:
        """Return whether the files have changed since the last reported change and are stable. Call this once a second."""
        before, self._last_seen = self._last_seen, self._stamps()
        if self._last_seen != before or self._last_seen == self._reported:
            return False
        self._reported = self._last_seen
        return True

    def _stamps(self) -> list[tuple[int, int, int] | None]:
        return [_stamp(path) for path in self._paths]


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
