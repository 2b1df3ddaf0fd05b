"""Colours come out as a colour-managed viewer shows the source, measured against an independent decode."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from pixmill.imaging.colour.icc_write import rgb_profile
from support.colour_files import SPACES, iccp, png, shown, srgb_light

ICC = "good/png-icc-tests/support/"


def test_the_measure_agrees_with_the_published_pairs(measure):
    pairs = [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ]
    for first, second, wanted in pairs:
        assert float(measure.ciede2000(np.array(first), np.array(second))) == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize(
    "name",
    [
        ICC + "macbeth-sRGB-rgswap.png",
        ICC + "macbeth-v2-ProPhoto.png",
        ICC + "macbeth-v4-ProPhoto.png",
        ICC + "macbeth-v40-DisplayP3.png",
        ICC + "swap-index.png",
        ICC + "macbeth-indexed-sRGB.png",
        "good/sharp/p3.png",
        "good/sharp/prophoto.png",
        "good/thumbor/cmyk-icc.jpg",
        "good/sharp/Channel_digital_image_CMYK_color.jpg",
        "good/sharp/gain-map.jpg",
    ],
)
def test_an_embedded_profile_is_honoured(measure, corpus, make, name):
    data = corpus(name)
    mean, worst = measure.difference(measure.pixels(make(data).outputs[0].data), measure.reference(data))
    assert mean < 0.7, worst


def test_a_profile_that_swaps_channels_changes_the_picture(measure, corpus, make):
    data = corpus(ICC + "macbeth-sRGB-rgswap.png")
    mean, _ = measure.difference(
        measure.pixels(make(data).outputs[0].data), np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    )
    assert mean > 10


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("good/libavif/ArcTriomphe-cHRM-red-green-swap.png", "good/libavif/ArcTriomphe-cHRM-red-green-swap-reference.png"),
        ("good/libavif/kodim03_grayscale_gamma1.6.png", "good/libavif/kodim03_grayscale_gamma1.6-reference.png"),
        ("good/libavif/ffffcc-gamma1.6.png", "good/libavif/ffffcc-srgb.png"),
        ("good/libavif/ffffcc-gamma2.2.png", "good/libavif/ffffcc-srgb.png"),
    ],
)
def test_primaries_and_gamma_of_a_png_are_honoured(measure, corpus, make, name, wanted):
    mean, _ = measure.difference(measure.pixels(make(corpus(name)).outputs[0].data), measure.reference(corpus(wanted)))
    assert mean < 1.2


@pytest.mark.parametrize(
    "name",
    [
        "good/sharp/Channel_digital_image_CMYK_color_no_profile.jpg",
        "good/thumbor/integration_tests/imgs/cmyk.jpg",
        "good/twelvemonkeys/imageio-jpeg/src/test/resources/jpeg/cmyk-sample-no-icc.jpg",
    ],
)
def test_cmyk_without_a_profile_is_not_inverted(measure, corpus, make, name):
    data = corpus(name)
    got = measure.pixels(make(data).outputs[0].data).astype(float)
    naive = measure.reference(data).astype(float)
    assert np.abs(got - naive).mean() < np.abs(255 - got - naive).mean() / 2


def test_a_broken_profile_is_ignored_and_noted(measure, make):
    file = io.BytesIO()
    Image.new("RGB", (30, 20), (200, 100, 50)).save(file, "TIFF", icc_profile=b"this is no profile" * 20)
    result = make(file.getvalue())
    assert result.notes == ("profile-ignored",)
    assert measure.pixels(result.outputs[0].data)[0, 0].tolist() == [200, 100, 50]


@pytest.mark.parametrize("name", ["basn0g16", "basi2c16", "basn4a16", "basi4a16", "basi6a16"])
def test_sixteen_bits_are_scaled(measure, corpus, make, name):
    data = corpus(f"good/image-png/pngsuite/{name}.png")
    result = make(data, steps=[{"operation": "flatten"}])
    mean, _ = measure.difference(measure.pixels(result.outputs[0].data), measure.reference(data))
    assert mean < 1


def test_sixteen_bits_are_kept_where_asked_and_possible(measure, corpus, make):
    data = corpus("good/image-png/pngsuite/basi2c16.png")
    kept = Image.open(io.BytesIO(make(data, output="tiff", depth="keep").outputs[0].data))
    assert kept.tag_v2[258] == (16, 16, 16)
    assert measure.pixels(make(data, output="jpeg", depth="keep").outputs[0].data).dtype == np.uint8


def test_a_profile_is_kept_where_asked(measure, corpus, make):
    data = corpus("good/sharp/p3.png")
    kept = Image.open(io.BytesIO(make(data, color="keep").outputs[0].data))
    assert kept.info["icc_profile"]
    mean, _ = measure.difference(measure.reference(make(data, color="keep").outputs[0].data), measure.reference(data))
    assert mean < 0.2


def colours():
    """Colours of low saturation, which every one of the spaces can show, as bytes: a block of pixels each."""
    return np.random.default_rng(1).integers(90, 170, (12, 12, 3), dtype=np.uint8).repeat(4, 0).repeat(4, 1)


@pytest.mark.parametrize("primaries", [12, 9, 1])
def test_the_codes_of_a_png_are_honoured(measure, make, primaries):
    made = measure.pixels(make(png(colours(), cICP=bytes([primaries, 13, 0, 1]))).outputs[0].data)
    mean, worst = measure.difference(made, shown(srgb_light(colours() / 255), primaries))
    assert mean < 0.5, worst


@pytest.mark.parametrize("profile", ["numbers", "icc"])
def test_adobe_rgb_is_honoured(measure, make, profile):
    if profile == "icc":
        red, green, blue, white = SPACES["adobe"]
        data = png(colours(), iCCP=iccp(rgb_profile((white, red, green, blue), 563 / 256)))
    else:
        points = [value for point in (SPACES["adobe"][3], *SPACES["adobe"][:3]) for value in point]
        data = png(
            colours(), cHRM=struct.pack(">8I", *(round(100_000 * value) for value in points)), gAMA=struct.pack(">I", 45_470)
        )
    made = measure.pixels(make(data).outputs[0].data)
    mean, worst = measure.difference(made, shown((colours() / 255) ** (563 / 256), "adobe"))
    assert mean < 0.5, worst
