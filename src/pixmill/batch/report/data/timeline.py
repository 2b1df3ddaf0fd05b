"""The throughput of a run over time, in a bounded number of equal parts for any length: one pass, no list of times."""

import msgspec

MAX_PARTS = 120  # parts; if there would be more, each two are merged
MIN_PART_SECONDS = 1.0  # seconds


class Part(msgspec.Struct, frozen=True):
    """The images that finished in one part of the run, which begins ``begins`` seconds after the run."""

    begins: float
    done: int
    failed: int


class Timeline:
    """Counts images by finish time. ``began`` is the start of the run, in seconds since the epoch; earlier ones are ignored."""

    def __init__(self, began: float) -> None:
        """Start empty."""
        self._began = began
        self._counts: list[list[int]] = []
        self.width = MIN_PART_SECONDS

    def add(self, at: float, *, failed: bool) -> None:
        """Add an image that finished ``at`` seconds since the epoch."""
        seconds = at - self._began
        if seconds < 0:
            return
        while seconds >= self.width * MAX_PARTS:
            self._halve()
        index = int(seconds / self.width)
        while len(self._counts) <= index:
            self._counts.append([0, 0])
        self._counts[index][failed] += 1

    @property
    def parts(self) -> tuple[Part, ...]:
        """Return the parts in order, each ``width`` seconds long."""
        return tuple(Part(index * self.width, done, failed) for index, (done, failed) in enumerate(self._counts))

    def _halve(self) -> None:
        """Merge each two parts."""
        pairs = [self._counts[index : index + 2] for index in range(0, len(self._counts), 2)]
        self._counts = [[sum(column) for column in zip(*pair, strict=True)] for pair in pairs]
        self.width *= 2
