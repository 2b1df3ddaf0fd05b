"""Where the time went: what the workers spent theirs on, and what to do about it when one thing dominates."""

from collections.abc import Iterator, Mapping

import msgspec

from pixmill.engine.observability.histogram import HistogramSnapshot

QUEUE = "queue"  # the tasks' time, not the workers': while one waits its worker is at another
READING = frozenset({"read"})
WRITING = frozenset({"write", "fsync"})
WORTH_SAYING = 10.0  # seconds: advice on a run that is over at once is noise
DOMINATES = 0.5


class TimeBreakdown(msgspec.Struct, frozen=True, kw_only=True):
    """The time of all workers together, in seconds: ``available`` and, by stage, ``used`` on images that were done.

    ``workers`` is how many there were. The difference is what the workers waited, started, or spent on images that failed.
    """

    workers: int
    available: float
    used: dict[str, float]

    @property
    def shares(self) -> dict[str, float]:
        """Return the share of each stage in what was used, the largest first."""
        total = sum(self.used.values())
        ordered = sorted(self.used.items(), key=lambda entry: -entry[1])
        return {stage: seconds / total for stage, seconds in ordered} if total else {}

    @property
    def input_output(self) -> float:
        """Return the part of the available time that was spent on reading and writing and on nothing else meanwhile, 0 to 1.

        An image is written while the next is computed: of that, only what computing does not hide.
        """
        both = self._part(sum(seconds for stage, seconds in self.used.items() if stage in READING | WRITING))
        return min(both, 1.0 - self.computing)

    @property
    def computing(self) -> float:
        """Return the part of the available time that was spent on everything else that is done with an image, 0 to 1."""
        return self._part(sum(seconds for stage, seconds in self.used.items() if stage not in READING | WRITING))

    @property
    def waiting(self) -> float:
        """Return the part of the available time in which the workers were at no image that was done, 0 to 1."""
        return max(0.0, 1.0 - self.computing - self.input_output)

    def _part(self, seconds: float) -> float:
        return min(1.0, seconds / self.available) if self.available else 0.0


def time_breakdown(stages: Mapping[str, HistogramSnapshot], *, workers: int, seconds: float) -> TimeBreakdown:
    """Return what ``workers`` did with the ``seconds`` of a run that timed these ``stages``."""
    used = {stage: timing.total for stage, timing in stages.items() if stage != QUEUE}
    return TimeBreakdown(workers=workers, available=workers * seconds, used=used)


def advice(spent: TimeBreakdown) -> str:
    """Return one plain sentence when one thing dominates a run that was long enough, else the empty string."""
    if not spent.used or spent.available < WORTH_SAYING * max(1, spent.workers):
        return ""
    return next(_dominant(spent), "")


def _dominant(spent: TimeBreakdown) -> Iterator[str]:
    share = spent.shares.get
    if spent.waiting > DOMINATES:
        yield (
            f"The workers had nothing to do {spent.waiting:.0%} of the time: the source lists its files slowly, "
            "--max-rate holds them back, or much of it went into images that failed."
        )
    if share("read", 0.0) > DOMINATES:
        yield "Reading dominates: more --workers than cores would hide it, a faster disk or network would end it."
    if sum(share(stage, 0.0) for stage in WRITING) > DOMINATES:
        yield "Writing dominates: a faster disk would help, or --durability none where the results can be made again."
    if share("encode", 0.0) > DOMINATES:
        yield "Encoding dominates: --effort fast or a cheaper --format would help, and so would more cores."
    if share("decode", 0.0) > DOMINATES:
        yield "Decoding dominates, which is what large sources cost: only more cores would help."
    if share("transform", 0.0) > DOMINATES:
        yield "The steps of the recipe dominate: fewer or smaller ones would help, and so would more cores."
