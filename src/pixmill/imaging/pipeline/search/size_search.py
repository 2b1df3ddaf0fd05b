"""Search for the best image whose file is small enough: lower quality first, then shorter sides.

The logarithm of the bytes is nearly linear in that of the step of a JPEG quantiser, which a quality stands for, and in that of the
area. Each attempt is chosen by interpolating between those before it.
"""

import math
from collections.abc import Callable
from typing import Generic, NamedTuple, Protocol, TypeVar

from pixmill.imaging.geometry.sizes import Size

MAX_QUALITY_ATTEMPTS = 5  # the first one included
MAX_SIDE_ATTEMPTS = 8
MIN_SIDE = 16  # pixels: an image is not made smaller than that
ENOUGH = 0.93  # of the bytes that are allowed: a closer result is not searched for
AIM = 0.97  # of the bytes that are allowed, so that the interpolation may err a little
QUALITY_SLOPE = -0.65  # of log bytes over log quantiser step: the median of 60 photographs, as JPEG, from quality 85 to 40
AREA_SLOPE = 0.8  # of log bytes over log area, likewise: details get denser as an image gets smaller
LEAST_CHANGE = 0.97  # of a side, from one attempt to the next


class HasBytes(Protocol):
    """A file that was made."""

    @property
    def data(self) -> bytes:
        """Return its content."""


File = TypeVar("File", bound=HasBytes)


class Found(NamedTuple, Generic[File]):
    """The best file that was made, in which ``size``, and whether it ``fits``."""

    file: File
    size: Size
    fits: bool


class _Line:
    """Logarithms of bytes by some measure ``x``: interpolated between the nearest points, or by a typical ``slope`` from one."""

    def __init__(self, slope: float, limit: int) -> None:
        self._points: list[tuple[float, float]] = []
        self._slope = slope
        self._goal = math.log(limit * AIM)

    def add(self, x: float, size: int) -> None:
        self._points.append((x, math.log(size)))

    def x_of_goal(self) -> float:
        """Return the measure at which the bytes are probably those wanted."""
        nearest = sorted(self._points, key=lambda point: abs(point[1] - self._goal))[:2]
        (x, y), *others = nearest
        slope = self._slope
        for other_x, other_y in others:
            steep = (y - other_y) / (x - other_x) if x != other_x else 0.0
            slope = steep if steep * slope > 0 else slope  # noise may bend it to the wrong side
        return x + (self._goal - y) / slope


def search_quality(first: Found[File], make: Callable[[int], File], *, quality: int, lowest: int, limit: int) -> Found[File]:
    """Return the file of the highest quality below ``quality``, down to ``lowest``, that has at most ``limit`` bytes.

    ``first`` has the one of ``quality``, which is too large. If none is small enough, the result is that of the ``lowest``.
    """
    line = _Line(QUALITY_SLOPE, limit)
    line.add(_log_step(quality), len(first.file.data))
    best, last = None, first.file
    low, high = lowest, quality  # what may fit, and what does not
    for left in reversed(range(MAX_QUALITY_ATTEMPTS - 1)):
        if low >= high:
            break
        wanted = max(low, min(high - 1, _quality_of(line.x_of_goal())))
        if best is None and not left:
            wanted = low  # the last chance to learn whether any quality is low enough
        last = make(wanted)
        line.add(_log_step(wanted), len(last.data))
        if len(last.data) > limit:
            high = wanted
            continue
        best, low = last, wanted + 1
        if len(last.data) >= limit * ENOUGH:
            break
    return Found(last if best is None else best, first.size, fits=best is not None)


def search_size(first: Found[File], make: Callable[[Size], File], *, limit: int) -> Found[File]:
    """Return the largest file of an image with shorter sides, in the same proportions, that has at most ``limit`` bytes.

    ``first`` is too large. If none is small enough, the result is the smallest that was made.
    """
    line = _Line(AREA_SLOPE, limit)
    line.add(0.0, len(first.file.data))
    best, last, size = None, first, first.size
    low, high = min(1.0, MIN_SIDE / min(size)), 1.0  # the scale that may fit, and the one that does not
    for left in reversed(range(MAX_SIDE_ATTEMPTS)):
        least, most = (low if best is None else low / LEAST_CHANGE), high * LEAST_CHANGE
        if least > most:
            break
        wanted = max(least, min(most, math.exp(line.x_of_goal() / 2)))
        if best is None and not left:
            wanted = low
        scaled = _scaled(size, wanted)
        last = Found(make(scaled), scaled, fits=False)
        line.add(2 * math.log(wanted), len(last.file.data))
        if len(last.file.data) > limit:
            high = wanted
            continue
        best, low = last._replace(fits=True), wanted
        if len(last.file.data) >= limit * ENOUGH:
            break
    return last if best is None else best


def _log_step(quality: int) -> float:
    """Return the logarithm of the quantiser step of ``quality``, in per cent of that of 50, by the rule of the IJG's library."""
    return math.log(200 - 2 * quality if quality >= 50 else 5000 / max(quality, 1)) if quality < 100 else 0.0  # noqa: PLR2004


def _quality_of(log_step: float) -> int:
    step = math.exp(min(log_step, 9.0))
    return math.floor(100 - step / 2 if step <= 100 else 5000 / step)  # noqa: PLR2004  # as above


def _scaled(size: Size, scale: float) -> Size:
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
