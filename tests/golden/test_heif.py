"""HEIF as telephones write it, read by the decoder of the plain install and by that of the extra, which writes them."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from pixmill.core.errors import ImageError, LimitError
from pixmill.imaging.backends import heif_load
from pixmill.imaging.colour.icc_write import rgb_profile
from pixmill.imaging.colour.spaces import PRIMARIES, SRGB_CURVE
from pixmill.imaging.formats import sniff
from pixmill.imaging.input import Input
from pixmill.imaging.parsers.heif import primary
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
pillow_heif = pytest.importorskip("pillow_heif")
PICTURES = sorted(
    path.relative_to(CORPUS).as_posix() for path in CORPUS.glob("good/**/*.[hH][eE][iI]*") if sniff(path.read_bytes()[:4096])
)
HOSTILE = sorted(path.relative_to(CORPUS).as_posix() for path in CORPUS.glob("bad/**/*.[hH][eE][iI]*"))


@pytest.fixture(autouse=True, params=heif_load.LIBRARIES)
def library(request, monkeypatch):
    """Read with the build of the plain install, and with that of the extra."""
    monkeypatch.setattr(heif_load, "LIBRARIES", (request.param,))


@pytest.fixture
def corner():
    """A picture that shows how it is turned: red at the top left, blue at the bottom right."""
    picture = Image.new("RGB", (96, 64), "white")
    picture.paste("red", (0, 0, 32, 32))
    picture.paste("blue", (64, 32, 96, 64))
    return picture


def stored(picture, **settings):
    pillow_heif.register_heif_opener()
    file = io.BytesIO()
    picture.save(file, "HEIF", **{"quality": 95, "chroma": 444, **settings})
    return file.getvalue()


def output(made):
    return Image.open(io.BytesIO(made.outputs[0].data))


@pytest.mark.parametrize("name", PICTURES)
def test_the_pixels_are_those_of_another_build_of_the_library(corpus, make, name):
    wanted = np.asarray(pillow_heif.open_heif(io.BytesIO(corpus(name)), convert_hdr_to_8bit=False))
    wanted = (wanted >> 8 if wanted.dtype == np.uint16 else wanted).astype(int)
    got = np.asarray(output(make(corpus(name), color="keep")), int)  # the other build converts no colours
    assert got.shape == wanted.shape
    assert np.abs(got - wanted).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_orientation_is_applied_once(make, corner, orientation):
    exif = Image.Exif()
    exif[0x112] = orientation
    exif[0x10E] = "a corner"
    corner.info["exif"] = exif.tobytes()
    got = output(make(stored(corner, exif=exif.tobytes()), metadata="keep"))
    corner.getexif()[0x112] = orientation
    wanted = ImageOps.exif_transpose(corner)
    assert got.size == wanted.size
    assert np.abs(np.asarray(got.convert("RGB"), int) - np.asarray(wanted, int)).mean() < 3
    assert got.getexif().get(0x112, 1) == 1
    assert got.getexif()[0x10E] == "a corner"


def test_ten_bits_keep_their_depth_and_white_stays_white(make):
    ramp = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    file = io.BytesIO()
    pillow_heif.encode("RGB;16", (64, 64), np.repeat(ramp[..., None], 3, axis=2).tobytes(), file, quality=-1, chroma=444)
    made = make(file.getvalue(), depth="keep")
    assert made.header.depth == 16
    pixels = process(Input(made.outputs[0].data), Recipe()).header
    assert pixels.depth == 16
    import pyvips  # noqa: PLC0415  # Pillow reads 16-bit colours as 8

    kept = pyvips.Image.new_from_buffer(made.outputs[0].data, "").numpy()[..., 1].astype(int)
    assert kept.max() == 65535
    assert kept.min() == 0
    assert np.abs(kept - ramp).max() < 200  # three steps of 10 bits
    assert len(np.unique(kept)) > 900


@pytest.mark.parametrize("mode", ["RGBA", "RGBa", "LA"])
def test_transparency_is_kept_premultiplied_or_not(make, mode):
    picture = Image.new("RGBA", (64, 64), (200, 100, 50, 255))
    picture.paste((200, 100, 50, 128), (0, 0, 64, 32))
    stored_as = picture.convert("RGBA").convert(mode)
    file = io.BytesIO()
    pillow_heif.encode(mode, (64, 64), stored_as.tobytes(), file, quality=-1, chroma=444)
    got = np.asarray(output(make(file.getvalue())).convert("RGBA"), int)
    wanted = np.asarray(picture.convert("LA" if mode == "LA" else "RGBA").convert("RGBA"), int)
    assert np.abs(got - wanted).max() <= 4


@pytest.mark.parametrize("mode", ["L", "LA"])
@pytest.mark.parametrize("is_full", [True, False])
def test_gray_of_limited_range_reaches_from_black_to_white(make, mode, is_full):
    values = np.tile(np.arange(256, dtype=np.uint8), (64, 1))
    stored_values = np.dstack([values, np.full_like(values, 200)]) if mode == "LA" else values
    file = io.BytesIO()
    pillow_heif.encode(mode, (256, 64), stored_values.tobytes(), file, quality=-1, full_range_flag=int(is_full))
    wanted = values if is_full else ((values.astype(float) - 16) * 255 / 219).clip(0, 255)
    got = np.asarray(output(make(file.getvalue())).convert("LA"), int)
    assert np.abs(got[..., 0] - wanted).max() <= 2
    assert np.abs(got[..., 1] - (200 if mode == "LA" else 255)).max() <= 1


def test_colours_are_those_of_the_profile_or_of_the_codes_in_its_place(measure, make):
    picture = Image.new("RGB", (64, 64), (40, 220, 60))
    plain, codes = stored(picture), stored(picture, color_primaries=12, transfer_characteristics=13, matrix_coefficients=6)
    profile = stored(picture, icc_profile=rgb_profile(PRIMARIES[12], SRGB_CURVE), save_nclx_profile=False)
    as_srgb, as_codes, as_profile = (
        measure.pixels(make(data).outputs[0].data)[32, 32].astype(int) for data in (plain, codes, profile)
    )
    assert np.abs(as_codes - as_profile).max() <= 1
    assert np.abs(as_codes - as_srgb).max() > 20


@pytest.mark.parametrize("codes", [(12, 13, 6), (9, 13, 9), (1, 13, 1), (9, 16, 9)], ids=str)
@pytest.mark.parametrize("settings", [{}, {"chroma": 420, "quality": 40}], ids=["4:4:4", "4:2:0"])
def test_without_the_box_the_codes_are_those_of_the_bitstream(make, codes, settings):
    primaries, transfer, matrix = codes
    picture = Image.new("RGB", (64, 64), (170, 120, 110))
    stated = {"color_primaries": primaries, "transfer_characteristics": transfer, "matrix_coefficients": matrix, **settings}
    data = stored(picture, **stated)
    bare = data.replace(b"colrnclx", b"freenclx")
    assert primary.read_primary(bare).codes == codes
    with_box, without = (make(each) for each in (data, bare))
    assert with_box.notes == without.notes == (("hdr-tone-mapped",) if transfer == 16 else ())
    assert np.abs(np.asarray(output(with_box), int) - np.asarray(output(without), int)).max() <= 1


XMP = (
    b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description"
    b" rdf:about='' xmlns:p='http://ns.adobe.com/photoshop/1.0/' p:Headline='a title'/></rdf:RDF></x:xmpmeta>"
)


def test_metadata_are_kept_without_the_place_if_so_wished(make, corner):
    exif = Image.Exif()
    exif[0x8298] = "(c) somebody"
    exif.get_ifd(0x8825)[1] = "N"
    data = stored(corner, exif=exif.tobytes(), xmp=XMP)
    kept, without = (output(make(data, metadata=policy)) for policy in ("keep", "no-gps"))
    assert kept.getexif().get_ifd(0x8825)
    assert "a title" in kept.info["XML:com.adobe.xmp"]
    assert not without.getexif().get_ifd(0x8825)
    assert without.getexif()[0x8298] == "(c) somebody"
    assert output(make(data)).getexif()[0x8298] == "(c) somebody"


def test_the_primary_image_is_taken_and_the_others_are_noted(make, corner):
    file = pillow_heif.from_pillow(Image.new("RGB", (64, 64), "green"))
    file.add_from_pillow(corner)
    data = io.BytesIO()
    file.save(data, quality=95, primary_index=1)
    made = make(data.getvalue())
    assert output(made).size == (96, 64)
    assert made.notes == ("pages-dropped",)


def test_the_limit_of_pixels_is_checked_before_anything_is_decoded(corner):
    with pytest.raises(LimitError, match="6,144 pixels") as caught:
        process(Input(stored(corner)), Recipe.from_builtins({"limits": {"max_pixels": 6000}}))
    assert caught.value.code == "limit-pixels"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_damaged_file_is_an_error_or_a_picture(corpus, name):
    try:
        result = process(Input(corpus(name)), Recipe())
    except ImageError as error:
        message = error.message
    else:
        message = f"{result.outputs[0].width} pixels wide"
    assert message.isprintable()


def test_the_plain_install_brings_no_encoder():
    info = pytest.importorskip("pi_heif").libheif_info()
    assert info["HEIF"] == ""
    assert set(info["encoders"]) <= {"mask"}
    assert tuple(map(int, info["libheif"].split("."))) >= (1, 23, 4)
