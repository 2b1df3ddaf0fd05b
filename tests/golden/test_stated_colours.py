"""Colours are those that a file states in a profile, as codes, as numbers or in EXIF. What has no meaning is ignored and noted."""

import io
import shutil
import struct
import subprocess

import numpy as np
import pytest
from PIL import Image

from pixmill.imaging.colour.icc_write import gray_profile, rgb_profile
from pixmill.imaging.colour.spaces import PRIMARIES, SRGB_CURVE
from pixmill.imaging.parsers.heif import primary
from support.colour_files import avif, chunk, iccp, png, shown, srgb_light

needs_avifenc = pytest.mark.skipif(not shutil.which("avifenc"), reason="avifenc is not installed")
P3 = rgb_profile(PRIMARIES[12], SRGB_CURVE)
GRAY_18 = gray_profile(1.8)
#: Another rendering intent, in the wrong byte order: libpng refuses the profile, and no other reader does.
WRONG_INTENT = GRAY_18[:64] + b"\1\0\0\0" + GRAY_18[68:]
PATCH = (200, 50, 50)


def patch(colour=PATCH):
    return np.full((32, 32, 3), colour, np.uint8)


def gray(value=128):
    return np.full((32, 32), value, np.uint8)


def jpeg(array, **settings):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "JPEG", quality=100, subsampling=0, **settings)
    return file.getvalue()


def pixel(made):
    return np.asarray(Image.open(io.BytesIO(made.outputs[0].data)))[16, 16].astype(int)


@needs_avifenc
@pytest.mark.parametrize(
    ("codes", "light"),
    [("12/13/6", srgb_light), ("9/13/9", srgb_light), ("1/13/0", srgb_light), ("1/8/6", lambda value: value)],
)
@pytest.mark.parametrize("from_bitstream", [False, True], ids=["nclx", "bitstream"])
def test_the_codes_of_an_avif_are_honoured_from_its_box_or_its_bitstream(tmp_path, make, measure, codes, light, from_bitstream):
    data = avif(tmp_path, patch((170, 120, 120)), "--cicp", codes)
    made = make(data.replace(b"nclx", b"xxxx") if from_bitstream else data)
    wanted = shown(light(patch((170, 120, 120)) / 255), int(codes.split("/")[0]))
    assert measure.difference(measure.pixels(made.outputs[0].data), wanted)[1] < 1
    assert made.notes == ()


@needs_avifenc
@pytest.mark.parametrize("depth", ["8", "10"])
def test_gray_of_limited_range_reaches_from_black_to_white(tmp_path, make, depth):
    ramp = np.tile(np.arange(256, dtype=np.uint8), (32, 1))
    made = make(avif(tmp_path, ramp, "-r", "limited", "-y", "400", "-d", depth))
    got = np.asarray(Image.open(io.BytesIO(made.outputs[0].data)).convert("L"), int)
    assert np.abs(got[16] - ramp[16]).max() <= 3


def test_the_codes_are_those_of_the_primary_image_and_not_of_a_thumbnail(make):
    pillow_heif = pytest.importorskip("pillow_heif")
    picture = Image.fromarray(patch())
    file = pillow_heif.from_pillow(Image.new("RGB", (64, 64), "green"))
    file.add_from_pillow(picture)
    data = io.BytesIO()
    file.save(data, quality=-1, primary_index=1, color_primaries=12, transfer_characteristics=13, matrix_coefficients=6)
    assert primary.read_primary(data.getvalue()).codes == (12, 13, 6)
    assert np.abs(pixel(make(data.getvalue())) - (218, 24, 40)).max() <= 3


@pytest.mark.parametrize("profile", [GRAY_18, WRONG_INTENT], ids=["whole", "wrong intent"])
def test_a_gray_profile_counts_in_a_png_as_in_a_jpeg(make, profile):
    in_png, in_jpeg = make(png(gray(), iCCP=iccp(profile))), make(jpeg(gray(), icc_profile=profile))
    assert pixel(in_png) == pixel(in_jpeg) == 146
    assert in_png.notes == in_jpeg.notes == ()


@pytest.mark.parametrize(
    ("chunks", "note"),
    [
        ({"iCCP": iccp(GRAY_18)}, "profile-ignored"),
        ({"iCCP": b"profile\0\0junk"}, "profile-ignored"),
        ({"cICP": bytes([77, 13, 0, 1])}, "colour-ignored"),
        ({"cHRM": bytes(32)}, "colour-ignored"),
        ({"cHRM": bytes(3)}, "colour-ignored"),
        *[({"gAMA": struct.pack(">I", value)}, "colour-ignored") for value in (0, 1, 2**31 - 1, 2**32 - 1)],
    ],
)
def test_what_has_no_meaning_is_ignored_and_noted(make, chunks, note):
    made = make(png(patch(), **chunks))
    assert made.notes == (note,)
    assert pixel(made).tolist() == list(PATCH)


def test_codes_come_before_a_profile_in_a_png_and_a_contradiction_is_noted(make):
    codes = bytes([12, 13, 0, 1])
    same = make(png(patch(), cICP=codes, iCCP=iccp(P3)))
    other = make(png(patch(), cICP=codes, iCCP=iccp(rgb_profile(PRIMARIES[9], SRGB_CURVE))))
    assert pixel(same).tolist() == pixel(other).tolist() == [218, 24, 40]
    assert (same.notes, other.notes) == ((), ("profile-ignored",))


