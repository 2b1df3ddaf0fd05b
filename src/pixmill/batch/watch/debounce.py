"""The gate that lets a file through once it is whole: nobody touches it before."""

from collections.abc import Callable, Iterator

import msgspec

from pixmill.storage.entry import Entry

MAX_OPEN_WAIT = 300.0
"""Seconds after which a file counts as whole though it seems open: ``truncate(2)`` changes a file that nobody will close."""


class Pending(msgspec.Struct, frozen=True, array_like=True):
    """What a file was when it last changed, and when that was seen."""

    entry: Entry | None
    since: float
    due: float


class Debouncer:
    """Holds files until size and modification time have been the same for ``settle`` seconds, and nobody has them open to write.

    ``look`` returns what is there now, ``is_open`` whether somebody is known to write it. ``clock`` returns seconds that only grow.
    """

    def __init__(
        self,
        look: Callable[[bytes], Entry | None],
        is_open: Callable[[bytes], bool],
        *,
        settle: float,
        clock: Callable[[], float],
    ) -> None:
        """Hold nothing yet."""
        self._look = look
        self._is_open = is_open
        self._settle = settle
        self._clock = clock
        self._waiting: dict[bytes, Pending] = {}  # in the order in which they are due: each wait is equally long

    def __len__(self) -> int:
        """Return how many files wait."""
        return len(self._waiting)

    def __contains__(self, path: object) -> bool:
        """Tell whether ``path`` waits."""
        return path in self._waiting

    def note(self, path: bytes) -> None:
        """Hold ``path``: it has changed just now."""
        now = self._clock()
        self._hold(path, Pending(self._look(path), now, now + self._settle))

    def settled(self) -> Iterator[tuple[bytes, Entry | None]]:
        """Let through every path that has settled: with what it is, or ``None`` when it is gone."""
        now = self._clock()
        due = []
        for path, waiting in self._waiting.items():
            if waiting.due > now:
                break
            due.append((path, waiting))
        for path, waiting in due:
            entry = self._look(path)
            if entry != waiting.entry:
                self._hold(path, Pending(entry, now, now + self._settle))
            elif self._is_open(path) and now - waiting.since < MAX_OPEN_WAIT:
                self._hold(path, Pending(entry, waiting.since, now + self._settle))
            else:
                del self._waiting[path]
                yield path, entry

    def clear(self) -> None:
        """Let go of everything."""
        self._waiting.clear()

    def _hold(self, path: bytes, waiting: Pending) -> None:
        self._waiting.pop(path, None)
        self._waiting[path] = waiting
