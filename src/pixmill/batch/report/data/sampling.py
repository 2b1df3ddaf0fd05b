"""Select a few items from a stream: those with the highest rank, or a uniform sample."""

import heapq
import random
from itertools import count
from typing import Generic, TypeVar

T = TypeVar("T")


class TopK(Generic[T]):
    """Keeps the ``size`` members with the highest rank."""

    def __init__(self, size: int) -> None:
        """Start empty."""
        self._size = size
        self._heap: list[tuple[float, int, T]] = []
        self._order = count(0, -1)  # on equal rank the earlier member stays; members are never compared

    def offer(self, rank: float, member: T) -> None:
        """Add ``member`` if its rank is high enough."""
        entry = (rank, next(self._order), member)
        if len(self._heap) < self._size:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heappushpop(self._heap, entry)

    @property
    def members(self) -> tuple[T, ...]:
        """Return the kept members, highest rank first."""
        return tuple(member for _, _, member in sorted(self._heap, key=lambda entry: entry[:2], reverse=True))


class ReservoirSample(Generic[T]):
    """Keeps ``size`` members of a stream of any length, each with the same probability."""

    def __init__(self, size: int, rng: random.Random) -> None:
        """Start empty; draw with ``rng``."""
        self._size = size
        self._rng = rng
        self._seen = 0
        self._kept: list[tuple[int, T]] = []

    def offer(self, member: T) -> None:
        """Add ``member`` with the right probability, replacing another (reservoir sampling, Vitter 1985, algorithm R)."""
        self._seen += 1
        if len(self._kept) < self._size:
            self._kept.append((self._seen, member))
        elif (index := self._rng.randrange(self._seen)) < self._size:
            self._kept[index] = (self._seen, member)

    @property
    def members(self) -> tuple[T, ...]:
        """Return the kept members, in the order of the stream."""
        return tuple(member for _, member in sorted(self._kept, key=lambda entry: entry[0]))
