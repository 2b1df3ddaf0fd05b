"""Our own limits hold for every format, before its pixels are decoded, and no library has a lower one of its own."""

import io
import sys
import warnings

import pytest
from PIL import Image, features

from pixmill.core.errors import LimitError
from pixmill.imaging.codec import Codec
from pixmill.imaging.input import Input
from pixmill.imaging.pipeline.identify import read_header
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe
from support import bmp_files

FORMATS = ["avif", "bmp", "gif", "heif", "jpeg", "jxl", "png", "tiff", "webp"]
SIZE = (400, 300)


def written(name):
    """Return a picture of 120,000 pixels in the format; skips where its encoder is not installed."""
    codec = Codec.named(name)
    if codec.format.missing_extra("write") or (name == "avif" and not features.check("avif")):
        pytest.skip("the encoder is not installed")
    file = io.BytesIO()
    Image.effect_noise(SIZE, 40).convert("RGB").save(file, "PNG")
    recipe = Recipe.from_builtins({"steps": [], "renditions": [{"encode": {"format": name}}]})
    return process(Input(file.getvalue()), recipe).outputs[0].data


@pytest.mark.parametrize("name", FORMATS)
def test_a_limit_refuses_by_its_option_and_passes_where_it_is_raised(name):
    data = written(name)
    for limit, value, too_low in (("max_pixels", 120_000, 119_999), ("max_side", 400, 399)):
        entered = []
        with pytest.raises(LimitError) as refused:
            process(Input(data), Recipe.from_builtins({"limits": {limit: too_low}}), enter=entered.append)
        assert entered == ["header"]
        assert list(refused.value.options) == [limit]
        assert f"--{limit.replace('_', '-')}" in refused.value.hint
        assert process(Input(data), Recipe.from_builtins({"limits": {limit: value}})).outputs[0].width == 400


@pytest.mark.parametrize("name", FORMATS)
def test_the_limit_of_pillow_does_not_count(name, monkeypatch):
    """A third of the pixels of the picture is beyond twice its limit, at which it refuses."""
    data = written(name)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20_000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert process(Input(data), Recipe()).outputs[0].width == 400
    assert Image.MAX_IMAGE_PIXELS == 20_000  # for others in the same process


def test_a_jpeg_xl_bomb_is_refused_before_it_is_decoded(monkeypatch):
    if Codec.named("jxl").format.missing_extra("read"):
        pytest.skip("the extra is not installed")
    data = written("jxl")
    recipe = Recipe.from_builtins({"limits": {"max_pixels": 1000}})
    decoded = []
    plugin = sys.modules["pillow_jxl.JpegXLImagePlugin"]
    monkeypatch.setattr(plugin, "Decoder", lambda **_: decoded.append(1))
    with pytest.raises(LimitError):
        read_header(Input(data), recipe)
    assert decoded == []


def test_a_large_bmp_of_one_bit_passes_where_the_limit_is_raised():
    size = (20_000, 10_000)
    data = bmp_files.bmp(bytes(2500 * 10_000), 1, size=size, colours=bmp_files.palette(2, gray=True))
    with pytest.raises(LimitError, match="200,000,000 pixels"):
        read_header(Input(data), Recipe())
    assert read_header(Input(data), Recipe.from_builtins({"limits": {"max_pixels": "300MP"}})).width == 20_000


def test_a_large_avif_passes_where_the_limit_is_raised(corpus):
    data = corpus("bad/libvips/17000x17000.avif")
    assert read_header(Input(data), Recipe.from_builtins({"limits": {"max_pixels": "500MP"}})).pixels == 289_000_000
