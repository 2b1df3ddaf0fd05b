"""TIFF in its many variants: the right image, or an error that says why there is none."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from pixmill.core.errors import DecodeError, UnsupportedError
from pixmill.imaging.input import Input
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe

TM = "good/twelvemonkeys/imageio-tiff/src/test/resources/"
GD = "good/libgd/tiff/tiff-conformance/valid/"
FLOWER = (96, 96, 69)  # mean of the picture that comes in every depth
GRAY_FLOWER = (93, 93, 93)


def shown(measure, data):
    """Return the pixels of the output of the default recipe, and the notes."""
    result = process(Input(data), Recipe())
    return measure.pixels(result.outputs[0].data), result.notes


def close(array, wanted, *, within):
    return np.abs(array.reshape(-1, 3).mean(0) - wanted).max() <= within


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        *((f"depth/flower-rgb-{plan}-{bits}", FLOWER) for plan in ("contig", "planar") for bits in ("08", "16")),
        ("depth/flower-rgb-contig-32", FLOWER),
        *((f"depth/flower-palette-{bits}", FLOWER) for bits in ("08", "16")),
        *((f"depth/flower-minisblack-{bits}", GRAY_FLOWER) for bits in ("08", "16", "32")),
        ("depth/flower-palette-04", (98, 98, 70)),
        ("depth/flower-minisblack-04", (85, 85, 85)),
    ],
)
def test_every_depth_and_plan_shows_the_same_flower(measure, corpus, name, wanted):
    array, notes = shown(measure, corpus(f"{TM}tiff/{name}.tif"))
    assert array.shape == (43, 73, 3)
    assert close(array, wanted, within=2)
    assert notes == ()


@pytest.mark.parametrize(
    "name",
    [
        TM + "tiff/bali.tif",
        TM + "tiff/galaxy.tif",
        TM + "tiff/f14.tif",
        TM + "tiff/jpeg-lossless-8bit-gray.tif",
        TM + "tiff/pixtiff/17-tiff-binary-ccitt-group3.tif",
        TM + "tiff/pixtiff/36-tiff-8-bit-gray-jpeg.tif",
        TM + "tiff/pixtiff/51-tiff-24-bit-color-jpeg.tif",
        TM + "tiff/ccitt/group3_2d.tif",
        TM + "tiff/ccitt/group4.tif",
        TM + "tiff/lzw-rgba-padded-icc.tif",
        GD + "tiled-jpeg-ycbcr.tif",
        GD + "tiled-gray-i1.tif",
        GD + "strike.tif",
        GD + "oxford.tif",
        "good/libvips/1bit.tif",
        "good/libvips/2bit.tif",
        "good/libvips/4bit.tif",
    ],
)
def test_compressions_and_layouts_show_what_another_decoder_shows(measure, corpus, make, name):
    data = corpus(name)
    got = measure.pixels(make(data, steps=[{"operation": "flatten"}]).outputs[0].data)
    assert measure.difference(got, measure.reference(data))[0] < 1


@pytest.mark.parametrize("plan", ["contig", "planar"])
def test_cmyk_in_sixteen_bits_is_the_picture_in_eight(measure, corpus, plan):
    eight, sixteen = (shown(measure, corpus(f"{TM}tiff/depth/flower-separated-{plan}-{bits}.tif"))[0] for bits in ("08", "16"))
    assert measure.difference(eight, sixteen)[0] < 1.5
    assert close(eight, (76, 69, 66), within=2)


def test_cmyk_with_a_press_profile_is_red(measure, corpus):
    array, notes = shown(measure, corpus("good/sharp/fogra-0-100-100-0.tif"))
    assert close(array, (227, 7, 19), within=3)
    assert notes == ()


def test_cmyk_in_fractions_is_the_picture_in_bytes(measure, corpus):
    array, _ = shown(measure, corpus(GD + "cmyk-3c-32b-float.tiff"))
    assert 60 < array.mean() < 200
    assert array[..., 0].mean() > array[..., 2].mean()


def test_lab_has_the_colours_of_its_scene(measure, corpus):
    array, _ = shown(measure, corpus("good/sharp/cielab-dagams.tiff"))
    assert close(array, (91, 113, 65), within=5)


@pytest.mark.parametrize("name", ["gradient-1c-32b-float.tiff", "predictor-3-gray-f32.tif"])
def test_gray_fractions_reach_from_black_to_white(measure, corpus, name):
    array, _ = shown(measure, corpus(GD + name))
    assert array.min() <= 12
    assert array.max() >= 250


@pytest.mark.parametrize("name", ["int8.tif", "minisblack-1c-i8b.tiff", "minisblack-1c-i16b.tiff"])
def test_signed_numbers_are_not_clipped(measure, corpus, name):
    array, _ = shown(measure, corpus(GD + name))
    assert np.percentile(array, 5) < 60
    assert 110 < array.mean() < 140
    assert np.mean(array == 0) < 0.05


@pytest.mark.parametrize(
    "name",
    [
        TM + "tiff/depth/flower-minisblack-06.tif",
        TM + "tiff/depth/flower-minisblack-12.tif",
        TM + "tiff/depth/flower-minisblack-14.tif",
        TM + "tiff/depth/flower-minisblack-24.tif",
        TM + "tiff/depth/flower-rgb-contig-02.tif",
        TM + "tiff/floatingpoint-64bit.tif",
        TM + "tiff/jpeg-lossless-12bit-gray.tif",
        TM + "tiff/old-style-jpeg-multiple-strips.tif",
        TM + "tiff/planar-yuv444-jpeg-lzw.tif",
        TM + "tiff/guessPhotometric/group4.tif",
        GD + "off_l16.tif",
        GD + "int16_zstd.tif",
        "good/libvips/ojpeg-strip.tif",
    ],
)
def test_kinds_that_are_not_read_are_called_unsupported(corpus, name):
    entered = []
    with pytest.raises(UnsupportedError) as refused:
        process(Input(corpus(name)), Recipe(), enter=entered.append)
    assert refused.value.message.startswith("this kind of TIFF is not supported: ")


@pytest.mark.parametrize(
    "name", ["BigTIFF", "BigTIFFLong", "BigTIFFLong8", "BigTIFFLong8Tiles", "BigTIFFMotorola", "BigTIFFMotorolaLongStrips"]
)
def test_a_bigtiff_is_its_classic_twin(measure, corpus, name):
    got, wanted = (shown(measure, corpus(f"{TM}bigtiff/{twin}.tif"))[0] for twin in (name, "Classic"))
    assert np.array_equal(got, wanted)


@pytest.mark.parametrize(
    "name", ["bigtiff/BigTIFFSubIFD4.tif", "bigtiff/BigTIFFSubIFD8.tif", "tiff/fivepages-scan-causingerrors.tif"]
)
def test_the_first_page_of_several_is_used_with_a_note(measure, corpus, name):
    array, notes = shown(measure, corpus(TM + name))
    assert array.shape[0] > 0
    assert notes == ("pages-dropped",)


def test_directories_that_go_round_in_a_circle_end():
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "TIFF")
    data = bytearray(file.getvalue())
    first = int.from_bytes(data[4:8], "little")
    count = int.from_bytes(data[first : first + 2], "little")
    data[first + 2 + 12 * count : first + 6 + 12 * count] = first.to_bytes(4, "little")
    output = process(Input(bytes(data)), Recipe()).outputs[0]
    assert (output.width, output.height) == (8, 8)


@pytest.mark.parametrize("name", ["extra_bits_gray_8b.tiff", "extra_bits_rgb_8b.tiff"])
def test_a_sample_that_is_not_declared_as_alpha_is_ignored(measure, corpus, make, name):
    data = corpus(GD + name)
    output = make(data).outputs[0].data
    assert "A" not in Image.open(io.BytesIO(output)).getbands()
    assert measure.difference(measure.pixels(output), measure.reference(data))[0] < 1


@pytest.mark.parametrize(("extra", "kept"), [(0, False), (1, True), (2, True), (999, False)])
def test_opacity_is_what_the_file_calls_so(make, extra, kept):
    file = io.BytesIO()
    Image.new("RGBA", (8, 8), (200, 100, 50, 255)).save(file, "TIFF")
    entry = b"\x52\x01\x03\0\x01\0\0\0"
    data = file.getvalue().replace(entry + b"\x02\0", entry + extra.to_bytes(2, "little"))
    output = Image.open(io.BytesIO(make(data).outputs[0].data))
    assert ("A" in output.getbands()) is kept
    assert output.convert("RGB").getpixel((4, 4)) == (200, 100, 50)


def tiff_of(picture, **settings):
    file = io.BytesIO()
    picture.save(file, "TIFF", **settings)
    return file.getvalue()


@pytest.mark.parametrize("compression", ["lzma", "zstd"])
@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "P", "I;16"])
def test_compressions_that_libvips_lacks_give_the_same_pixels(compression, mode):
    noise = Image.effect_noise((60, 40), 70)
    picture = Image.fromarray(np.asarray(noise).astype(np.uint16) * 257) if mode == "I;16" else noise.convert("RGB").convert(mode)
    recipe = Recipe.from_builtins({"steps": [], "depth": "keep", "renditions": [{"encode": {"format": "png"}}]})
    plain, packed = (process(Input(tiff_of(picture, compression=each)), recipe).outputs[0] for each in ("raw", compression))
    assert np.array_equal(*(np.asarray(Image.open(io.BytesIO(each.data)).convert("RGBA")) for each in (plain, packed)))
    assert Image.open(io.BytesIO(plain.data)).mode == Image.open(io.BytesIO(packed.data)).mode


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "zstd"])
def test_lab_of_eight_bits_has_its_colours(compression):
    colours = Image.effect_noise((8, 8), 90).convert("RGB").resize((64, 64), Image.Resampling.NEAREST)
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    stored = ImageCms.profileToProfile(colours, srgb, lab, outputMode="LAB")
    recipe = Recipe.from_builtins({"renditions": [{"encode": {"format": "png"}}]})
    (output,) = process(Input(tiff_of(stored, compression=compression, tiffinfo={274: 6})), recipe).outputs
    seen = np.asarray(Image.open(io.BytesIO(output.data)).rotate(90)).astype(int)
    assert np.abs(seen - np.asarray(colours)).max() <= 3


def test_what_pillow_would_show_wrongly_or_in_part_is_refused(corpus):
    with pytest.raises(UnsupportedError):  # signed numbers
        process(Input(corpus(GD + "int16_zstd.tif")), Recipe())
    data = tiff_of(Image.effect_noise((200, 200), 70), compression="zstd")
    with pytest.raises(DecodeError):
        process(Input(data[: len(data) // 2] + bytes(len(data) // 2)), Recipe())
