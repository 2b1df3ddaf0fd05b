"""A histogram of durations in constant memory."""

from bisect import bisect_left

import msgspec

#: upper bounds of the buckets in seconds: 0.5 ms, doubling up to 65.5 s; one more bucket counts longer durations
BOUNDS: tuple[float, ...] = tuple(0.0005 * 2**power for power in range(18))


class HistogramSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Durations of one kind: their number, their sum and the longest in seconds, and the number in each bucket."""

    count: int = 0
    total: float = 0.0
    longest: float = 0.0
    buckets: tuple[int, ...] = (0,) * (len(BOUNDS) + 1)

    @property
    def mean(self) -> float:
        """Return the mean in seconds, 0 without any durations."""
        return self.total / self.count if self.count else 0.0

    def quantile(self, share: float) -> float:
        """Return the seconds that ``share`` (0 to 1) of the durations did not exceed: a bucket's bound, at most double."""
        rank = share * self.count
        cumulative = 0
        for bound, number in zip(BOUNDS, self.buckets, strict=False):
            cumulative += number
            if cumulative >= rank:
                return min(bound, self.longest)
        return self.longest


class Histogram:
    """Counts durations."""

    def __init__(self) -> None:
        """Start empty."""
        self._count = 0
        self._total = 0.0
        self._longest = 0.0
        self._buckets = [0] * (len(BOUNDS) + 1)

    def add(self, seconds: float) -> None:
        """Add one duration."""
        self._count += 1
        self._total += seconds
        self._longest = max(self._longest, seconds)
        self._buckets[bisect_left(BOUNDS, seconds)] += 1

    def snapshot(self) -> HistogramSnapshot:
        """Return the state at this moment."""
        return HistogramSnapshot(count=self._count, total=self._total, longest=self._longest, buckets=tuple(self._buckets))
