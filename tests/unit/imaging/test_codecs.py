"""Every format writes what it declares, reads it back, and rejects what it does not support."""

import io

import numpy as np
import pytest
from PIL import Image as Pillow

from pixmill.core.errors import EncodeError, RecipeError, UnsupportedError
from pixmill.imaging.codec import Codec
from pixmill.imaging.codecs.keep import Keep
from pixmill.imaging.format import Format
from pixmill.imaging.formats import formats
from pixmill.imaging.input import Input
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe, Rendition

WRITERS = [
    known.name for known in formats() if known.writable and known.name not in ("keep", "ico")
]  # icons have sizes of their own


@pytest.fixture(autouse=True)
def _extras():
    pytest.importorskip("pillow_heif")
    pytest.importorskip("pillow_jxl")


def stored(picture, container="PNG", **settings):
    file = io.BytesIO()
    picture.save(file, container, **settings)
    return file.getvalue()


def made(data, encode, **recipe):
    return process(Input(data), Recipe.from_builtins({"steps": [], "renditions": [{"encode": encode}], **recipe})).outputs[0]


@pytest.fixture
def photograph():
    """Return a PNG with smooth and noisy parts, like a photograph."""
    y, x = np.mgrid[0:120, 0:160]
    noise = np.random.default_rng(7).integers(0, 60, (120, 160)) * (x > 60)
    return stored(Pillow.fromarray(np.stack([x + noise, y + noise, (x + y) // 2 + noise], axis=-1).clip(0, 255).astype(np.uint8)))


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_every_format_takes_every_kind_of_picture_and_reads_it_back(name, mode):
    data = stored(Pillow.new("RGBA", (33, 21), (10, 200, 90, 255)).convert(mode))
    output = made(data, name)
    assert (output.width, output.height, output.format) == (33, 21, name)
    back = process(Input(output.data), Recipe.from_builtins({"steps": [], "renditions": [{"encode": "png"}]}))
    assert back.header.format.name == name
    pixel = Pillow.open(io.BytesIO(back.outputs[0].data)).convert(mode).getpixel((16, 10))
    wanted = Pillow.open(io.BytesIO(data)).getpixel((16, 10))
    assert np.abs(np.subtract(pixel, wanted)).max() <= 6


@pytest.mark.parametrize("name", ["jpeg", "webp", "avif", "heif", "jxl"])
def test_quality_costs_bytes(photograph, name):
    assert len(made(photograph, f"{name}:quality=30").data) < len(made(photograph, f"{name}:quality=90").data)


@pytest.mark.parametrize("name", ["jpeg", "png", "webp"])
def test_best_effort_is_no_larger_than_fast(photograph, name):
    assert len(made(photograph, f"{name}:effort=best").data) <= len(made(photograph, f"{name}:effort=fast").data)


@pytest.mark.parametrize("encode", ["webp:lossless=true", "png", "tiff", "tiff:compression=lzw", "bmp", "jxl:lossless=true"])
def test_lossless_is_without_loss(photograph, encode):
    back = made(made(photograph, encode).data, "png")
    assert np.array_equal(np.asarray(Pillow.open(io.BytesIO(back.data))), np.asarray(Pillow.open(io.BytesIO(photograph))))


def test_a_jpeg_is_progressive_where_asked(photograph):
    assert b"\xff\xc2" in made(photograph, "jpeg:progressive=true").data
    assert b"\xff\xc2" not in made(photograph, "jpeg").data


def test_a_palette_png_has_at_most_the_colours_asked_for(photograph):
    picture = Pillow.open(io.BytesIO(made(photograph, "png:palette=true,colours=16").data))
    assert picture.mode == "P"
    assert len(picture.getcolors()) <= 16


@pytest.mark.parametrize(("name", "side"), [("jpeg", 65_500), ("webp", 16_383)])
def test_a_picture_too_large_for_its_format_is_refused_with_the_numbers(name, side):
    limits = {"max_side": 70_000}
    assert made(stored(Pillow.new("L", (side, 1))), name, limits=limits).width == side
    with pytest.raises(EncodeError, match=f"{side + 1:,} x 1 .* {side:,}") as refused:
        made(stored(Pillow.new("L", (side + 1, 1))), name, limits=limits)
    assert refused.value.code == "too-large"


def test_unknown_options_are_refused_with_the_nearest():
    with pytest.raises(RecipeError, match=r"webp\.qualty: no such setting; did you mean 'quality'"):
        Codec.from_builtins("webp:qualty=3")


@pytest.mark.parametrize(
    ("container", "name"), [("JPEG", "jpeg"), ("PNG", "png"), ("WEBP", "webp"), ("BMP", "bmp"), ("TIFF", "tiff")]
)
def test_keep_writes_the_format_of_the_source(container, name):
    data = stored(Pillow.new("RGB", (9, 9)), container)
    assert made(data, "keep").format == name
    assert Keep().extension_for(data) == next(known for known in formats() if known.name == name).extension


def test_keep_passes_its_options_to_formats_that_have_them(photograph):
    low, high = (made(stored(Pillow.open(io.BytesIO(photograph)), "JPEG"), f"keep:quality={quality}") for quality in (20, 90))
    assert len(low.data) < len(high.data)


@pytest.mark.parametrize(("name", "quality", "expected"), [("jpeg", 0, 1), ("webp", 0, 0), ("jpeg", 100, 100), ("jxl", 7, 7)])
def test_keep_uses_the_nearest_quality_that_the_format_of_the_source_has(name, quality, expected):
    source = next(known for known in formats() if known.name == name)
    assert Keep(quality=quality).for_source(source).quality == expected


def test_keep_refuses_formats_that_are_only_read():
    with pytest.raises(UnsupportedError, match="does not write SVG"):
        Keep().for_source(Format(name="svg", label="SVG", extensions=("svg",), mime="", writable=False))


def test_a_source_is_copied_where_its_result_would_be_larger(photograph):
    small = made(photograph, "jpeg:quality=20,effort=best").data
    copied = process(Input(small), Recipe.from_builtins({"never_bigger": True}))
    assert copied.outputs[0].data == small
    assert copied.notes == ("copied",)
    assert len(process(Input(small), Recipe()).outputs[0].data) > len(small)


def test_a_source_that_says_too_much_is_not_copied(photograph):
    exif = Pillow.Exif()
    exif[0x010F] = "Maker"
    small = stored(Pillow.open(io.BytesIO(photograph)), "JPEG", quality=20, exif=exif)
    result = process(Input(small), Recipe.from_builtins({"never_bigger": True}))
    assert result.notes == ()
    assert b"Maker" not in result.outputs[0].data


@pytest.mark.parametrize(
    ("word", "name"),
    [(word, known.name) for known in formats() for word in (known.name, *known.extensions)] + [("keep", "keep")],
)
def test_a_format_goes_by_its_name_and_by_its_extensions_in_any_case(word, name):
    for spelling in (word, word.upper(), f".{word}", {"format": word}):
        codec = Codec.from_builtins(spelling)
        assert (codec.format.name, codec.to_builtins()["format"]) == (name, name)
    assert Rendition(encode=word).encode == Codec.from_builtins(name)


def test_an_extension_takes_the_settings_of_its_format():
    assert Codec.from_builtins("JPG:quality=70") == Codec.from_builtins("jpeg:quality=70")
    with pytest.raises(RecipeError, match=r"jpeg\.qualty: no such setting"):
        Codec.from_builtins("jpg:qualty=70")


@pytest.mark.parametrize("word", ["jpge", "raw", "", "."])
def test_what_names_no_format_is_refused_with_what_there_is(word):
    with pytest.raises(RecipeError, match="unknown format"):
        Codec.from_builtins({"format": word})


@pytest.mark.parametrize(
    ("name", "own", "extension"),
    [("jpeg", "JPG", "JPG"), ("jpeg", "jpeg", "jpeg"), ("jpeg", "png", "jpg"), ("tiff", "TIFF", "TIFF"), ("png", "", "png")],
)
def test_keep_keeps_an_extension_that_belongs_to_the_content(name, own, extension):
    head = stored(Pillow.new("RGB", (9, 9)), name.upper())
    assert Keep().extension_for(head, own) == extension


@pytest.mark.parametrize(("own", "extension"), [("JPG", "JPG"), ("xyz", "xyz"), ("", "jpg")])
def test_keep_leaves_the_extension_of_what_it_does_not_know(own, extension):
    assert Keep().extension_for(b"\0" * 64, own) == extension


@pytest.mark.parametrize(
    ("text", "quality"),
    [
        ("jpeg", 85), ("webp:quality=3", 3), ("webp:lossless=true", None), ("tiff", None), ("tiff:compression=jpeg,quality=9", 9),
        ("png", None), ("keep", None), ("keep:quality=8", 8),
    ],
)  # fmt: skip
def test_a_quality_is_reported_only_if_pixels_are_lost(text, quality):
    assert Codec.from_builtins(text).lossy_quality == quality
