"""Put in order what need not fit into memory: sorted runs on disk, merged as they are read."""

import heapq
import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from operator import itemgetter
from threading import Lock

import msgspec

from pixmill.core.temporary_folder import writing_temporaries

Record = tuple[bytes, bytes]

MEMORY_LIMIT = 32_000_000  # bytes of records in memory before they go to disk
_OVERHEAD = 150  # bytes that Python needs for a record beyond its content
_BLOCK = 500  # records that are read back at once
_first = itemgetter(0)
_blocks = msgspec.msgpack.Decoder(list[Record])


class ExternalSort:
    """``records`` (key and content) in order of key; equal keys stay in the order in which they came.

    They are drawn once, when the first is asked for, and may then be gone through any number of times, by several threads
    too. What does not fit into ``held`` bytes lies in an unnamed file in the folder for temporary files, which goes with
    the process however it ends; ``RunError`` where that has no room.
    Memory: ``held``, and a few hundred records of each run while they are merged.
    """

    def __init__(self, records: Iterable[Record], *, held: int = MEMORY_LIMIT) -> None:
        """Draw nothing yet."""
        self._records: Iterable[Record] | None = records
        self._held = held
        self._latest: list[Record] = []
        self._runs: list[_Run] = []
        self._filling = Lock()

    def __iter__(self) -> Iterator[Record]:
        """Yield the records in order."""
        with self._filling:
            if self._records is not None:
                self._fill(self._records)
                self._records = None
        return heapq.merge(*self._runs, self._latest, key=_first) if self._runs else iter(self._latest)

    def _fill(self, records: Iterable[Record]) -> None:
        spill: _SpillFile | None = None
        size = 0
        for record in records:
            self._latest.append(record)
            size += len(record[0]) + len(record[1]) + _OVERHEAD
            if size > self._held:
                spill = spill or _SpillFile()
                self._latest.sort(key=_first)
                self._runs.append(_Run(spill, self._latest))
                self._latest, size = [], 0
        self._latest.sort(key=_first)


class _SpillFile:
    """An unnamed file that only grows; it is closed when nobody holds it any more."""

    def __init__(self) -> None:
        with writing_temporaries(), tempfile.TemporaryFile() as file:
            self.descriptor = os.dup(file.fileno())
        weakref.finalize(self, os.close, self.descriptor)
        self.size = 0

    def append(self, data: bytes) -> tuple[int, int]:
        """Write ``data`` at the end; return where it is, and its size."""
        place = self.size
        rest = memoryview(data)
        with writing_temporaries():
            while rest:
                written = os.pwrite(self.descriptor, rest, self.size)
                self.size += written
                rest = rest[written:]
        return place, len(data)


class _Run:
    """Sorted records on disk."""

    def __init__(self, spill: _SpillFile, records: list[Record]) -> None:
        self._spill = spill
        encode = msgspec.msgpack.encode
        self._places = [spill.append(encode(records[start : start + _BLOCK])) for start in range(0, len(records), _BLOCK)]

    def __iter__(self) -> Iterator[Record]:
        for place, size in self._places:
            yield from _blocks.decode(os.pread(self._spill.descriptor, size, place))
