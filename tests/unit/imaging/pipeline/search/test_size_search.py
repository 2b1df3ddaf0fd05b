"""A file that is small enough and uses the room is found in few attempts, whatever its bytes depend on."""

import math
from collections.abc import Callable
from statistics import mean, median
from typing import NamedTuple

import pytest

from pixmill.imaging.pipeline.search.size_search import MAX_QUALITY_ATTEMPTS, MIN_SIDE, Found, search_quality, search_size


class File(NamedTuple):
    data: bytes
    made_of: object


class Encoder:
    """Makes files whose bytes ``size_of`` tells, and notes what was asked for."""

    def __init__(self, size_of: Callable[[object], float]) -> None:
        self._size_of = size_of
        self.asked: list[object] = []

    def __call__(self, parameter: object) -> File:
        self.asked.append(parameter)
        return File(bytes(round(self._size_of(parameter))), parameter)

    def first(self, parameter: object, size: tuple[int, int] = (1200, 800)) -> Found[File]:
        return Found(self(parameter), size, fits=False)


def photograph(amount: float, slope: float) -> Callable[[int], float]:
    """Bytes by quality as of a JPEG: a power of the step of its quantisers, and a header."""
    return lambda quality: 600 + amount * ((200 - 2 * quality if quality >= 50 else 5000 / quality) / 30) ** slope


SLOPES = (-1.1, -0.8, -0.65, -0.5, -0.35)


@pytest.mark.parametrize("share", [0.9, 0.7, 0.5])
@pytest.mark.parametrize("slope", SLOPES)
def test_the_highest_quality_that_fits_is_found(slope, share):
    encoder = Encoder(photograph(200_000, slope))
    first = encoder.first(85)
    limit = round(len(first.file.data) * share)
    found = search_quality(first, encoder, quality=85, lowest=1, limit=limit)
    assert found.fits
    assert limit * 0.9 <= len(found.file.data) <= limit
    assert len(encoder.asked) <= MAX_QUALITY_ATTEMPTS
    assert len(set(encoder.asked)) == len(encoder.asked)


def test_few_attempts_suffice_and_the_room_is_used():
    attempts, rooms = [], []
    for slope in SLOPES:
        for share in (0.95, 0.8, 0.65, 0.5):
            encoder = Encoder(photograph(200_000, slope))
            first = encoder.first(85)
            limit = round(len(first.file.data) * share)
            rooms.append(len(search_quality(first, encoder, quality=85, lowest=1, limit=limit).file.data) / limit)
            attempts.append(len(encoder.asked))
    assert mean(attempts) < 3
    assert median(rooms) > 0.93


def test_no_quality_below_the_lowest_is_tried_and_none_twice():
    encoder = Encoder(photograph(200_000, -0.65))
    found = search_quality(encoder.first(85), encoder, quality=85, lowest=60, limit=20_000)
    assert not found.fits
    assert encoder.asked[-1] == found.file.made_of == 60
    assert min(encoder.asked) == 60


def test_a_step_in_the_bytes_does_not_make_it_miss_what_fits():
    """As of chroma that has its full resolution from quality 90 on."""
    encoder = Encoder(lambda quality: 100_000 if quality >= 90 else 50_000 + quality)
    found = search_quality(encoder.first(95), encoder, quality=95, lowest=40, limit=60_000)
    assert found.fits
    assert found.file.made_of < 90


@pytest.mark.parametrize("power", [0.6, 0.8, 1.0, 1.3])
@pytest.mark.parametrize("share", [0.9, 0.3, 0.03])
def test_the_longest_sides_that_fit_are_found_in_the_same_proportions(power, share):
    encoder = Encoder(lambda size: 300 + 500_000 * (size[0] * size[1] / 960_000) ** power)
    first = encoder.first((1200, 800))
    limit = round(len(first.file.data) * share)
    found = search_size(first, encoder, limit=limit)
    assert found.fits
    assert limit * 0.85 <= len(found.file.data) <= limit
    assert len(encoder.asked) <= 6
    assert math.isclose(found.size[0] / found.size[1], 1.5, rel_tol=0.05)


def test_what_cannot_fit_ends_with_the_shortest_sides():
    encoder = Encoder(lambda size: 1000 + size[0] * size[1])
    found = search_size(encoder.first((1200, 800)), encoder, limit=900)
    assert not found.fits
    assert min(found.size) == MIN_SIDE


def test_a_tiny_image_is_not_made_smaller():
    encoder = Encoder(lambda _: 1000)
    assert not search_size(encoder.first((16, 12), (16, 12)), encoder, limit=900).fits
    assert len(encoder.asked) == 1
