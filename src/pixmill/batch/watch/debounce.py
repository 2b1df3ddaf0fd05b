"""Debouncing: a file is passed on only when it is complete, and not touched before."""

from collections.abc import Callable, Iterator

import msgspec

from pixmill.storage.entry import Entry

MAX_OPEN_WAIT = 300.0
"""Seconds after which a file counts as complete although it seems open: ``truncate(2)`` changes a file without a close event."""


class Pending(msgspec.Struct, frozen=True, array_like=True):
    """The state of a file after its last change, the time when this was seen, and the time of the next check."""

    entry: Entry | None
    since: float
    due: float


class Debouncer:
    """Holds files until size and modification time are unchanged for ``settle`` seconds and no program has them open for writing.

    ``stat`` returns the current entry of a path, ``is_open`` whether a program is known to be writing it. ``clock`` is monotonic,
    in seconds.
    """

    def __init__(
        self,
        stat: Callable[[bytes], Entry | None],
        is_open: Callable[[bytes], bool],
        *,
        settle: float,
        clock: Callable[[], float],
    ) -> None:
        """Start without files."""
        self._stat = stat
        self._is_open = is_open
        self._settle = settle
        self._clock = clock
        self._pending: dict[bytes, Pending] = {}  # ordered by due time, since every wait is equally long

    def __len__(self) -> int:
        """Return the number of pending files."""
        return len(self._pending)

    def __contains__(self, path: object) -> bool:
        """Return whether ``path`` is pending."""
        return path in self._pending

    def note(self, path: bytes) -> None:
        """Hold ``path``, which has just changed."""
        now = self._clock()
        self._add(path, Pending(self._stat(path), now, now + self._settle))

    def ready(self) -> Iterator[tuple[bytes, Entry | None]]:
        """Release every path that is stable, with its entry, or ``None`` if it is gone."""
        now = self._clock()
        due = []
        for path, pending in self._pending.items():
            if pending.due > now:
                break
            due.append((path, pending))
        for path, pending in due:
            entry = self._stat(path)
            if entry != pending.entry:
                self._add(path, Pending(entry, now, now + self._settle))
            elif self._is_open(path) and now - pending.since < MAX_OPEN_WAIT:
                self._add(path, Pending(entry, pending.since, now + self._settle))
            else:
                del self._pending[path]
                yield path, entry

    def _add(self, path: bytes, pending: Pending) -> None:
        self._pending.pop(path, None)
        self._pending[path] = pending
