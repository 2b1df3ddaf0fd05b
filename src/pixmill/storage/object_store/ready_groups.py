"""Which groups of names are complete while a folder is still being listed in the order of its bytes.

The names of a group have a beginning in common, its *stem*, but for case and Unicode form. In the order of bytes they are near each
other only if that beginning is spelled alike: ``A.png`` and ``a.jpg`` are not. Two spellings part at one character, where one has
a capital and the other, which comes later, the small letter, or where one is not ASCII, which comes last. So a group is complete if
the listing is beyond all names that begin with its stem, and if nowhere along its stem such another way exists. Behind the listing
that is known; before it, only the beginnings of the last listed name have ways that lie ahead, and one request tells whether there
is anything on them. Groups with such a way wait until the folder has been listed.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from itertools import accumulate
from operator import or_

import msgspec

from pixmill.storage.entry import Entry

FirstAfter = Callable[[str], str | None]
_HIGHEST = "\U0010ffff"
_LAST_ASCII = "~" + _HIGHEST  # of the characters that a key may have: obstore accepts no others


class State(Enum):
    """What is known of a group: it is complete, part of it may come, or it has to wait for the end of the folder."""

    COMPLETE = 1
    OPEN = 2
    LATE = 3


class Group(msgspec.Struct, gc=False):
    """The ``entries`` of a group that have come so far, whose names begin with ``stem``; ``is_late``: spelled in several ways."""

    stem: str
    entries: list[Entry]
    is_late: bool


class CapitalsBehind:
    """Notices where the names of a folder, which come in order, differ from earlier ones first by a small letter for a capital."""

    def __init__(self) -> None:
        """Begin with the first name."""
        self._last = ""
        self._at: int | None = None  # where the last name does
        self._seen: list[str] = []  # the characters at each position of the last name that followed what is before it

    def add(self, name: str) -> int | None:
        """Return the first position at which ``name``, which is higher than all before, has a small letter for a capital."""
        same = common(name, self._last)
        seen = self._seen[same] if same < len(self._seen) else ""
        if self._at is None or self._at >= same:
            self._at = same if _is_small(name[same]) and name[same].upper() in seen else None
        self._seen[same:] = [seen + name[same] if name[same].isascii() else seen, *name[same + 1 :]]
        self._last = name
        return self._at


class Ahead:
    """What lies ahead of the last listed name, as far as was asked for: ``first_after`` requests the first name after another."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._gaps: list[tuple[str, str | None]] = []  # between these two are no names; ``None``: up to the end of the folder

    def has(self, beginning: str, *, after: str, last: str, first_after: FirstAfter) -> bool:
        """Tell whether names higher than ``last`` begin with ``beginning``, the first of which would come after ``after``."""
        if after < last:
            return last.startswith(beginning) or last < beginning
        for start, end in self._gaps:
            if start <= after and (end is None or after < end):
                break
        else:
            start, end = after, first_after(after)
            self._gaps.append((start, end))
        return end is not None and (end.startswith(beginning) or end < beginning)

    def states(self, groups: Sequence[Group], last: str, first_after: FirstAfter) -> list[State]:
        """Return the states of ``groups``, when ``last`` is the last name listed.

        Of those that are not ``LATE``, about half are left open: those whose names begin most like ``last``, for which it would
        take more requests.
        """
        self._gaps = [(start, end) for start, end in self._gaps if end is None or end > last]
        depths = [-1 if group.is_late else common(group.stem, last) for group in groups]
        asked = sorted(depth for group, depth in zip(groups, depths, strict=True) if 0 <= depth < len(group.stem))
        deepest = asked[len(asked) // 2] if asked else -1
        # from the end of the name: what follows a longer beginning is often beyond the ways from all shorter ones
        beyond = [self._goes_beyond_ascii(last, depth, first_after) for depth in range(deepest, -1, -1)][::-1]
        small = [self._has_small(last[: depth + 1], last, first_after) for depth in range(deepest - 1, -1, -1)][::-1]
        is_late = list(accumulate((here or way for here, way in zip(beyond, small, strict=False)), or_, initial=False))
        states = []
        for group, depth in zip(groups, depths, strict=True):
            if group.is_late:
                states.append(State.LATE)
            elif depth == len(group.stem) or depth > deepest:
                states.append(State.OPEN)
            elif is_late[depth] or beyond[depth] or self._has_small(group.stem[: depth + 1], last, first_after):
                states.append(State.LATE)
            else:
                states.append(State.COMPLETE)
        return states

    def _goes_beyond_ascii(self, last: str, depth: int, first_after: FirstAfter) -> bool:
        """Tell whether a name ahead begins with ``depth`` characters of ``last``, followed by one that is not ASCII."""
        return self.has(last[:depth], after=last[:depth] + _LAST_ASCII, last=last, first_after=first_after)

    def _has_small(self, beginning: str, last: str, first_after: FirstAfter) -> bool:
        """Tell whether a name ahead has the ``beginning``, but for its last character, a capital, for which it has a small one."""
        if not "A" <= beginning[-1] <= "Z":
            return False
        start, way = beginning[:-1], beginning[-1].lower()
        return self.has(start + way, after=start + chr(ord(way) - 1) + _HIGHEST, last=last, first_after=first_after)


def common(name: str, other: str) -> int:
    """Return the number of characters that both begin with."""
    if other.startswith(name):
        return len(name)
    for position, (its, others) in enumerate(zip(name, other, strict=False)):
        if its != others:
            return position
    return min(len(name), len(other))


def _is_small(character: str) -> bool:
    return "a" <= character <= "z"
