"""The lowest quality that looks good enough is found in few attempts, whatever a picture looks like."""

import math
from statistics import mean
from typing import NamedTuple

import pytest

from pixmill.imaging.codecs.jpeg import Jpeg
from pixmill.imaging.pipeline.search.score_search import CLOSE, MAX_ATTEMPTS, TOLERANCE, search_score

TYPICAL = [rung.typical_score for rung in Jpeg().by_quality()]


class File(NamedTuple):
    rung: int
    score: float


class Encoder:
    """Makes files that score as ``score_of`` tells, and notes what was asked for."""

    def __init__(self, score_of):
        self._score_of = score_of
        self.asked = []

    def __call__(self, rung):
        self.asked.append(rung)
        return File(rung, self._score_of(rung))


def photograph(loss, bend=1.0):
    """Scores of a photograph that lacks ``loss`` times of what a typical one lacks to 100, at low qualities more or less."""
    return lambda rung: 100 - loss * (100 - TYPICAL[rung]) ** bend + 0.1 * math.sin(7 * rung)


PHOTOGRAPHS = [(0.5, 1.0), (0.7, 1.0), (0.9, 1.0), (1.0, 1.0), (1.15, 1.0), (1.4, 1.0), (0.7, 1.1), (1.4, 0.9), (1.9, 0.8)]


@pytest.mark.parametrize("target", [50, 60, 70, 75, 80, 85, 90])
@pytest.mark.parametrize(("loss", "bend"), PHOTOGRAPHS)
def test_a_file_within_a_point_of_the_target_is_found(loss, bend, target):
    encoder = Encoder(photograph(loss, bend))
    found = search_score(encoder, TYPICAL, target=target)
    reachable = [photograph(loss, bend)(rung) for rung in range(len(TYPICAL))]
    if any(abs(score - target) <= CLOSE for score in reachable):
        assert abs(found.score - target) <= TOLERANCE
    assert len(encoder.asked) <= MAX_ATTEMPTS
    assert len(set(encoder.asked)) == len(encoder.asked)


def test_few_attempts_suffice():
    attempts = []
    for loss, bend in PHOTOGRAPHS:
        for target in (60, 70, 80, 85):
            encoder = Encoder(photograph(loss, bend))
            search_score(encoder, TYPICAL, target=target)
            attempts.append(len(encoder.asked))
    assert mean(attempts) < 2.5


def test_a_target_that_no_quality_reaches_ends_with_the_best_one():
    encoder = Encoder(photograph(3.0))
    assert search_score(encoder, TYPICAL, target=90).rung == len(TYPICAL) - 1


def test_a_picture_that_looks_good_at_any_quality_gets_a_low_one():
    encoder = Encoder(lambda _: 99.0)
    assert search_score(encoder, TYPICAL, target=80).rung == min(encoder.asked) < 40
    assert search_score(Encoder(lambda _: 99.0), TYPICAL, target=1).rung < 20


def test_a_step_in_the_scores_is_met_from_above():
    """As of colours that halved chroma cannot show."""
    found = search_score(Encoder(lambda rung: TYPICAL[rung] - (8 if rung < 89 else 0)), TYPICAL, target=80)
    assert found.score >= 79


def test_typical_scores_rise_with_quality():
    assert sorted(TYPICAL) == TYPICAL
    assert len(TYPICAL) == 101
