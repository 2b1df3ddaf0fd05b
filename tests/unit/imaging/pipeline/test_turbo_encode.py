import io

import numpy as np
import pytest
from PIL import Image as Pillow

from pixmill.imaging.codecs.jpeg import Jpeg
from pixmill.imaging.codecs.png import Png
from pixmill.imaging.image import Image
from pixmill.imaging.metadata.fields import attach
from pixmill.imaging.pipeline import turbo_encode

RAMP = np.linspace(0, 255, 64 * 48 * 3).reshape(48, 64, 3).astype(np.uint8)
PICTURE = Image.from_numpy(RAMP)


def test_opaque_pixels_of_eight_bits_are_written_fast():
    assert turbo_encode.supports(Jpeg(), PICTURE)
    assert turbo_encode.supports(Jpeg(effort="fast"), Image.from_numpy(RAMP[..., :1].copy()))


@pytest.mark.parametrize(
    ("codec", "image"),
    [
        (Png(), PICTURE),
        (Jpeg(effort="best"), PICTURE),
        (Jpeg(progressive=True), PICTURE),
        (Jpeg(), Image.from_numpy(RAMP.astype(np.uint16))),
        (Jpeg(), PICTURE.evolve(pixels=attach(PICTURE.pixels, {"icc-profile-data": b"a profile"}))),
    ],
    ids=["png", "best", "progressive", "deep", "profiled"],
)
def test_whatever_else_is_to_be_written_is_left_to_libvips(codec, image):
    assert not turbo_encode.supports(codec, image)


@pytest.mark.parametrize(
    ("codec", "halved"),
    [(Jpeg(), True), (Jpeg(quality=90), False), (Jpeg(subsampling="4:4:4"), False), (Jpeg(quality=95, subsampling="4:2:0"), True)],
)
def test_the_resolution_of_colour_is_what_libvips_would_choose(codec, halved):
    fast, general = (Pillow.open(io.BytesIO(data)) for data in (turbo_encode.encode(codec, PICTURE), codec.encode(PICTURE)))
    assert fast.layer == general.layer
    assert (fast.layer[0][1:3] == (2, 2)) is halved


def test_optimised_tables_are_as_good_as_those_of_libvips():
    noise = Image.from_numpy(np.random.default_rng(1).integers(0, 255, (200, 300, 3), np.uint8))
    fast, default, general = (
        turbo_encode.encode(Jpeg(effort="fast"), noise),
        turbo_encode.encode(Jpeg(), noise),
        Jpeg().encode(noise),
    )
    assert len(default) < len(fast)
    assert len(default) == pytest.approx(len(general), rel=0.01)


def test_pixels_that_no_buffer_was_meant_for_are_left_to_libvips():
    noise = Image.from_numpy(np.random.default_rng(1).integers(0, 255, (900, 900, 3), np.uint8))
    with pytest.raises(turbo_encode.NotHandled):
        turbo_encode.encode(Jpeg(quality=94, subsampling="4:4:4"), noise)