@pytest.mark.parametrize("engine", ["auto", "vips"])
@pytest.mark.parametrize(("index", "notes"), [("R03", ("adobe-rgb-by-exif",)), ("R98", ())])
def test_a_camera_states_adobe_rgb_in_exif(make, measure, engine, index, notes):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA001] = 65535
    exif.get_ifd(0x8769)[0xA005] = {1: index}
    colour = (170, 120, 120)
    made = make(jpeg(patch(colour), exif=exif), engine=engine, steps=["resize:width=16"])
    wanted = shown((patch(colour) / 255) ** (563 / 256), "adobe") if notes else patch(colour)
    assert measure.difference(measure.pixels(made.outputs[0].data)[:16, :16], wanted[:16, :16])[1] < 1
    assert made.notes == notes


def test_exif_behind_the_pixels_of_a_png_turns_it_and_says_whose_it_is(make):
    exif = Image.Exif()
    exif[0x112], exif[0x8298] = 6, "the owner"
    made = make(png(np.zeros((10, 20), np.uint8), behind=chunk("eXIf", exif.tobytes()[6:])))
    kept = Image.open(io.BytesIO(made.outputs[0].data))
    assert kept.size == (10, 20)
    assert kept.getexif()[0x8298].strip() == "the owner"


@pytest.mark.parametrize("output", ["jxl", "gif", "bmp", "webp", "avif", "png", {"format": "png", "palette": True}, "tiff", "jpeg"])
@pytest.mark.parametrize("data", [png(patch(), iCCP=iccp(P3)), png(gray(), iCCP=iccp(GRAY_18))], ids=["P3", "gray"])
def test_a_profile_is_kept_where_the_format_can_carry_it_and_else_the_pixels_become_srgb(make, measure, data, output):
    if output == "jxl":
        pytest.importorskip("pillow_jxl")
    made = make(data, output=output, color="keep")
    kept = Image.open(io.BytesIO(made.outputs[0].data)).info.get("icc_profile", b"")
    is_carried = kept in (P3, GRAY_18)
    assert made.notes == (() if is_carried else ("converted-to-srgb",))
    assert measure.difference(measure.reference(made.outputs[0].data), measure.reference(data))[0] < 1.5


@pytest.mark.parametrize("mode", ["grey16", "rgb16"])
def test_sixteen_bits_are_rounded_to_the_nearest_of_eight(make, mode):
    import pyvips  # noqa: PLC0415  # Pillow has no colours of 16 bits

    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    array = values if mode == "grey16" else np.repeat(values[..., None], 3, axis=2)
    made = make(pyvips.Image.new_from_array(array).copy(interpretation=mode).pngsave_buffer())
    got = np.asarray(Image.open(io.BytesIO(made.outputs[0].data)), float)
    assert np.abs(got - array / 257).max() <= 0.5


@pytest.mark.parametrize("recipe", [{}, {"color": "keep"}, {"depth": "keep"}], ids=str)
@pytest.mark.parametrize("colour", ["RGB", "RGBA", "L"])
@pytest.mark.parametrize("lossless", [False, True])
def test_an_avif_states_its_colours_in_a_box(make, recipe, colour, lossless):
    picture = Image.fromarray(np.random.default_rng(3).integers(0, 255, (40, 56, 4), dtype=np.uint8), "RGBA").convert(colour)
    exif = Image.Exif()
    exif[0x8298] = "the owner"
    file = io.BytesIO()
    picture.save(file, "PNG", exif=exif, icc_profile=None if colour == "L" else P3)
    made = make(file.getvalue(), output={"format": "avif", "lossless": lossless}, **recipe).outputs[0].data
    assert made.count(b"colrnclx") == 1
    stated = primary.read_primary(made)
    assert (stated.codes[:2], stated.full_range) == ((1, 13), True)
    assert stated == primary.read_primary(made.replace(b"nclx", b"xxxx"))  # as the bitstream says
    for decoded in (Image.open(io.BytesIO(made)), Image.open(io.BytesIO(make(made).outputs[0].data))):
        decoded.load()
        assert decoded.size == picture.size
    kept = Image.open(io.BytesIO(made))
    assert kept.getexif()[0x8298].strip() == "the owner"
    assert bool(kept.info.get("icc_profile")) == ("color" in recipe and colour != "L")


@pytest.mark.skipif(not shutil.which("cjxl"), reason="cjxl is not installed")
@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("depth", ["8", "keep"])
def test_bits_that_a_decoder_drops_are_noted_where_they_were_to_be_kept(tmp_path, make, deep, depth):
    pytest.importorskip("pillow_jxl")
    pixels = patch().astype(np.uint16) * 257 if deep else patch()
    (tmp_path / "a.png").write_bytes(png(pixels))
    for options in ([], ["--container=1"]):
        subprocess.run(["cjxl", "-d", "0", *options, tmp_path / "a.png", tmp_path / "a.jxl"], check=True, capture_output=True)
        made = make((tmp_path / "a.jxl").read_bytes(), depth=depth)
        assert made.notes == (("depth-reduced",) if deep and depth == "keep" else ())
        assert pixel(made).tolist() == list(PATCH)
