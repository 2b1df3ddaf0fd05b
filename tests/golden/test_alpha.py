"""Transparent pixels stay transparent or show the background: never black, never a fringe."""

import io

import numpy as np
import pytest
import pyvips
from PIL import Image


def stored(picture, container="PNG", **settings):
    file = io.BytesIO()
    picture.save(file, container, **settings)
    return file.getvalue()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_shows_the_background_in_a_jpeg(measure, make, mode):
    picture = Image.new("RGBA", (64, 64), (0, 0, 0, 0)).convert(mode) if mode != "P" else Image.new("P", (64, 64), 0)
    data = stored(picture, **({"transparency": 0} if mode == "P" else {}))
    assert measure.pixels(make(data, output="jpeg").outputs[0].data).min() >= 254
    red = measure.pixels(make(data, output="jpeg", background="#ff0000").outputs[0].data)
    assert np.abs(red[32, 32].astype(int) - (255, 0, 0)).max() <= 2


def test_invisible_colours_do_not_bleed_in_when_an_image_shrinks(make):
    array = np.zeros((64, 64, 4), np.uint8)
    array[:, :, 1] = 255
    array[:, 1::2] = (255, 0, 0, 255)
    data = stored(Image.fromarray(array))
    small = Image.open(io.BytesIO(make(data, steps=[{"operation": "resize", "width": 16}]).outputs[0].data))
    red, green, _, alpha = np.asarray(small)[8, 8]
    assert (red, green) == (255, 0)
    assert 120 <= alpha <= 136


@pytest.mark.parametrize("output", ["png", "webp", "avif", "tiff", "gif", "jxl"])
def test_transparency_is_kept_where_the_format_can(make, output):
    pytest.importorskip("pillow_jxl")
    picture = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    picture.paste((255, 0, 0, 255), (16, 16, 48, 48))
    kept = Image.open(io.BytesIO(make(stored(picture), output=output).outputs[0].data)).convert("RGBA")
    assert kept.getpixel((2, 2))[3] == 0
    assert kept.getpixel((32, 32))[3] == 255


def test_a_palette_is_resized_smoothly(measure, make):
    picture = Image.new("P", (64, 64))
    picture.putpalette([0, 0, 0, 255, 255, 255] + [0] * 762)
    picture.putdata([(x + y) % 2 for y in range(64) for x in range(64)])
    gray = measure.pixels(make(stored(picture), steps=[{"operation": "resize", "width": 16}]).outputs[0].data)
    assert 110 < gray[8, 8, 0] < 145


def test_one_bit_is_resized_smoothly(measure, make):
    picture = Image.fromarray(np.indices((64, 64)).sum(0).astype(np.uint8) % 2 * 255).convert("1")
    gray = measure.pixels(make(stored(picture), steps=[{"operation": "resize", "width": 16}]).outputs[0].data)
    assert 110 < gray[8, 8, 0] < 145


@pytest.mark.parametrize(
    "recipe",
    [
        {"output": {"format": "tiff", "compression": "jpeg", "quality": 100}},
        {"output": {"format": "jpeg", "quality": 100}, "steps": ["profile:name=cmyk"]},
    ],
    ids=["tiff", "cmyk"],
)
@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize(("background", "wanted"), [("#ffffff", (255, 255, 255)), ("#205080", (32, 80, 128))])
def test_an_encoder_without_alpha_shows_the_background(measure, make, recipe, deep, background, wanted):
    pixels = np.zeros((32, 32, 4), np.uint16 if deep else np.uint8)
    pixels[:, 16:] = (200, 50, 50, 255)
    space = "rgb16" if deep else "srgb"
    data = pyvips.Image.new_from_array(pixels * (257 if deep else 1)).copy(interpretation=space).pngsave_buffer()
    made = make(data, background=background, depth="keep", **recipe).outputs[0].data
    got = measure.difference(measure.reference(made)[8:24, 4:12], np.full((16, 8, 3), wanted, np.uint8))
    assert got[0] < 6  # the gamut of print
