"""Colours come out as a colour-managed viewer shows the source, measured against an independent decode."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from pixmill.imaging.colour.icc_write import rgb_profile

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


# Red, green, blue and white as CIE xy, then the exponent that encodes: Adobe RGB (1998), 4.3; SMPTE EG 432-1; ITU-R BT.2020-2.
ADOBE = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06), (0.3127, 0.3290))
P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.3127, 0.3290))
BT2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), (0.3127, 0.3290))
SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), (0.3127, 0.3290))


def to_xyz(space):
    """The matrix from linear light to CIE XYZ, by the definition of primaries: white is one of each."""
    primaries = np.array([[x / y, 1, (1 - x - y) / y] for x, y in space]).T
    return primaries[:, :3] * np.linalg.solve(primaries[:, :3], primaries[:, 3])


def shown(light, space):
    """Linear light of ``space`` as sRGB bytes. All white points are D65, so nothing is adapted."""
    linear = np.clip(light @ (np.linalg.inv(to_xyz(SRGB)) @ to_xyz(space)).T, 0, 1)
    return (np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055) * 255).round().astype(np.uint8)


def colours():
    """Colours of low saturation, which every one of the spaces can show, as bytes: a block of pixels each."""
    return np.random.default_rng(1).integers(90, 170, (12, 12, 3), dtype=np.uint8).repeat(4, 0).repeat(4, 1)


def png(array, **chunks):
    """A PNG with these chunks before its pixels."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    parts = b"".join(
        struct.pack(">I", len(body)) + name.encode() + body + struct.pack(">I", zlib.crc32(name.encode() + body))
        for name, body in chunks.items()
    )
    data = file.getvalue()
    return data[:33] + parts + data[33:]


def decoded_by_srgb(values):
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize(("primaries", "space"), [(12, P3), (9, BT2020), (1, SRGB)])
def test_the_codes_of_a_png_are_honoured(measure, make, primaries, space):
    made = measure.pixels(make(png(colours(), cICP=bytes([primaries, 13, 0, 1]))).outputs[0].data)
    mean, worst = measure.difference(made, shown(decoded_by_srgb(colours() / 255), space))
    assert mean < 0.5, worst


@pytest.mark.parametrize("profile", ["numbers", "icc"])
def test_adobe_rgb_is_honoured(measure, make, profile):
    if profile == "icc":
        white, (red, green, blue) = ADOBE[3], ADOBE[:3]
        data = png(colours(), iCCP=b"Adobe RGB\0\0" + zlib.compress(rgb_profile((white, red, green, blue), 563 / 256)))
    else:
        points = [value for point in (ADOBE[3], *ADOBE[:3]) for value in point]
        data = png(
            colours(), cHRM=struct.pack(">8I", *(round(100_000 * value) for value in points)), gAMA=struct.pack(">I", 45_470)
        )
    made = measure.pixels(make(data).outputs[0].data)
    mean, worst = measure.difference(made, shown((colours() / 255) ** (563 / 256), ADOBE))
    assert mean < 0.5, worst
