"""The breakdown of the workers' time, and advice if one activity dominates."""

from collections.abc import Iterator, Mapping

import msgspec

from pixmill.engine.observability.histogram import HistogramSnapshot

QUEUE = "queue"  # time of tasks, not of workers: while a task waits, its worker is busy with another
DOWNLOAD = "download"  # the same: its image is read while its worker makes others
READING = frozenset({"read"})
WRITING = frozenset({"write", "fsync"})
MIN_SECONDS = 10.0  # seconds; for a shorter run, advice is noise
DOMINATES = 0.5


class TimeBreakdown(msgspec.Struct, frozen=True, kw_only=True):
    """The time of all workers together, in seconds: ``available`` and, by stage, ``used`` on images that are done.

    ``workers`` is their number. The difference is the time that the workers waited, started up, or spent on failed images.
    ``has_downloads``: images were read from the web, which they may have waited for.
    """

    workers: int
    available: float
    used: dict[str, float]
    has_downloads: bool = False

    @property
    def shares(self) -> dict[str, float]:
        """Return the share of each stage in the used time, largest first."""
        total = sum(self.used.values())
        ordered = sorted(self.used.items(), key=lambda entry: -entry[1])
        return {stage: seconds / total for stage, seconds in ordered} if total else {}

    @property
    def input_output(self) -> float:
        """Return the share of the available time that was spent on reading and writing only, 0 to 1.

        An image is written while the next is computed; time that overlaps with computing is not counted.
        """
        both = self._part(sum(seconds for stage, seconds in self.used.items() if stage in READING | WRITING))
        return min(both, 1.0 - self.computing)

    @property
    def computing(self) -> float:
        """Return the share of the available time that was spent on all other processing of images, 0 to 1."""
        return self._part(sum(seconds for stage, seconds in self.used.items() if stage not in READING | WRITING))

    @property
    def waiting(self) -> float:
        """Return the share of the available time that was not spent on images that are done, 0 to 1."""
        return max(0.0, 1.0 - self.computing - self.input_output)

    def _part(self, seconds: float) -> float:
        return min(1.0, seconds / self.available) if self.available else 0.0


def time_breakdown(stages: Mapping[str, HistogramSnapshot], *, workers: int, seconds: float) -> TimeBreakdown:
    """Return the breakdown of the ``seconds`` of a run with ``workers`` that timed these ``stages``."""
    used = {stage: timing.total for stage, timing in stages.items() if stage not in (QUEUE, DOWNLOAD)}
    return TimeBreakdown(workers=workers, available=workers * seconds, used=used, has_downloads=DOWNLOAD in stages)


def advice(breakdown: TimeBreakdown) -> str:
    """Return one sentence if one activity dominates a run that was long enough, otherwise the empty string."""
    if not breakdown.used or breakdown.available < MIN_SECONDS * max(1, breakdown.workers):
        return ""
    return next(_dominant(breakdown), "")


def _dominant(breakdown: TimeBreakdown) -> Iterator[str]:
    share = breakdown.shares.get
    if breakdown.waiting > DOMINATES and breakdown.has_downloads:
        yield (
            f"The workers were idle {breakdown.waiting:.0%} of the time: they waited for the web servers, or until images could be "
            "tried again. If the servers allow more requests at the same time, use a higher --per-host."
        )
    elif breakdown.waiting > DOMINATES:
        yield (
            f"The workers were idle {breakdown.waiting:.0%} of the time: the source lists its files slowly, "
            "--max-rate limits the run, or much of the time went into images that failed."
        )
    if share("read", 0.0) > DOMINATES:
        yield "Reading dominates: use more --workers than cores, or a faster disk or network."
    if sum(share(stage, 0.0) for stage in WRITING) > DOMINATES:
        yield "Writing dominates: use a faster disk, or --durability none if the outputs can be created again."
    if share("encode", 0.0) > DOMINATES:
        yield "Encoding dominates: use --effort fast, a cheaper --format, or more cores."
    if share("decode", 0.0) > DOMINATES:
        yield "Decoding dominates, as is normal for large sources: only more cores would help."
    if share("transform", 0.0) > DOMINATES:
        yield "The steps of the recipe dominate: use fewer or cheaper steps, or more cores."
