"""No file is larger than ``--max-size``, with its metadata, and no more is given up for that than is needed."""

import io

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from pixmill.core.errors import EncodeError
from pixmill.imaging.codecs.jpeg import Jpeg
from pixmill.imaging.colour.icc_write import gray_profile
from pixmill.imaging.input import Input
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe

LIMIT = 30_000


def noisy(size=(900, 600), noise=14):
    """A picture with detail at all scales, whose JPEG has about 130 kB at quality 85."""
    random = np.random.default_rng(5)
    coarse = Image.fromarray(random.integers(0, 255, (20, 30, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
    return Image.fromarray(np.clip(np.asarray(coarse, int) + random.normal(0, noise, (*size[::-1], 3)), 0, 255).astype(np.uint8))


def stored(image, container, **settings):
    file = io.BytesIO()
    image.save(file, container, **settings)
    return file.getvalue()


def made(data, *renditions, **recipe):
    return process(Input(data), Recipe.from_builtins({"renditions": list(renditions), **recipe}))


def opened(output):
    return Image.open(io.BytesIO(output.data))


def quality_of(output):
    """The quality that the quantisation tables of a JPEG stand for, by the rule of the IJG's library."""
    step = sum(opened(output).quantization[0]) * 100 / sum(_TABLE)
    return (200 - step) / 2 if step <= 100 else 5000 / step


_TABLE = opened(made(stored(noisy((16, 16)), "PNG"), {"encode": "jpeg:quality=50"}).outputs[0]).quantization[0]


def test_a_lower_quality_is_enough_where_it_is():
    (output,) = made(stored(noisy(noise=4), "PNG"), {"encode": "jpeg", "max_size": LIMIT}).outputs
    assert LIMIT * 0.9 < len(output.data) <= LIMIT
    assert opened(output).size == (900, 600)
    assert 39 < quality_of(output) < 84


def test_the_sides_get_shorter_where_the_lowest_quality_is_not_enough_and_that_is_noted():
    result = made(stored(noisy(), "PNG"), {"encode": "jpeg", "max_size": LIMIT, "min_quality": 60})
    (output,) = result.outputs
    assert LIMIT * 0.8 < len(output.data) <= LIMIT
    assert quality_of(output) == pytest.approx(60, abs=1.5)
    assert (output.width, output.height) == opened(output).size
    assert output.width < 900
    assert output.width / output.height == pytest.approx(1.5, abs=0.02)
    assert result.notes == ("shrunk-to-fit",)


def test_a_file_that_fits_is_that_of_the_recipe_without_a_limit():
    data = stored(noisy(), "PNG")
    limited, free = made(data, {"encode": "jpeg", "max_size": "1MB"}), made(data, {"encode": "jpeg"})
    assert limited.outputs == free.outputs
    assert limited.notes == ()


@pytest.mark.parametrize("encode", ["jpeg:effort=best", "webp", "avif", "tiff", "gif", "bmp", "webp:lossless=true"])
def test_every_format_fits(encode):
    (output,) = made(stored(noisy((300, 200)), "PNG"), {"encode": encode, "max_size": 9_000}).outputs
    assert 6_000 < len(output.data) <= 9_000
    assert opened(output).size == (output.width, output.height)


def test_a_png_gets_a_palette_before_its_sides_get_shorter():
    result = made(stored(noisy((300, 200), 2), "PNG"), {"encode": "png", "max_size": 45_000})
    (output,) = result.outputs
    assert (opened(output).mode, opened(output).size, result.notes) == ("P", (300, 200), ())
    (smaller,) = made(stored(noisy((300, 200), 2), "PNG"), {"encode": "png", "max_size": 9_000}).outputs
    assert len(smaller.data) <= 9_000
    assert (opened(smaller).mode, opened(smaller).size < (300, 200)) == ("P", True)


def test_a_png_with_a_gray_profile_gets_a_palette_too():
    image = noisy((300, 200)).convert("L")
    tagged = stored(image, "PNG", icc_profile=gray_profile(1.8))
    for limit in (30_000, 5_000):
        (output,) = made(tagged, {"encode": "png", "max_size": limit}, color="keep").outputs
        assert len(output.data) <= limit


def test_metadata_count():
    text = PngImagePlugin.PngInfo()
    text.add_itxt("Copyright", "c" * 12_000)
    (output,) = made(stored(noisy((600, 400)), "PNG", pnginfo=text), {"encode": "jpeg", "max_size": LIMIT}).outputs
    assert len(output.data) <= LIMIT
    assert b"cccccc" in output.data
    with pytest.raises(EncodeError) as failed:
        made(stored(noisy((600, 400)), "PNG", pnginfo=text), {"encode": "jpeg", "max_size": 8_000})
    assert failed.value.code == "max-size"
    assert "24 x 16 pixels, quality 40): --max-size allows 8kB" in failed.value.message


def test_all_frames_of_an_animation_get_smaller():
    frames = [noisy((200, 120)).rotate(9 * turn) for turn in range(5)]
    data = stored(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=80, loop=0)
    (output,) = made(data, {"encode": "webp", "max_size": 8_000}, animated="keep").outputs
    assert len(output.data) <= 8_000
    assert opened(output).n_frames == 5


def test_each_rendition_has_its_own_limit():
    renditions = {"name": "a", "encode": "jpeg", "max_size": LIMIT}, {"name": "b", "encode": "jpeg:quality=90"}
    small, large = made(stored(noisy(noise=4), "PNG"), *renditions).outputs
    assert len(small.data) <= LIMIT < len(large.data)


def test_a_source_that_fits_is_copied_where_a_copy_is_allowed():
    data = stored(noisy(noise=4), "JPEG", quality=55)
    limit = len(data) + 100
    (output,) = made(data, {"encode": "jpeg:quality=95", "max_size": limit}, never_bigger=True).outputs
    assert np.array_equal(np.asarray(opened(output)), np.asarray(Image.open(io.BytesIO(data))))


def test_a_recipe_without_a_limit_has_the_fingerprint_that_it_had_before_there_were_any():
    plain, *limited = (Recipe(renditions=[{"encode": Jpeg(), "max_size": limit}]) for limit in (None, "30kB", "29kB"))
    assert not {"max_size", "min_quality"} & set(plain.identity()["renditions"][0])
    assert len({each.fingerprint() for each in (plain, *limited)}) == 3
