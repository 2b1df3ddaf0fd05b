"""The contract of every detector: it reports possible changes in a folder and its subfolders."""

from typing import Protocol

import msgspec


class Changes(msgspec.Struct, frozen=True):
    """Possible changes, as paths relative to the root.

    ``paths``: files that were added, changed or removed, and folders that were removed. ``folders``: folders that were added
    with their contents and must be listed recursively; the empty path is the root, if changes were missed.
    """

    paths: frozenset[bytes] = frozenset()
    folders: frozenset[bytes] = frozenset()


class Detector(Protocol):
    """Reports changes, often too many, never too few. ``method`` is its name for display.

    It watches from its creation: a caller that lists the tree afterwards misses nothing.
    """

    method: str

    def changes(self) -> Changes:
        """Return the possible changes since the last call, without waiting; ``OSError`` if it cannot continue."""

    def is_open(self, path: bytes) -> bool:
        """Return whether a program is known to have the file open for writing; ``False`` if this is unknown."""

    def close(self) -> None:
        """Release all resources."""
