"""Search for the lowest quality with which a file looks good enough.

What an image lacks to the best score is, at all qualities, about the same multiple of what a typical photograph lacks: it is
learned from each attempt, and so the next one is chosen.
"""

import bisect
import math
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

MAX_ATTEMPTS = 4
ENOUGH = 0.8  # of a point: a file that scores no more than this above the target is not searched further
AIM = 0.35  # of a point above the target, so that the interpolation may err a little
BEST = 100.0
LEAST_LOSS = 0.1  # of a point, so that it has a logarithm
MIN_SLOPE, MAX_SLOPE = 0.4, 2.5  # of the logarithm of a loss over that of a typical one; noise may bend it further


class HasScore(Protocol):
    """A file that was made."""

    @property
    def score(self) -> float:
        """Return how good it looks, 100 at best."""


File = TypeVar("File", bound=HasScore)


class _Attempt(NamedTuple, Generic[File]):
    rung: int
    file: File


def search_score(make: Callable[[int], File], typical: Sequence[float], *, target: float) -> File:
    """Return the file of the lowest rung that scores at least ``target``, as far as few attempts tell.

    ``make`` returns the file of a rung; ``typical`` has the typical score of each, which rises. If the best rung scores less, its
    file is returned.
    """
    attempts: list[_Attempt[File]] = []
    low, high = -1, len(typical)  # the rung that is known to score less, and the one that scores enough
    wanted = _rung_of(target, typical)
    while low < wanted < high and len(attempts) < MAX_ATTEMPTS:
        attempt = _Attempt(wanted, make(wanted))
        attempts.append(attempt)
        if attempt.file.score >= target:
            high = wanted
            if attempt.file.score <= target + ENOUGH:
                break
        else:
            low = wanted
        if high - low <= 1:
            break
        wanted = max(low + 1, min(high - 1, _next(attempts, typical, target + AIM)))
    enough = [attempt for attempt in attempts if attempt.file.score >= target]
    if enough:
        return min(enough, key=lambda attempt: attempt.rung).file
    return max(attempts, key=lambda attempt: attempt.file.score).file


def _next(attempts: Sequence[_Attempt[File]], typical: Sequence[float], goal: float) -> int:
    """Return the rung that probably scores ``goal``: by the line through the nearest points, or by a slope of 1 from one."""
    points = [(_loss(typical[attempt.rung]), _loss(attempt.file.score)) for attempt in attempts]
    wanted = _loss(goal)
    points.sort(key=lambda point: abs(point[1] - wanted))
    (x, y), *others = points
    slope = 1.0
    if others and others[0][0] != x:
        slope = max(MIN_SLOPE, min(MAX_SLOPE, (others[0][1] - y) / (others[0][0] - x)))
    return _rung_of(BEST - math.exp(x + (wanted - y) / slope), typical)


def _loss(score: float) -> float:
    return math.log(max(LEAST_LOSS, BEST - score))


def _rung_of(score: float, typical: Sequence[float]) -> int:
    return min(bisect.bisect_left(typical, score), len(typical) - 1)
