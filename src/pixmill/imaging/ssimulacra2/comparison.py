"""Compare pictures with one original, whose share of the work is done once."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from pixmill.imaging.ssimulacra2.blur import RADIUS, blurred
from pixmill.imaging.ssimulacra2.weights import ARTIFACTS, DETAIL, LEAST_WEIGHT, SCALES, STRUCTURE, score, weights
from pixmill.imaging.ssimulacra2.xyb import halved, linear, xyb

Array = np.ndarray[Any, np.dtype[np.float32]]
Pixels = np.ndarray[Any, np.dtype[np.uint8]]

MIN_SIDE = 8  # pixels, of a scale
STRIP = 64  # rows that are processed at once, so that they stay in the cache
MAX_KEPT_PIXELS = 4_000_000  # of an original whose terms are kept, in about 27 bytes for each; those of a larger one are made again
C2 = np.float32(0.0009)
ONE = np.float32(1)


class Strip(NamedTuple):
    """Rows of one scale, ``before`` and ``after`` which there are some more, and the ``channels`` that count there."""

    scale: int
    first: int
    before: int
    count: int
    after: int
    channels: tuple[int, ...]

    @property
    def rows(self) -> slice:
        """Return the rows, with their neighbours."""
        return slice(self.first - self.before, self.first + self.count + self.after)

    @property
    def own(self) -> slice:
        """Return where its own rows are among those."""
        return slice(self.before, self.before + self.count)


class Terms(NamedTuple):
    """What is computed of the original alone, in a strip: its channels with neighbours, their means, variances and edges."""

    values: Array
    mean: Array
    variance: Array
    smoothness: Array


class Original:
    """An original, ``pixels`` (rows, columns, 3) in sRGB, with at least 8 rows and columns."""

    def __init__(self, pixels: Pixels, *, least_weight: float = LEAST_WEIGHT) -> None:
        """Prepare its scales. Terms that weigh less than ``least_weight`` are left out."""
        self._scales = _scales(pixels)
        self._weights = weights(len(self._scales), least_weight)
        self._strips = tuple(self._all_strips())
        self._kept: dict[Strip, Terms] = {}
        self._keeps = pixels.shape[0] * pixels.shape[1] <= MAX_KEPT_PIXELS

    def score(self, pixels: Pixels) -> float:
        """Return the score of ``pixels``, of the same shape."""
        scales = _scales(pixels)
        sums = np.zeros_like(self._weights)
        for strip in self._strips:
            light = _light(scales[strip.scale], strip)
            for channel, errors in zip(strip.channels, _errors(self._terms(strip), xyb(light, strip.channels), strip), strict=True):
                sums[channel, strip.scale] += errors
        for index, scale in enumerate(scales):
            sums[:, index] /= _size(scale)[0] * _size(scale)[1]
        sums[:, :, 1] **= 0.25
        return score(sums * self._weights)

    def _all_strips(self) -> Iterator[Strip]:
        for scale, pixels in enumerate(self._scales):
            channels = tuple(int(channel) for channel in np.flatnonzero(self._weights[:, scale].any(axis=(1, 2))))
            height = _size(pixels)[0]
            for first in range(0, height if channels else 0, STRIP):
                count = min(STRIP, height - first)
                yield Strip(scale, first, min(RADIUS, first), count, min(RADIUS, height - first - count), channels)

    def _terms(self, strip: Strip) -> Terms:
        if strip in self._kept:
            return self._kept[strip]
        terms = _terms(xyb(_light(self._scales[strip.scale], strip), strip.channels), strip)
        if self._keeps:
            self._kept[strip] = terms
        return terms


def _scales(pixels: Pixels) -> list[Pixels | Array]:
    """Return the ``pixels``, and their linear light (3, rows, columns) at a half, a quarter ... of the size."""
    height, width, _ = pixels.shape
    scales: list[Pixels | Array] = [pixels]
    while len(scales) < SCALES and min(height, width) > 2 * (MIN_SIDE - 1):
        last = scales[-1]
        if last is pixels:
            scales.append(np.concatenate([halved(linear(pixels[top : top + STRIP])) for top in range(0, height, STRIP)], axis=1))
        else:
            scales.append(halved(last))
        height, width = scales[-1].shape[1:]
    return scales


def _size(scale: Pixels | Array) -> tuple[int, int]:
    return scale.shape[:2] if scale.dtype == np.uint8 else scale.shape[1:]


def _light(scale: Pixels | Array, strip: Strip) -> Array:
    return linear(scale[strip.rows]) if scale.dtype == np.uint8 else scale[:, strip.rows]


def _terms(values: Array, strip: Strip) -> Terms:
    mean, square = np.split(blurred(np.concatenate([values, values * values]), strip.before, strip.count, strip.after), 2)
    edges = np.abs(values[:, strip.own] - mean)
    return Terms(values, mean, square - mean * mean + C2, ONE / (ONE + edges))


def _errors(terms: Terms, values: Array, strip: Strip) -> Array:
    """Return the sums of the maps and of their fourth powers, by channel, norm and map."""
    planes = np.concatenate([values, values * values, values * terms.values])
    mean, square, product = np.split(blurred(planes, strip.before, strip.count, strip.after), 3)
    difference = mean - terms.mean
    # The structure of both is alike as far as they vary together; the means are compared without regard to how bright they are.
    covariance = 2 * (product - mean * terms.mean) + C2
    covariance *= ONE - difference * difference
    covariance /= square - mean * mean + terms.variance
    structure = np.maximum(ONE - covariance, 0)
    edges = np.abs(values[:, strip.own] - mean)
    edges += ONE
    edges *= terms.smoothness
    edges -= ONE
    result = np.empty((len(values), 2, 3), np.float64)
    for index, maps in ((STRUCTURE, structure), (ARTIFACTS, np.maximum(edges, 0)), (DETAIL, np.maximum(-edges, 0))):
        result[:, :, index] = _sums(maps)
    return result


def _sums(maps: Array) -> Array:
    """Return the sum of each map, and of its fourth power."""
    flat = maps.reshape(len(maps), -1)
    squares = flat * flat
    return np.stack([flat.sum(axis=1), np.einsum("ij,ij->i", squares, squares)], axis=1)
