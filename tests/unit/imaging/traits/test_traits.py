"""The traits of an output are those of its picture, whatever way it was made."""

import io
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image

from pixmill.imaging.input import Input
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe
from pixmill.imaging.traits.small_picture import from_pillow
from pixmill.imaging.traits.thumbhash import thumbhash
from support.icc_files import matrix_profile

NEAR = 3  # of 63, in a term of a hash that another decoder has read
ORIENTATION, EXIF, TAKEN = 0x0112, 0x8769, 0x9003


def half_and_half(size=(300, 200), mode="RGB"):
    """Return a picture that is red at the left and blue at the right; a landscape."""
    picture = Image.new("RGB", size, (250, 10, 10))
    picture.paste((10, 10, 250), (size[0] * 2 // 3, 0, *size))
    return picture.convert(mode)


def saved(picture, kind="PNG", **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def traits(data, **recipe):
    (output,) = process(Input(data), Recipe.from_builtins(recipe), with_traits=True).outputs
    return output, output.traits


def constants(data):
    """Return the average luminance and colours of a ThumbHash, 0 to 63."""
    head = int.from_bytes(data[:3], "little")
    return [(head >> shift) & 63 for shift in (0, 6, 12)]


@pytest.mark.parametrize("encode", ["jpeg", "png", "webp", "avif", "gif", "tiff", "bmp"])
@pytest.mark.parametrize("engine", ["auto", "vips"])
def test_every_format_and_engine_gives_the_traits_of_the_picture(encode, engine):
    data = saved(half_and_half(), "JPEG", quality=95)
    _, found = traits(data, renditions=[{"encode": encode}], engine=engine, steps=["resize:width=240"])
    expected = constants(thumbhash(from_pillow(half_and_half())))
    assert max(abs(one - two) for one, two in zip(constants(b64decode(found.thumbhash)), expected, strict=True)) <= NEAR
    assert found.dominant_color.startswith("#f")
    assert found.dhash != "0" * 16


def test_traits_are_not_computed_unless_they_are_wanted():
    assert process(Input(saved(half_and_half())), Recipe()).outputs[0].traits is None


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "CMYK", "I;16"])
def test_every_kind_of_pixels_has_traits(mode):
    kind = "TIFF" if mode in ("CMYK", "I;16") else "PNG"
    picture = Image.fromarray(np.full((50, 60), 40000, np.uint16)) if mode == "I;16" else half_and_half((60, 50), mode)
    for encode in ("png", "jpeg"):
        _, found = traits(saved(picture, kind), renditions=[{"encode": encode}], depth="keep")
        assert len(b64decode(found.thumbhash)) > 15
        assert len(found.dominant_color) == 7


def test_a_turned_photograph_has_the_traits_of_what_is_seen_also_if_only_its_tag_turns_it():
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    data = saved(half_and_half(), "JPEG", exif=exif, quality=95)
    turned, seen = traits(data), traits(data, lossless=True)
    assert (turned[0].width, turned[0].height) == (200, 300)
    assert turned[1].dhash == seen[1].dhash == "0" * 16  # red above blue
    assert turned[1].thumbhash[:4] == seen[1].thumbhash[:4]


def test_the_capture_time_is_that_of_the_source_although_the_output_does_not_have_it():
    exif = Image.Exif()
    exif.get_ifd(EXIF)[TAKEN] = "2024:05:17 10:11:12"
    output, found = traits(saved(half_and_half(), "JPEG", exif=exif), metadata="strip")
    assert found.captured_at == "2024-05-17T10:11:12"
    assert not Image.open(io.BytesIO(output.data)).getexif()
    assert traits(saved(half_and_half()))[1].captured_at == ""


def test_the_traits_of_a_picture_with_a_profile_are_in_srgb():
    wide = saved(half_and_half(), "JPEG", icc_profile=matrix_profile(), quality=95)
    kept, converted, plain = (
        traits(data, color=color)[1].dominant_color
        for data, color in ((wide, "keep"), (wide, "srgb"), (saved(half_and_half(), "JPEG", quality=95), "srgb"))
    )
    assert kept == converted != plain


def test_an_animation_has_the_traits_of_its_first_frame():
    frames = [half_and_half(), Image.new("RGB", (300, 200), "white")]
    data = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    _, found = traits(data, renditions=[{"encode": "gif"}], animated="keep")
    assert found.dominant_color == "#fa0a0a"


def test_an_output_too_large_to_keep_in_memory_has_the_traits_of_its_file():
    picture = half_and_half((4000, 3000))
    files = [saved(each, compress_level=1) for each in (picture, picture.reduce(10))]
    large, small = (traits(data, steps=[], renditions=[{"encode": "jpeg"}]) for data in files)
    assert large[0].width == 4000
    assert large[1].dhash == small[1].dhash
    assert large[1].dominant_color[:6] == small[1].dominant_color[:6] == "#fa0a0"
