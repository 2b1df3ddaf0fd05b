"""Search for the quality with which a file looks as good as asked for.

What an image lacks to the best score is, at all qualities, about the same multiple of what a typical photograph lacks: it is
learned from each attempt, and so the next one is chosen.
"""

import bisect
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar

MAX_ATTEMPTS = 4
CLOSE = 0.5  # of a point: a file that is that near to the target is not searched further
TOLERANCE = 1.0  # of a point: no file that scores less than this below the target is chosen if another one scores more
BEST = 100.0
LEAST_LOSS = 0.1  # of a point, so that it has a logarithm
LEAST_SLOPE = 0.01  # of the logarithm of a loss over that of a typical one
MIN_SLOPE, MAX_SLOPE = 0.6, 1.6  # likewise, beyond the qualities that were tried


class HasScore(Protocol):
    """A file that was made."""

    @property
    def score(self) -> float:
        """Return how good it looks, 100 at best."""


File = TypeVar("File", bound=HasScore)


class _Point(NamedTuple):
    """An attempt: what a typical photograph, and what this one lacks, as logarithms."""

    typical: float
    actual: float


def search_score(make: Callable[[int], File], typical: Sequence[float], *, target: float) -> File:
    """Return the file whose score is nearest to ``target``, as far as few attempts tell, at most a point below if there is one.

    ``make`` returns the file of a rung; ``typical`` has the typical score of each, which rises. If the best rung scores less, its
    file is returned.
    """
    files: dict[int, File] = {}
    low, high = -1, len(typical)  # the rung that is known to score less, and the one that scores more
    wanted = _rung_of(target, typical)
    while low < wanted < high and len(files) < MAX_ATTEMPTS:
        file = files[wanted] = make(wanted)
        if abs(file.score - target) <= CLOSE:
            break
        low, high = (wanted, high) if file.score < target else (low, wanted)
        points = {rung: _Point(_loss(typical[rung]), _loss(made.score)) for rung, made in files.items()}
        wanted = max(low + 1, min(high - 1, _rung_of(_typical_at(_loss(target), points, low, high), typical)))
    good = [rung for rung in sorted(files) if files[rung].score >= target - TOLERANCE]
    if good:
        return files[min(good, key=lambda rung: round(abs(files[rung].score - target), 1))]
    return max(files.values(), key=lambda file: file.score)


def _typical_at(wanted: float, points: dict[int, _Point], low: int, high: int) -> float:
    """Return the typical score of the rung that probably lacks ``wanted``: by the line between ``low`` and ``high``, or beyond."""
    is_between = low in points and high in points
    pair = [points[low], points[high]] if is_between else sorted(points.values(), key=lambda point: abs(point.actual - wanted))
    near, far = pair[0], pair[min(1, len(pair) - 1)]
    slope = (far.actual - near.actual) / (far.typical - near.typical) if far.typical != near.typical else 1.0
    slope = max(LEAST_SLOPE, slope) if is_between else max(MIN_SLOPE, min(MAX_SLOPE, slope))
    return BEST - math.exp(near.typical + (wanted - near.actual) / slope)


def _loss(score: float) -> float:
    return math.log(max(LEAST_LOSS, BEST - score))


def _rung_of(score: float, typical: Sequence[float]) -> int:
    """Return the rung whose typical score is the nearest."""
    after = min(bisect.bisect_left(typical, score), len(typical) - 1)
    return after - 1 if after and score - typical[after - 1] < typical[after] - score else after
