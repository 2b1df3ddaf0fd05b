"""A score is that of an independent implementation."""

import io
from statistics import mean

import numpy as np
import pytest
from PIL import Image, ImageFilter

from pixmill.imaging.ssimulacra2.comparison import Original
from support import score_oracle


def encoded(picture, container, quality):
    file = io.BytesIO()
    picture.save(file, container, quality=quality)
    return Image.open(file).convert("RGB")


def noisy(picture, amount=6):
    random = np.random.default_rng(1)
    array = np.asarray(picture, float) + random.normal(0, amount, (picture.height, picture.width, 3))
    return Image.fromarray(np.clip(array, 0, 255).astype(np.uint8))


DISTORTIONS = {
    "JPEG": lambda picture: encoded(picture, "JPEG", 60),
    "WebP": lambda picture: encoded(picture, "WEBP", 40),
    "blur": lambda picture: picture.filter(ImageFilter.GaussianBlur(1.2)),
    "noise": noisy,
    "few colours": lambda picture: picture.quantize(64, dither=Image.Dither.NONE).convert("RGB"),
    "fewer pixels": lambda picture: picture.resize((picture.width * 2 // 3, picture.height * 2 // 3)).resize(picture.size),
}


def scene(size):
    """A picture with shapes and fine structure."""
    random = np.random.default_rng(3)
    coarse = Image.fromarray(random.integers(0, 255, (9, 13, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
    return noisy(coarse, 5)


def score(original, other, **options):
    return Original(np.asarray(original), **options).score(np.asarray(other))


def ranks(values):
    return np.argsort(np.argsort(values))


def compare(photographs):
    oracle = score_oracle.oracle()
    pairs = [
        (score(picture, other), oracle(picture, other))
        for _, picture in photographs
        for other in (distort(picture) for distort in DISTORTIONS.values())
    ]
    ours, theirs = zip(*pairs, strict=True)
    assert mean(abs(one - other) for one, other in pairs) < 0.1
    assert np.corrcoef(ranks(ours), ranks(theirs))[0, 1] > 0.998  # Spearman
    assert min(theirs) < 50
    assert max(theirs) > 70


def test_photographs_score_as_by_the_oracle_after_six_distortions():
    compare(score_oracle.photographs(2, (320, 240)))


@pytest.mark.long
def test_all_photographs_score_as_by_the_oracle_after_six_distortions():
    compare(score_oracle.photographs(100, (800, 600)))


#: of which strips and scales end in all ways, down to those that have fewer scales, whose weights are others
SIZES = [(300, 200), (131, 129), (128, 67), (77, 66), (40, 132), (33, 17), (15, 9), (8, 8)]


@pytest.mark.parametrize("size", SIZES)
def test_pictures_of_all_sizes_score_as_by_the_oracle(size):
    picture = scene(size)
    for distorted in (noisy(picture, 9), encoded(picture, "JPEG", 50)):
        assert score(picture, distorted) == pytest.approx(score_oracle.oracle()(picture, distorted), abs=0.15)


def test_an_equal_picture_scores_100_and_a_worse_one_less():
    picture = scene((90, 70))
    scores = [score(picture, other) for other in (picture, *(encoded(picture, "JPEG", quality) for quality in (95, 70, 30)))]
    assert scores[0] == pytest.approx(100, abs=0.01)
    assert scores == sorted(scores, reverse=True)


def test_the_weights_that_are_left_out_change_nothing_that_matters():
    picture = scene((200, 150))
    for distort in DISTORTIONS.values():
        other = distort(picture)
        assert score(picture, other) == pytest.approx(score(picture, other, least_weight=0), abs=0.05)


def test_an_original_scores_one_picture_after_another():
    picture = scene((200, 150))
    others = [np.asarray(encoded(picture, "JPEG", quality)) for quality in (40, 80)]
    original = Original(np.asarray(picture))
    scores = [original.score(other) for other in others]
    assert [original.score(other) for other in others] == scores


def test_some_strips_of_a_large_picture_tell_nearly_the_score_of_all():
    picture = scene((400, 700))
    other = encoded(picture, "JPEG", 60)
    whole, part = (score(picture, other, max_pixels=pixels) for pixels in (400 * 700, 400 * 700 // 3))
    assert whole != part
    assert part == pytest.approx(whole, abs=0.7)
