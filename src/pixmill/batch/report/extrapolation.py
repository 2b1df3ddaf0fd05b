"""Extrapolate from the images of a sample to all images of its source: bytes, time and failures, each with its uncertainty."""

import math
from collections.abc import Sequence

import msgspec

from pixmill.batch.item import from_payload
from pixmill.core.events import Event, Observer
from pixmill.engine.events import TaskFinished
from pixmill.engine.observability.publisher import IgnoresUnchanged
from pixmill.engine.task import Done, Failed

_Z = 1.96  # of the normal distribution, for a confidence of 95 %


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """An estimated number and its 95 % confidence interval, which is ``None`` if a single image was measured.

    In simulations with skewed sizes and 20 images, the interval holds the true number in 90 % to 93 % of the samples.
    """

    value: float
    low: float | None = None
    high: float | None = None


class SampleReport(msgspec.Struct, frozen=True, kw_only=True):
    """A sample, and what it lets expect of the whole source.

    ``folder`` holds the outputs, ``report`` is the path of the HTML report. ``images`` of the sample were finished; the source has
    ``found`` images of ``source_bytes``, ``None`` if the size of some is unknown. ``output_bytes``, ``seconds`` (with ``workers``
    on this machine, without the transfer to a DST in a store) and ``failed`` images are estimates for all of them. ``command``
    processes them all; it is empty if a program drew the sample.
    """

    folder: str
    report: str
    images: int
    found: int
    source_bytes: int | None
    output_bytes: Estimate | None
    seconds: Estimate | None
    failed: Estimate | None
    workers: int
    command: tuple[str, ...] = ()


class _Measured(msgspec.Struct, frozen=True):
    size: int  # of the source, in bytes; 1 if sizes are unknown
    written: int
    seconds: float
    is_failed: bool


class Extrapolation(IgnoresUnchanged, Observer):
    """Measures the images of a sample as they finish."""

    def __init__(self, found: int, source_bytes: int | None) -> None:
        """Extrapolate to ``found`` images of ``source_bytes`` in all, ``None`` if that is unknown."""
        self._found = found
        self._source_bytes = source_bytes
        self._measured: list[_Measured] = []

    def on_event(self, event: Event) -> None:
        """Measure the image of a ``TaskFinished`` event."""
        outcome = event.outcome if isinstance(event, TaskFinished) else None
        if outcome is None:
            return
        size = 1 if self._source_bytes is None else from_payload(outcome.task.payload).entry.size
        if isinstance(outcome, Done):
            self._measured.append(_Measured(size, outcome.measures.get("bytes_out", 0), outcome.seconds, is_failed=False))
        elif isinstance(outcome, Failed):
            self._measured.append(_Measured(size, 0, outcome.seconds, is_failed=True))

    def close(self) -> None:
        """Do nothing: the estimates can still be read."""

    def report(self, folder: str, report: str, *, workers: int, max_rate: float | None) -> SampleReport:
        """Return the estimates for ``workers`` that start at most ``max_rate`` images per second."""
        seconds = self._total([each.seconds for each in self._measured])
        return SampleReport(
            folder=folder,
            report=report,
            images=len(self._measured),
            found=self._found,
            source_bytes=self._source_bytes,
            output_bytes=self._total([each.written for each in self._measured]),
            seconds=seconds and _shared(seconds, max(1, workers), self._found / max_rate if max_rate else 0.0),
            failed=_number(sum(each.is_failed for each in self._measured), len(self._measured), self._found),
            workers=workers,
        )

    def _total(self, amounts: Sequence[float]) -> Estimate | None:
        """Return the total of ``amounts`` over the whole source: they are taken to be proportional to the size of the source.

        This ratio estimator is the mean per image if sizes are unknown. Source: W. G. Cochran, "Sampling Techniques", 1977, ch. 6.
        """
        sizes = [each.size for each in self._measured]
        if not sum(sizes):
            return None
        total = self._found if self._source_bytes is None else self._source_bytes
        value = total * sum(amounts) / sum(sizes)
        if len(sizes) == self._found:
            return Estimate(value=value, low=value, high=value)
        if sum(sizes) == max(sizes):  # a single image, or all others are empty
            return Estimate(value=value)
        margin = _students_t(len(sizes) - 1) * total * _deviation(amounts, sizes) * math.sqrt(1 - len(sizes) / self._found)
        return Estimate(value=value, low=max(sum(amounts), value - margin), high=value + margin)


def _deviation(amounts: Sequence[float], sizes: Sequence[float]) -> float:
    """Return the standard deviation of the ratio of the totals: the jackknife, which is the most reliable for skewed sizes."""
    number, amount, size = len(sizes), sum(amounts), sum(sizes)
    ratios = [(amount - one) / (size - other) for one, other in zip(amounts, sizes, strict=True)]
    mean = sum(ratios) / number
    return math.sqrt((number - 1) / number * sum((ratio - mean) ** 2 for ratio in ratios))


def _shared(seconds: Estimate, workers: int, minimum: float) -> Estimate:
    """Return the duration of work that takes ``seconds``, shared by ``workers``, and at least ``minimum``."""
    value, low, high = (None if each is None else max(minimum, each / workers) for each in msgspec.structs.astuple(seconds))
    return Estimate(value=value or 0.0, low=low, high=high)


def _number(failed: int, measured: int, found: int) -> Estimate | None:
    """Return how many of ``found`` images will fail if ``failed`` of ``measured`` have: the Wilson score interval."""
    if not measured:
        return None
    share = failed / measured
    square = _Z**2 / measured
    centre = (share + square / 2) / (1 + square)
    margin = _Z * math.sqrt(share * (1 - share) / measured + square / measured / 4) / (1 + square)
    rest = found - measured + failed  # at most as many can fail as are not done
    low, high = max(failed, (centre - margin) * found), min(rest, (centre + margin) * found)
    return Estimate(value=share * found, low=min(low, share * found), high=max(high, share * found))


def _students_t(degrees: int) -> float:
    """Return the factor of the 95 % confidence interval of a small sample (Cornish-Fisher expansion of Student's t)."""
    first, second = (_Z**3 + _Z) / 4, (5 * _Z**5 + 16 * _Z**3 + 3 * _Z) / 96
    return _Z + first / degrees + second / degrees**2
