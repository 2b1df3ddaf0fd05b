"""A large folder of a bucket in parts, while it is being listed: in the order of its keys, as far as that keeps groups together.

What has to wait for the end of the folder is sorted on disk: all of it if the store does not list keys in the order of their bytes.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import msgspec

from pixmill.core.errors import ReadError
from pixmill.core.external_sort import ExternalSort
from pixmill.core.text import printable
from pixmill.storage.entry import Entry, Listing
from pixmill.storage.object_store.ready_groups import Ahead, CapitalsBehind, FirstAfter, Group, State
from pixmill.storage.parts import PART, group_key, in_parts

WINDOW = 40_000  # entries that are held before requests are sent to find out which groups are complete
MAX_BYTES = 8_000_000  # of entries in memory that wait for the end of the folder


class PartsPolicy(msgspec.Struct, frozen=True):
    """How a folder is divided: ``group`` returns the group of a name, which are its first characters, without case and in NFC.

    ``is_urgent``: the first entries are needed as soon as they can be had, at the price of some requests. ``folders_first``: no
    entry may come before all subfolders are known.
    """

    group: Callable[[bytes], bytes]
    is_urgent: bool
    folders_first: bool


class FolderParts:
    """The entries of the folder whose keys begin with ``prefix``. ``is_ordered``: keys come in the order of their bytes."""

    def __init__(self, prefix: str, policy: PartsPolicy, *, is_ordered: bool) -> None:
        """Take nothing yet."""
        self._prefix = prefix
        self._policy = policy
        self._is_sorted = not is_ordered or policy.folders_first
        self._groups: dict[bytes, Group] = {}
        self._held = 0
        self._limit = 1 if policy.is_urgent else WINDOW
        self._has_yielded = False
        self._last = ""
        self._behind = CapitalsBehind()
        self._ahead = Ahead()
        self._late = ExternalSort((), memory_limit=MAX_BYTES)
        self._encode = msgspec.msgpack.Encoder().encode

    def add(self, entries: Iterable[tuple[str, Entry]], *, may_repeat: bool) -> None:
        """Add entries with their keys, as they were listed. ``may_repeat``: some may have come before.

        ``ReadError`` if they are not in order and some before them have been yielded.
        """
        before = self._last if may_repeat else ""
        for key, entry in entries:
            name = key[len(self._prefix) :]
            if not self._is_sorted and name <= self._last:
                if name <= before:
                    continue
                self._sort_all()
            if self._is_sorted:
                self._add_late(entry)
            else:
                self._add(name, entry)

    def _add(self, name: str, entry: Entry) -> None:
        capital_at = self._behind.add(name)
        self._last = name
        self._held += 1
        own = entry.path.rpartition(b"/")[2]
        group = self._policy.group(own)
        stem = name[: len(group)]
        is_literal = stem.isascii() and "%" not in stem and stem.lower().encode() == group  # a percent sign may escape something
        is_late = not is_literal or (capital_at is not None and capital_at < len(stem))
        held = self._groups.get(group)
        if held is None:
            self._groups[group] = Group(stem, [entry], is_late)
        else:
            held.entries.append(entry)
            held.is_late = held.is_late or is_late

    def ready(self, first_after: FirstAfter) -> list[Listing]:
        """Return the entries of groups that are complete, if it is time to look for some; ``first_after`` may send requests."""
        if self._is_sorted or self._held < self._limit:
            return []
        states = self._ahead.states(list(self._groups.values()), self._last, first_after)
        found: list[Group] = []
        groups: dict[bytes, Group] = {}
        for (key, group), state in zip(self._groups.items(), states, strict=True):
            if state is State.COMPLETE:
                found.append(group)
            elif state is State.OPEN:
                groups[key] = group
            else:
                self._add_late(*group.entries)
        self._groups, self._held = groups, sum(len(group.entries) for group in groups.values())
        self._limit = max(WINDOW, 2 * self._held)
        self._has_yielded = self._has_yielded or bool(found)
        return list(_parts(found))

    def rest(self) -> Iterator[Listing]:
        """Yield what is left, in parts, once the folder has been listed to its end."""
        found: list[Group] = []
        for group in self._groups.values():
            if group.is_late:
                self._add_late(*group.entries)
            else:
                found.append(group)
        self._groups = {}
        return chain(_parts(found), in_parts(self._late))

    def _add_late(self, *entries: Entry) -> None:
        for entry in entries:
            name = entry.path.rpartition(b"/")[2]
            self._late.add((group_key(self._policy.group(name), name), self._encode(entry)))

    def _sort_all(self) -> None:
        """Sort all entries on disk from now on."""
        if self._has_yielded:
            shown = printable(self._prefix) or "the bucket"
            raise ReadError(f"{shown} could not be listed to its end: the store does not keep to one order of keys")
        self._is_sorted = True
        for group in self._groups.values():
            self._add_late(*group.entries)
        self._groups = {}


def _parts(groups: Iterable[Group]) -> Iterator[Listing]:
    part: Listing = []
    for group in groups:
        part += group.entries
        if len(part) >= PART:
            yield part
            part = []
    if part:
        yield part
