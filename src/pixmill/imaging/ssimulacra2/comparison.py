"""Compare pictures with one original, whose share of the work is done once."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from pixmill.imaging.ssimulacra2.blur import RADIUS, blurred
from pixmill.imaging.ssimulacra2.weights import (
    ARTIFACTS,
    DETAIL,
    LEAST_WEIGHT,
    MAPS,
    NORMS,
    SCALES,
    STRUCTURE,
    score,
    weights,
)
from pixmill.imaging.ssimulacra2.xyb import halved, linear, xyb

Array = np.ndarray[Any, np.dtype[np.float32]]
Sums = np.ndarray[Any, np.dtype[np.float64]]
Pixels = np.ndarray[Any, np.dtype[np.uint8]]

MIN_SIDE = 8  # pixels, of a scale
STRIP_HEIGHT = 64  # rows that are processed at once, so that they stay in the cache
#: Of a scale that are compared, in strips that are spread evenly; 27 bytes of terms of the original are kept for each.
MAX_PIXELS = 4_000_000
C2 = np.float32(0.0009)
ONE = np.float32(1)


class Strip(NamedTuple):
    """Rows of one scale, ``before`` and ``after`` which there are some more, and the ``channels`` that count there."""

    scale: int
    top: int
    before: int
    height: int
    after: int
    channels: tuple[int, ...]

    @property
    def rows(self) -> slice:
        """Return the rows, with their neighbours."""
        return slice(self.top - self.before, self.top + self.height + self.after)

    @property
    def own(self) -> slice:
        """Return where its own rows are among those."""
        return slice(self.before, self.before + self.height)


class Scales(NamedTuple):
    """A picture in its own size, and its linear light (3, rows, columns) in a half, a quarter ... of it."""

    pixels: Pixels
    smaller: tuple[Array, ...]

    @classmethod
    def of(cls, pixels: Pixels) -> "Scales":
        """Return the scales of ``pixels`` (rows, columns, 3)."""
        smaller: list[Array] = []
        sides = pixels.shape[:2]
        while len(smaller) < SCALES - 1 and all(-(-side // 2) >= MIN_SIDE for side in sides):
            smaller.append(halved(smaller[-1]) if smaller else _half(pixels))
            sides = smaller[-1].shape[1:]
        return cls(pixels, tuple(smaller))

    @property
    def sizes(self) -> list[tuple[int, ...]]:
        """Return rows and columns of each."""
        return [self.pixels.shape[:2], *(light.shape[1:] for light in self.smaller)]

    def values(self, strip: Strip) -> Array:
        """Return the channels of ``strip``, with the neighbours."""
        light = self.smaller[strip.scale - 1][:, strip.rows] if strip.scale else linear(self.pixels[strip.rows])
        return xyb(light, strip.channels)


class Terms(NamedTuple):
    """What is computed of the original alone, in a strip: its channels with neighbours, their means, variances and edges."""

    values: Array
    mean: Array
    variance: Array
    smoothness: Array


class Original:
    """An original, ``pixels`` (rows, columns, 3) in sRGB, with at least 8 rows and columns."""

    def __init__(self, pixels: Pixels, *, least_weight: float = LEAST_WEIGHT, max_pixels: int = MAX_PIXELS) -> None:
        """Prepare its scales. Terms that weigh less than ``least_weight`` are left out, and most strips of a very large scale."""
        self._scales = Scales.of(pixels)
        self._weights = weights(len(self._scales.sizes), least_weight)
        self._strips = tuple(self._chosen_strips(max_pixels))
        self._terms = tuple(_terms(self._scales.values(strip), strip) for strip in self._strips)

    def score(self, pixels: Pixels) -> float:
        """Return the score of ``pixels``, of the same shape."""
        scales = Scales.of(pixels)
        sums = np.zeros_like(self._weights)
        rows = np.zeros(len(scales.sizes))
        for strip, terms in zip(self._strips, self._terms, strict=True):
            sums[list(strip.channels), strip.scale] += _errors(terms, scales.values(strip), strip)
            rows[strip.scale] += strip.height
        for scale, (_, columns) in enumerate(scales.sizes):
            sums[:, scale] /= max(1, rows[scale]) * columns
        sums[:, :, 1] **= 0.25
        return score(sums * self._weights)

    def _chosen_strips(self, max_pixels: int) -> Iterator[Strip]:
        for scale, (rows, columns) in enumerate(self._scales.sizes):
            channels = tuple(int(channel) for channel in np.flatnonzero(self._weights[:, scale].any(axis=(1, 2))))
            stride = STRIP_HEIGHT * -(-rows * columns // max_pixels)
            for top in range(0, rows if channels else 0, stride):
                height = min(STRIP_HEIGHT, rows - top)
                yield Strip(scale, top, min(RADIUS, top), height, min(RADIUS, rows - top - height), channels)


def _half(pixels: Pixels) -> Array:
    """Return the linear light of ``pixels`` in half the size, made in strips."""
    strips = range(0, pixels.shape[0], STRIP_HEIGHT)
    return np.concatenate([halved(linear(pixels[top : top + STRIP_HEIGHT])) for top in strips], axis=1)


def _terms(values: Array, strip: Strip) -> Terms:
    planes = np.concatenate([values, values * values])
    mean, square = np.split(blurred(planes, before=strip.before, count=strip.height, after=strip.after), 2)
    edges = np.abs(values[:, strip.own] - mean)
    return Terms(values, mean, square - mean * mean + C2, ONE / (ONE + edges))


def _errors(terms: Terms, values: Array, strip: Strip) -> Sums:
    """Return the sums of the maps and of their fourth powers, by channel, norm and map."""
    planes = np.concatenate([values, values * values, values * terms.values])
    mean, square, product = np.split(blurred(planes, before=strip.before, count=strip.height, after=strip.after), 3)
    # Both are alike as far as they vary together and have the same mean, however bright that is.
    similarity = 2 * (product - mean * terms.mean) + C2
    similarity *= ONE - (mean - terms.mean) ** 2
    similarity /= square - mean * mean + terms.variance
    edges = np.abs(values[:, strip.own] - mean)
    edges += ONE
    edges *= terms.smoothness
    edges -= ONE
    result = np.empty((len(values), NORMS, MAPS))
    result[:, :, STRUCTURE] = _sums(np.maximum(ONE - similarity, 0))
    result[:, :, ARTIFACTS] = _sums(np.maximum(edges, 0))
    result[:, :, DETAIL] = _sums(np.maximum(-edges, 0))
    return result


def _sums(maps: Array) -> Sums:
    """Return the sum of each map, and of its fourth power."""
    flat = maps.reshape(len(maps), -1)
    squares = flat * flat
    return np.stack([flat.sum(axis=1), np.einsum("ij,ij->i", squares, squares)], axis=1).astype(np.float64)
