"""How fast a run was over time, in a bounded number of equal parts, whatever its length: one pass, no list of times."""

import msgspec

MOST = 120  # parts; when there would be more, two become one
SHORTEST = 1.0  # seconds


class Part(msgspec.Struct, frozen=True):
    """What ended in one part of the run: ``begins`` seconds after the run did."""

    begins: float
    done: int
    failed: int


class Timeline:
    """Counts what ended when. ``began`` is when the run did, in seconds since the epoch; what ended before is not its own."""

    def __init__(self, began: float) -> None:
        """Start empty."""
        self._began = began
        self._counts: list[list[int]] = []
        self.width = SHORTEST

    def add(self, at: float, *, failed: bool) -> None:
        """Take one that ended ``at`` seconds since the epoch."""
        passed = at - self._began
        if passed < 0:
            return
        while passed >= self.width * MOST:
            self._halve()
        index = int(passed / self.width)
        while len(self._counts) <= index:
            self._counts.append([0, 0])
        self._counts[index][failed] += 1

    @property
    def parts(self) -> tuple[Part, ...]:
        """Return the parts in order, each ``width`` seconds long."""
        return tuple(Part(index * self.width, done, failed) for index, (done, failed) in enumerate(self._counts))

    def _halve(self) -> None:
        """Make one of each two parts."""
        pairs = [self._counts[index : index + 2] for index in range(0, len(self._counts), 2)]
        self._counts = [[sum(column) for column in zip(*pair, strict=True)] for pair in pairs]
        self.width *= 2
