"""The memory for an image is estimated from its header."""

import pytest

from pixmill.imaging.codecs.gif import Gif
from pixmill.imaging.codecs.jpeg import Jpeg
from pixmill.imaging.codecs.webp import Webp
from pixmill.imaging.header import Header
from pixmill.imaging.input import Input
from pixmill.imaging.pipeline.decode_plan import plan_decode
from pixmill.imaging.recipe import Recipe

GIGAPIXEL = {"width": 30_000, "height": 30_000}
SMALL = Recipe(steps=["resize:width=1920"])


def memory_estimate(header, recipe):
    return plan_decode(Input(b""), header, recipe).memory


def test_a_picture_that_streams_takes_little_whatever_its_size():
    assert memory_estimate(Header(format=Jpeg.format, **GIGAPIXEL), SMALL) < 250_000_000


@pytest.mark.parametrize(
    ("header", "recipe"),
    [
        (Header(format=Jpeg.format, progressive=True, **GIGAPIXEL), SMALL),
        (Header(format=Webp.format, **GIGAPIXEL), SMALL),
        (Header(format=Jpeg.format, **GIGAPIXEL), Recipe(steps=["python:function=steps.py:step"])),
    ],
)
def test_what_cannot_stream_is_counted_as_a_whole(header, recipe):
    assert memory_estimate(header, recipe) >= 2 * 30_000 * 30_000 * 3


def test_a_progressive_jpeg_takes_several_times_what_its_pixels_do():
    assert memory_estimate(Header(format=Jpeg.format, width=6000, height=4000, progressive=True), SMALL) >= 3 * 6000 * 4000 * 3


def test_every_frame_of_an_animation_that_is_kept_counts():
    header = Header(format=Gif.format, width=100, height=100, frames=50, bands=4)
    kept = Recipe(renditions=[{"encode": "webp"}], animated="keep")
    still = Recipe(renditions=[{"encode": "webp"}], animated="first")
    more = memory_estimate(header, kept) - memory_estimate(header, still)
    assert more >= 2 * 49 * 100 * 100 * 4


def test_comparing_files_with_the_original_takes_more():
    header = Header(format=Jpeg.format, width=2000, height=2000)
    plain, aiming = (Recipe(steps=[], renditions=[{"target_quality": target}]) for target in (None, 80))
    assert memory_estimate(header, aiming) - memory_estimate(header, plain) >= 2000 * 2000 * 30
