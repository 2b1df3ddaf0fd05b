"""Several sizes of one photograph: a smaller one may be resized from a larger one, and its file is as faithful to the source."""

import io
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from PIL import Image as Pillow

from pixmill.imaging.input import Input
from pixmill.imaging.operations.resize import Resize
from pixmill.imaging.pipeline import identify, turbo_decode
from pixmill.imaging.pipeline.decode_plan import plan_decode
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe, Rendition
from support.image_metrics import float_lanczos, psnr

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus"
PHOTOGRAPHS = ["Apple_iPhone_4S.jpg", "jake-hills-36605.jpg"]
SIDES = (1920, 1280, 960, 640, 320)
LOST = 0.5  # dB


def renditions(*sides):
    return Recipe(renditions=tuple(Rendition(name=str(side), steps=(Resize(width=side, height=side),)) for side in sides))


def photograph(name):
    found = next(CORPUS.rglob(name), None)
    if found is None:
        pytest.skip("the corpus is not here")
    return found.read_bytes()


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_size_made_with_others_is_as_faithful_as_one_made_alone(name):
    data = photograph(name)
    whole = simplejpeg.decode_jpeg(data, "RGB")
    together = process(Input(data), renditions(*SIDES)).outputs
    for side, output in zip(SIDES, together, strict=True):
        (alone,) = process(Input(data), renditions(side)).outputs
        made = [np.asarray(Pillow.open(io.BytesIO(each.data)).convert("RGB")).astype(float) for each in (alone, output)]
        truth = float_lanczos(whole, (made[0].shape[1], made[0].shape[0]))
        assert psnr(made[1], truth) > psnr(made[0], truth) - LOST


def resized_from(monkeypatch, width, height):
    """Return the widths of the images that a JPEG of this size is resized from, from the largest of ``SIDES`` to the smallest."""
    widths = []
    resized = turbo_decode.Raster.resized

    def seen(raster, size, **options):
        widths.append(raster.width)
        return resized(raster, size, **options)

    monkeypatch.setattr(turbo_decode.Raster, "resized", seen)
    data = simplejpeg.encode_jpeg(np.zeros((height, width, 3), np.uint8))
    source, recipe = Input(data), renditions(*SIDES)
    turbo_decode.decode(source, plan_decode(source, identify.read_header(source, recipe), recipe))
    return widths


def test_of_a_large_image_each_size_comes_from_the_smallest_that_is_half_as_large_again(monkeypatch):
    assert resized_from(monkeypatch, 3000, 2001) == [3000, 1920, 1920, 960, 640]


def test_of_a_smaller_image_each_size_comes_from_one_of_twice_its_size(monkeypatch):
    assert resized_from(monkeypatch, 2900, 2001) == [2900, 2900, 1920, 1280, 640]
