"""Difficult inputs that no other module covers, and the table in the docs that maps inputs to tests."""

import importlib.util
import io
import re
import tomllib
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from pixmill.imaging.input import Input
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe

ROOT = Path(__file__).parents[2]
ROWS = tomllib.loads((ROOT / "docs" / "inputs.toml").read_text("utf-8"))["inputs"]


def stored(picture, container="JPEG", **settings):
    file = io.BytesIO()
    picture.save(file, container, **settings)
    return file.getvalue()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["input"])
def test_each_row_of_the_table_names_tests_that_exist(row):
    assert row["tests"]
    for path, name in (test.split("::") for test in row["tests"]):
        assert re.search(rf"^def {name}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE), f"{path} has no {name}"


def test_the_page_is_current():
    spec = importlib.util.spec_from_file_location("inputs", ROOT / "docs" / "inputs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.page() == (ROOT / "docs" / "inputs.md").read_text("utf-8"), "run: python docs/inputs.py"


def test_the_turn_of_a_heic_is_applied_once(measure):
    pytest.importorskip("pillow_heif").register_heif_opener()
    picture = Image.new("RGB", (64, 96), "white")
    picture.paste("red", (0, 0, 64, 32))
    exif = Image.Exif()
    exif[0x112] = 6
    data = stored(picture, "HEIF", exif=exif.tobytes(), quality=95)
    array = measure.pixels(process(Input(data), Recipe()).outputs[0].data)
    assert array.shape == (64, 96, 3)
    assert array[32, 90, 1] < 60
    assert array[32, 6, 1] > 200


@pytest.mark.parametrize("name", ["apple_gainmap_new.jpg", "apple_gainmap_old.jpg", "seine_sdr_gainmap_srgb.jpg"])
def test_the_primary_picture_of_a_jpeg_with_a_gain_map_is_taken(measure, corpus, make, name):
    data = corpus("good/libavif/" + name)
    assert measure.difference(measure.pixels(make(data).outputs[0].data), measure.reference(data))[0] < 1


def test_the_first_picture_of_an_mpo_is_taken(measure):
    red, blue = (Image.new("RGB", (40, 30), colour) for colour in ("red", "blue"))
    result = process(Input(stored(red, "MPO", save_all=True, append_images=[blue])), Recipe())
    assert result.header.format.name == "jpeg"
    assert measure.pixels(result.outputs[0].data)[15, 20, 0] > 250


@pytest.mark.parametrize(
    "profile",
    [
        b"no profile at all" * 40,
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()[:200],
    ],
    ids=["rubbish", "of RGB", "cut off"],
)
def test_a_profile_that_cannot_be_meant_is_ignored_and_noted(measure, profile):
    picture = Image.new("CMYK", (32, 32), (0, 255, 255, 0))
    noted = process(Input(stored(picture, icc_profile=profile)), Recipe())
    plain = process(Input(stored(picture)), Recipe())
    assert noted.notes == ("profile-ignored",)
    got, wanted = (measure.pixels(result.outputs[0].data) for result in (noted, plain))
    assert measure.difference(got, wanted)[0] == 0
    assert got[16, 16, 0] > 150 > got[16, 16, 1]


def test_a_profile_in_several_pieces_is_put_together(measure, corpus):
    profile = Image.open(io.BytesIO(corpus("good/thumbor/cmyk-icc.jpg"))).info["icc_profile"]
    assert len(profile) > 2 * 65_519
    data = stored(Image.new("CMYK", (32, 32), (200, 40, 40, 20)), icc_profile=profile, quality=100)
    result = process(Input(data), Recipe())
    assert result.notes == ()
    assert measure.difference(measure.pixels(result.outputs[0].data), measure.reference(data))[0] < 1.5


def test_a_profile_counts_for_a_palette_too(measure, corpus, make):
    data = corpus("good/png-icc-tests/support/macbeth-sRGB-rgswap.png")
    swapped = Image.open(io.BytesIO(data))
    palette = stored(swapped.quantize(64), "PNG", icc_profile=swapped.info["icc_profile"])
    got, wanted = (measure.pixels(make(picture).outputs[0].data) for picture in (palette, data))
    assert measure.difference(got, wanted)[0] < 1.5
