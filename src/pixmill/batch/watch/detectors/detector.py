"""The contract of every detector: it tells what may have changed in a folder and in those below it."""

from typing import Protocol

import msgspec


class Changes(msgspec.Struct, frozen=True):
    """What may have changed, as paths below the root.

    ``paths``: files that came, changed or went, and folders that went. ``folders``: folders that came with all that is in
    them, to be listed with everything below; the empty path is the root, when something was missed.
    """

    paths: frozenset[bytes] = frozenset()
    folders: frozenset[bytes] = frozenset()


class Detector(Protocol):
    """Tells of changes, often of too many, never of too few. ``method`` is its name for people.

    It looks from the moment it is made: whoever lists the tree afterwards misses nothing.
    """

    method: str

    def changes(self) -> Changes:
        """Return what may have changed since the last call, without waiting. ``OSError`` when it cannot go on."""

    def is_open(self, path: bytes) -> bool:
        """Tell whether a program is known to have the file open for writing; ``False`` when that cannot be known."""

    def close(self) -> None:
        """Let go of every resource."""
