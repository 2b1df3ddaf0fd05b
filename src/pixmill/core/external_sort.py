"""External merge sort: sorted runs on disk, merged as they are read, for records that may not fit into memory."""

import heapq
import os
import weakref
from collections.abc import Iterable, Iterator
from operator import itemgetter
from threading import Lock

import msgspec

from pixmill.core.temporary_folder import writing_temporaries

Record = tuple[bytes, bytes]

MEMORY_LIMIT = 32_000_000  # bytes of records in memory before they go to disk
_RECORD_OVERHEAD = 150  # bytes that Python needs for a record beyond its content
_BLOCK_SIZE = 500  # records that are read back at once
_first = itemgetter(0)
_block_decoder = msgspec.msgpack.Decoder(list[Record])


class ExternalSort:
    """Sorts ``records`` (key and content) by key; equal keys keep their order of arrival.

    The input is consumed once, at the first iteration. After that the result can be iterated any number of times, also by
    several threads. Records beyond ``memory_limit`` bytes are stored in an unnamed file in the folder for temporary files,
    which disappears with the process, however that ends; ``RunError`` if the folder has no space.
    Memory: ``memory_limit``, plus a few hundred records of each run while runs are merged.
    """

    def __init__(self, records: Iterable[Record], *, memory_limit: int = MEMORY_LIMIT) -> None:
        """Consume nothing yet."""
        self._records: Iterable[Record] | None = records
        self._memory_limit = memory_limit
        self._latest: list[Record] = []
        self._size = 0
        self._spill: _SpillFile | None = None
        self._runs: list[_Run] = []
        self._filling = Lock()

    def add(self, record: Record) -> None:
        """Add one more record, before the first iteration."""
        self._latest.append(record)
        self._size += len(record[0]) + len(record[1]) + _RECORD_OVERHEAD
        if self._size > self._memory_limit:
            self._spill = self._spill or _SpillFile()
            self._latest.sort(key=_first)
            self._runs.append(_Run(self._spill, self._latest))
            self._latest, self._size = [], 0

    def __iter__(self) -> Iterator[Record]:
        """Yield the records in order."""
        with self._filling:
            if self._records is not None:
                for record in self._records:
                    self.add(record)
                self._latest.sort(key=_first)
                self._records = None
        return heapq.merge(*self._runs, self._latest, key=_first) if self._runs else iter(self._latest)


class _SpillFile:
    """An unnamed, append-only file; it is closed with the last reference to it."""

    def __init__(self) -> None:
        import tempfile  # noqa: PLC0415  # most runs never spill, and importing it takes a while

        with writing_temporaries(), tempfile.TemporaryFile() as file:
            self.descriptor = os.dup(file.fileno())
        weakref.finalize(self, os.close, self.descriptor)
        self.size = 0

    def append(self, data: bytes) -> tuple[int, int]:
        """Append ``data``; return its offset and its size."""
        offset = self.size
        remainder = memoryview(data)
        with writing_temporaries():
            while remainder:
                written = os.pwrite(self.descriptor, remainder, self.size)
                self.size += written
                remainder = remainder[written:]
        return offset, len(data)


class _Run:
    """Sorted records on disk."""

    def __init__(self, spill: _SpillFile, records: list[Record]) -> None:
        self._spill = spill
        encode = msgspec.msgpack.encode
        starts = range(0, len(records), _BLOCK_SIZE)
        self._blocks = [spill.append(encode(records[start : start + _BLOCK_SIZE])) for start in starts]

    def __iter__(self) -> Iterator[Record]:
        for offset, size in self._blocks:
            yield from _block_decoder.decode(os.pread(self._spill.descriptor, size, offset))
