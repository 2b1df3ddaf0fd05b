"""``lossless``: smaller files with the same pixels, colours and orientation, as other decoders see them."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from pixmill.core.errors import RecipeError, UnsupportedError
from pixmill.imaging.image import Image as Picture
from pixmill.imaging.input import Input
from pixmill.imaging.pipeline.lossless import are_equal
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe
from support import colour_oracle

ORIENTATION, COLOR_SPACE, ARTIST, CAMERA = 0x0112, 0xA001, 0x013B, 0x0110


def stored(picture, container="PNG", **settings):
    file = io.BytesIO()
    picture.save(file, container, **settings)
    return file.getvalue()


def smaller(data, **recipe):
    result = process(Input(data), Recipe.from_builtins({"lossless": True, **recipe}))
    return result.outputs[0].data, result.notes


def frames(data):
    """Return the pixels of every frame as Pillow decodes them, which pixmill does not use here."""
    picture = Image.open(io.BytesIO(data))
    shots = []
    for index in range(getattr(picture, "n_frames", 1)):
        picture.seek(index)
        shots.append(np.asarray(picture.convert("RGBA") if picture.mode != "I;16" else picture))
    return shots


def assert_same_pixels(one, other):
    assert all(np.array_equal(first, second) for first, second in zip(frames(one), frames(other), strict=True))


@pytest.fixture(scope="module")
def photograph():
    noise = np.random.default_rng(3).normal(0, 12, (120, 160, 3))
    y, x = np.mgrid[0:120, 0:160]
    return Image.fromarray((np.stack([x * 1.5, y * 2, (x + y) / 2], axis=-1) + noise).clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def drawing():
    picture = Image.new("RGBA", (160, 120), (0, 0, 0, 0))
    picture.paste((255, 80, 0, 255), (20, 20, 90, 90))
    picture.paste((0, 80, 255, 128), (60, 40, 150, 110))
    return picture


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("settings", [{}, {"progressive": True}, {"subsampling": 0}, {"quality": 20}])
def test_a_jpeg_keeps_every_pixel(photograph, mode, settings):
    data = stored(photograph.convert(mode), "JPEG", **settings)
    output, notes = smaller(data)
    assert len(output) <= len(data)
    assert_same_pixels(data, output)
    assert notes in ((), ("copied",))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_without_optimised_tables_becomes_smaller(photograph, mode):
    data = stored(photograph.convert(mode), "JPEG")
    output, notes = smaller(data)
    assert len(output) < len(data) * 0.97
    assert notes == ()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_a_png_keeps_every_pixel_and_becomes_smaller(drawing, mode):
    data = stored(drawing.convert(mode), compress_level=1)
    output, _ = smaller(data)
    assert len(output) < len(data)
    assert_same_pixels(data, output)


def test_a_png_of_16_bits_keeps_them_where_they_say_something(photograph):
    deep = Image.fromarray(np.asarray(photograph.convert("L")).astype(np.uint16) * 200 + 7)
    data = stored(deep, compress_level=1)
    output, _ = smaller(data)
    assert len(output) < len(data)
    assert_same_pixels(data, output)


def test_an_animated_png_keeps_its_frames(drawing):
    others = [drawing.rotate(angle) for angle in (90, 180)]
    data = stored(drawing, save_all=True, append_images=others, duration=[50, 60, 70], compress_level=1)
    output, _ = smaller(data)
    assert len(output) <= len(data)
    assert_same_pixels(data, output)


def test_a_lossless_webp_keeps_even_the_colours_of_what_is_transparent(drawing):
    array = np.array(drawing)
    array[array[..., 3] == 0] = (12, 200, 7, 0)
    data = stored(Image.fromarray(array), "WEBP", lossless=True, exact=True, method=0, quality=0)
    output, _ = smaller(data, renditions=[{"encode": "keep:effort=best"}])
    assert len(output) < len(data)
    assert_same_pixels(data, output)


@pytest.mark.parametrize("container", ["GIF", "WEBP"])
def test_what_cannot_become_smaller_is_copied_with_a_note(drawing, container):
    data = stored(drawing, container)
    output, notes = smaller(data)
    assert notes == ("copied",)
    assert_same_pixels(data, output)


@pytest.mark.parametrize("policy", ["strip", "copyright", "keep", "no-gps"])
@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP"])
def test_the_orientation_stays_a_tag_and_the_policy_decides_about_the_rest(photograph, container, policy):
    exif = Image.Exif()
    exif[ORIENTATION], exif[ARTIST], exif[CAMERA] = 6, "Ada", "A camera"
    data = stored(photograph, container, exif=exif, **({"lossless": True} if container == "WEBP" else {}))
    output, notes = smaller(data, metadata=policy)
    kept = Image.open(io.BytesIO(output)).getexif()
    assert kept.get(ORIENTATION) == 6
    assert kept.get(ARTIST) == (None if policy == "strip" else "Ada")
    assert kept.get(CAMERA) == (None if policy in ("strip", "copyright") else "A camera")
    assert "larger-than-source" not in notes
    assert_same_pixels(data, output)


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP"])
def test_the_profile_stays(photograph, container):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = stored(photograph, container, icc_profile=profile, **({"lossless": True} if container == "WEBP" else {}))
    output, _ = smaller(data, metadata="strip")
    assert Image.open(io.BytesIO(output)).info["icc_profile"] == profile


@pytest.mark.parametrize("policy", ["strip", "copyright", "keep"])
def test_adobe_rgb_that_only_exif_states_is_still_stated(photograph, policy):
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({COLOR_SPACE: 0xFFFF, 0xA005: {1: "R03"}})
    data = stored(photograph, "JPEG", exif=exif)
    output, _ = smaller(data, metadata=policy)
    plain = {"steps": (), "metadata": "strip"}
    before, after = (process(Input(each), Recipe(**plain)) for each in (data, output))
    assert "adobe-rgb-by-exif" in before.notes
    assert "adobe-rgb-by-exif" in after.notes
    assert np.array_equal(colour_oracle.pixels(before.outputs[0].data), colour_oracle.pixels(after.outputs[0].data))


def test_metadata_that_take_more_bytes_than_before_are_noted():
    """One pixel, and an orientation that only XMP states, which becomes EXIF."""
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><r:Description'
    packet += b' xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></r:RDF></x:xmpmeta>'
    data = stored(Image.new("RGB", (8, 8), "red"), "JPEG", optimize=True, progressive=True, xmp=packet)
    output, notes = smaller(data, metadata="strip")
    assert Image.open(io.BytesIO(output)).getexif()[ORIENTATION] == 6
    assert ("larger-than-source" in notes) == (len(output) > len(data))


@pytest.mark.parametrize("name", ["good/imgproxy/test1.arith.jpg", "good/libjpeg-turbo/testimgari.jpg"])
def test_a_jpeg_that_the_optimiser_does_not_read_is_copied(corpus, name):
    assert "copied" in smaller(corpus(name))[1]


def test_a_file_whose_metadata_cannot_be_taken_out_is_copied_only_if_all_are_kept(photograph):
    data = stored(photograph, "TIFF")
    assert smaller(data, metadata="keep") == (data, ("copied",))
    with pytest.raises(UnsupportedError, match="cannot be made smaller without loss"):
        smaller(data)


@pytest.mark.parametrize(("bits", "mode"), [(8, "L"), (8, "RGB"), (8, "RGBA"), (16, "L")])
def test_one_changed_value_is_noticed_and_unneeded_bits_and_bands_are_not(bits, mode):
    gray = np.asarray(Image.linear_gradient("L"))
    plain = np.asarray(Image.fromarray(gray).convert(mode)) if bits == 8 else gray.astype(np.uint16) * 257
    changed = plain.copy()
    changed.flat[-1] ^= 1
    same, other, first = (Picture.from_numpy(array).pixels for array in (plain, changed, gray))
    assert are_equal(same, first)
    assert are_equal(first, same)
    assert not are_equal(other, first)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"steps": [{"operation": "resize", "width": 10}]}, "resize:width=10 changes pixels"),
        ({"renditions": [{"steps": [{"operation": "blur"}], "encode": "keep"}]}, "blur changes pixels"),
        ({"renditions": [{"encode": "webp"}]}, "the format of its source, received webp"),
        ({"renditions": [{"encode": "keep"}, {"name": "b", "encode": "keep"}]}, "received keep, keep"),
        ({"renditions": [{"encode": "keep:quality=80"}]}, "received quality 80"),
        ({"animated": "first"}, "received animated first"),
    ],
)
def test_what_changes_pixels_is_refused(recipe, message):
    with pytest.raises(RecipeError, match=message):
        Recipe.from_builtins({"lossless": True, **recipe})


def test_a_recipe_that_does_not_ask_for_it_keeps_its_fingerprint():
    assert Recipe().fingerprint() == Recipe(lossless=False).fingerprint() != Recipe(lossless=True).fingerprint()


@pytest.mark.parametrize("name", ["webp", "jxl"])
def test_auto_is_lossless_for_drawings_and_lossy_for_photographs(make, photograph, drawing, name):
    pytest.importorskip("pillow_jxl")

    def made(data, lossless):
        return make(data, output={"format": name, "lossless": lossless}).outputs[0].data

    flat = stored(drawing.convert("RGB"))
    assert_same_pixels(flat, made(flat, "auto"))
    for data in (stored(photograph), stored(photograph, "JPEG"), stored(drawing.convert("RGB"), "JPEG")):
        assert made(data, "auto") == made(data, lossless=False)
