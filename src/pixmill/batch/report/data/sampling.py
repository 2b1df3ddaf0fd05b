"""Keep a few of many, seen one at a time: those that rank highest, or a fair sample."""

import heapq
import random
from itertools import count
from typing import Generic, TypeVar

T = TypeVar("T")


class TopK(Generic[T]):
    """Keeps the ``size`` members of the highest rank."""

    def __init__(self, size: int) -> None:
        """Start empty."""
        self._size = size
        self._heap: list[tuple[float, int, T]] = []
        self._order = count(0, -1)  # of two of one rank the earlier stays; members are never compared

    def offer(self, rank: float, member: T) -> None:
        """Take ``member`` if it ranks high enough."""
        entry = (rank, next(self._order), member)
        if len(self._heap) < self._size:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heappushpop(self._heap, entry)

    @property
    def members(self) -> tuple[T, ...]:
        """Return those that are kept, the highest first."""
        return tuple(member for _, _, member in sorted(self._heap, key=lambda entry: entry[:2], reverse=True))


class ReservoirSample(Generic[T]):
    """Keeps ``size`` members of a stream of any length, each with the same chance."""

    def __init__(self, size: int, chance: random.Random) -> None:
        """Start empty; draw with ``chance``."""
        self._size = size
        self._chance = chance
        self._seen = 0
        self._kept: list[tuple[int, T]] = []

    def offer(self, member: T) -> None:
        """Take ``member``, perhaps in the place of another (reservoir sampling, Vitter 1985, algorithm R)."""
        self._seen += 1
        if len(self._kept) < self._size:
            self._kept.append((self._seen, member))
        elif (place := self._chance.randrange(self._seen)) < self._size:
            self._kept[place] = (self._seen, member)

    @property
    def members(self) -> tuple[T, ...]:
        """Return those that are kept, in the order in which they came."""
        return tuple(member for _, member in sorted(self._kept, key=lambda entry: entry[0]))
