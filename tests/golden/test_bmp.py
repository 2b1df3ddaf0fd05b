"""What a browser opens of the BMP Suite's kinds, pixmill shows in the same colours."""

import base64
import io
import struct

import numpy as np
import pytest
from PIL import Image

from pixmill.core.errors import DecodeError, ImageError, LimitError, UnsupportedError
from pixmill.imaging.input import Input
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe
from support import bmp_files

PNG = Recipe.from_builtins({"steps": [], "renditions": [{"encode": {"format": "png"}}]})
#: Kinds that the browser does not open, and pixmill does: by the same decoder as their neighbours.
OURS = {"pal2-core", "array"}
SHOW = """async (files) => Promise.all(files.map(async (file) => {
    const image = new Image();
    image.src = "data:image/bmp;base64," + file;
    try { await image.decode(); } catch { return null; }
    const canvas = document.createElement("canvas");
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL("image/png").split(",")[1];
}))"""


def rgba(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA")).astype(int)


def made(data, recipe=PNG):
    return process(Input(data), recipe).outputs[0].data


@pytest.fixture(scope="module")
def suite():
    return bmp_files.suite()


def test_every_kind_has_the_pixels_that_chromium_shows(suite, browser):
    names = [name for name in suite if name not in OURS]
    with browser.new_context() as context:
        shown = context.new_page().evaluate(SHOW, [base64.b64encode(suite[name]).decode() for name in names])
    for name, picture in zip(names, shown, strict=True):
        assert picture is not None, name
        wanted, got = rgba(base64.b64decode(picture)), rgba(made(suite[name]))
        assert got.shape == wanted.shape, name
        tolerance = 4 if name.startswith("rgba") else 0  # a canvas stores colours multiplied by alpha
        assert np.abs(got - wanted)[wanted[..., 3] > 0].max() <= tolerance, name


def test_kinds_that_pillow_reads_have_its_pixels(suite):
    compared = 0
    for name, data in suite.items():
        if "jumps" in name or "alpha" in name or "5551" in name:
            continue  # which it fills with the first colour, makes transparent, and makes opaque
        try:
            wanted = rgba(data)
        except (OSError, ValueError, SyntaxError):
            continue
        compared += 1
        assert np.abs(rgba(made(data)) - wanted)[wanted[..., 3] > 0].max() <= 8, name  # it does not spread five bits fully
    assert compared > 50


def test_kinds_that_no_browser_opens_have_the_pixels_of_their_neighbours(suite):
    assert np.array_equal(rgba(made(suite["array"])), rgba(made(suite["rgb24"])))
    assert np.array_equal(rgba(made(suite["pal2-core"])), rgba(made(suite["pal2"])))


@pytest.mark.parametrize("name", ["pal1", "pal4", "pal8", "rgb16", "rgb24", "rgb32", "pal8-rle", "pal4-rle", "rgb24-rle24"])
def test_what_is_cut_off_fails_and_is_made_where_that_is_allowed(suite, name):
    data = suite[name][:-90]
    with pytest.raises(DecodeError) as refused:
        made(data)
    assert refused.value.code == "truncated"
    assert rgba(made(data, Recipe.from_builtins({**PNG.to_builtins(), "allow_truncated": True}))).shape[:2] == (37, 61)


def test_a_missing_end_of_the_codes_costs_no_pixel(suite):
    for name in ("pal8-rle", "pal4-rle", "rgb24-rle24"):
        assert suite[name].endswith(b"\0\0\0\1")
        for ending in (suite[name][:-2], suite[name][:-4]):
            assert np.array_equal(rgba(made(ending)), rgba(made(suite[name])))


def test_a_row_that_ends_without_its_padding_is_whole(suite):
    data = suite["rgb24"]
    assert np.array_equal(rgba(made(data[:-1])), rgba(made(data)))


@pytest.mark.parametrize("offset", [0, 20])
def test_a_wrong_place_of_the_pixels_is_corrected(suite, offset):
    values = bmp_files.packed(bmp_files.indexes(256), 8)
    data = bmp_files.bmp(values, 8, colours=bmp_files.palette(256), offset=offset)
    assert np.array_equal(rgba(made(data)), rgba(made(suite["pal8"])))


def test_runs_and_jumps_beyond_the_picture_end_at_its_edge():
    code = bytes([255, 7] * 3) + b"\0\2\xff\xff" + bytes([255, 9]) + b"\0\x05abcde\0" + b"\0\1"
    for compression, bits in ((bmp_files.RLE8, 8), (bmp_files.RLE4, 4)):
        data = bmp_files.bmp(code, bits, size=(9, 4), compression=compression, colours=bmp_files.palette(1 << bits))
        assert rgba(made(data)).shape == (4, 9, 4)


@pytest.mark.parametrize(
    ("compression", "bits", "header", "word"),
    [
        (4, 0, bmp_files.INFO, "embedded JPEG"),
        (5, 0, bmp_files.INFO, "embedded PNG"),
        (3, 1, bmp_files.OS2, "Huffman"),
        (11, 8, bmp_files.INFO, "CMYK"),
        (99, 24, bmp_files.INFO, "compression 99"),
        (0, 64, bmp_files.INFO, "64 bits"),
        (1, 4, bmp_files.INFO, "4 bits"),
    ],
)
def test_other_kinds_are_unsupported_by_name(compression, bits, header, word):
    with pytest.raises(UnsupportedError, match=word):
        made(bmp_files.bmp(bytes(9000), bits, header=header, compression=compression))


def test_limits_hold_before_any_pixel_is_read():
    for size in ((40_000, 40_000), (40_000, -40_000)):
        data = bytearray(bmp_files.bmp(b"\0\1", 8, compression=bmp_files.RLE8, colours=bmp_files.palette(2)))
        struct.pack_into("<ii", data, 18, *size)
        with pytest.raises(LimitError, match="1,600,000,000 pixels"):
            made(bytes(data))


def test_damaged_headers_are_refused_or_shown(suite):
    rng = np.random.default_rng(11)
    tolerant = Recipe.from_builtins({"allow_truncated": True, "limits": {"max_pixels": 500_000}})
    for name in ("pal8-rle", "pal4-os2", "rgb16-231-40", "rgba32-8888-124", "rgb24-core", "array"):
        for _ in range(120):
            data = bytearray(suite[name])
            for at in rng.integers(2, 80, 3):
                data[at] = rng.integers(256)
            try:
                made(bytes(data), tolerant)
            except ImageError:
                continue
