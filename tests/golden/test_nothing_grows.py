"""Outputs are not encoded better than their sources, and drawings with a palette keep it where that is smaller."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pixmill.imaging.input import Input
from pixmill.imaging.parsers import jpeg_tables
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe

SCENE = Image.effect_noise((160, 120), 60).resize((320, 240)).convert("RGB")


def stored(image, container, **settings):
    file = io.BytesIO()
    image.save(file, container, **settings)
    return file.getvalue()


def made(data, encode, *steps):
    recipe = Recipe.from_builtins({"steps": list(steps), "renditions": [{"encode": encode}]})
    return process(Input(data), recipe).outputs[0].data


def drawing(background="white"):
    image = Image.new("RGBA", (400, 300), background)
    draw = ImageDraw.Draw(image)
    for index, colour in enumerate(["crimson", "navy", "gold", "teal", "black"]):
        draw.ellipse((60 * index, 30 * index, 60 * index + 120, 30 * index + 120), fill=colour)
    return image


@pytest.mark.parametrize("source", [40, 70, 85])
def test_a_kept_jpeg_has_the_quality_of_its_source(source):
    data = stored(SCENE, "JPEG", quality=source)
    kept = made(data, "keep")
    assert jpeg_tables.read(kept).quality == source
    assert len(kept) <= len(data) * 1.02


def test_a_kept_jpeg_of_high_quality_has_the_default_and_a_given_quality_holds():
    assert jpeg_tables.read(made(stored(SCENE, "JPEG", quality=97), "keep")).quality == 85
    assert jpeg_tables.read(made(stored(SCENE, "JPEG", quality=40), "keep:quality=90")).quality == 90
    assert jpeg_tables.read(made(stored(SCENE, "JPEG", quality=40), "jpeg")).quality == 85


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize(("subsampling", "factors"), [("4:4:4", (1, 1)), ("4:2:0", (2, 2))])
def test_a_kept_jpeg_keeps_its_chroma_and_stays_progressive(progressive, subsampling, factors):
    data = stored(SCENE, "JPEG", quality=75, subsampling=subsampling, progressive=progressive)
    for steps in [(), ({"operation": "resize", "width": 100},)]:
        assert jpeg_tables.read(made(data, "keep", *steps)) == (75, factors, progressive)


@pytest.mark.parametrize("container", ["PNG", "GIF"])
@pytest.mark.parametrize("background", ["white", "#0000"])
def test_a_drawing_with_a_palette_keeps_it_and_its_pixels(container, background):
    image = drawing(background)
    data = stored(image.quantize(16), container)
    kept = Image.open(io.BytesIO(made(data, "png")))
    assert kept.mode == "P"
    shown = [np.asarray(each.convert("RGBA"), int) for each in (kept, Image.open(io.BytesIO(data)))]
    assert np.array_equal(*[each * (each[..., 3:] > 0) for each in shown])


def test_a_drawing_is_no_larger_for_being_written_again():
    true_colours = made(stored(drawing(), "PNG"), "png")
    for colours in (2, 4, 16, 256):
        data = stored(drawing().quantize(colours), "PNG", optimize=True)
        assert len(made(data, "png")) < min(len(true_colours), len(data) * 1.1)
    assert Image.open(io.BytesIO(true_colours)).mode == "RGBA"


def test_a_palette_that_would_be_seen_is_not_taken():
    spectrum = Image.fromarray(np.random.default_rng(2).integers(0, 255, (120, 160, 3), dtype=np.uint8))
    data = stored(spectrum.quantize(256), "PNG")
    assert Image.open(io.BytesIO(made(data, "png", {"operation": "resize", "width": 80}))).mode == "RGB"
