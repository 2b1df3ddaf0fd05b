"""Formats that are read only if allowed show what Pillow, ImageMagick or a browser shows; what Pillow gets wrong is right."""

import base64
import io
import struct

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageCms

from pixmill.core.errors import DecodeError, ImageError, LimitError, UnsupportedError
from pixmill.imaging.formats import formats
from pixmill.imaging.input import Input
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe
from support.psd_files import psd

HEIGHT, WIDTH = 13, 21
NOISE = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 4), dtype=np.uint8)
DEEP = np.random.default_rng(2).integers(0, 65_536, (HEIGHT, WIDTH, 4), dtype=np.uint16)
GRAY, INDEXED, RGB, CMYK, LAB = 1, 2, 3, 4, 9


def made(data, **recipe):
    """Return the result of a run with all formats allowed, and its pixels."""
    wanted = {"steps": [], "renditions": [{"encode": "png"}], "allow": ["all"], **recipe}
    result = process(Input(data), Recipe.from_builtins(wanted))
    return result, pyvips.Image.new_from_buffer(result.outputs[0].data, "").numpy()


def pixels(data, **recipe):
    return made(data, **recipe)[1]


def stored(picture, container, **settings):
    file = io.BytesIO()
    picture.save(file, container, **settings)
    return file.getvalue()


def picture(mode):
    if mode == "I;16":
        return Image.fromarray(DEEP[..., 0])
    coloured = Image.fromarray(NOISE, "RGBA" if mode == "RGBA" else None)
    return coloured if mode == "RGBA" else coloured.convert("RGB").quantize(16) if mode == "P" else coloured.convert(mode)


SETTINGS = {"JPEG2000": {"irreversible": False}, "ICO": {"sizes": [(WIDTH, HEIGHT)]}}
MODES = {
    "PPM": ["1", "L", "RGB", "I;16"],
    "TGA": ["1", "L", "LA", "P", "RGB", "RGBA"],
    "JPEG2000": ["L", "LA", "RGB", "RGBA", "I;16"],
    "ICO": ["1", "L", "LA", "P", "RGB", "RGBA"],
    "QOI": ["RGB", "RGBA"],
}


@pytest.mark.parametrize(("container", "mode"), [(container, mode) for container, modes in MODES.items() for mode in modes])
def test_the_picture_is_the_one_that_pillow_reads(container, mode):
    data = stored(picture(mode), container, **SETTINGS.get(container, {}))
    expected = Image.open(io.BytesIO(data))
    got = pixels(data, depth="keep")
    if mode == "I;16":
        assert np.array_equal(got, DEEP[..., 0])
        return
    assert np.array_equal(np.asarray(Image.fromarray(got).convert("RGBA")), np.asarray(expected.convert("RGBA")))


@pytest.mark.parametrize("settings", [{"compression": "tga_rle"}, {"orientation": 1}, {"id_section": b"made by a test"}])
@pytest.mark.parametrize("mode", ["L", "P", "RGB", "RGBA"])
def test_a_tga_is_right_in_runs_from_either_end_and_with_a_name(mode, settings):
    plain = picture(mode)
    got = pixels(stored(plain, "TGA", **settings))
    assert np.array_equal(got, np.asarray(plain.convert("RGB") if mode == "P" else plain))


def test_the_fourth_channel_of_a_tga_counts_only_if_it_is_declared_as_alpha():
    data = bytearray(stored(picture("RGBA"), "TGA"))
    assert pixels(bytes(data)).shape[2] == 4
    data[17] &= 0xF0  # no attribute bits
    assert np.array_equal(pixels(bytes(data)), NOISE[..., :3])


# -- PNM ---------------------------------------------------------------------


def test_plain_files_with_comments_are_read():
    assert pixels(b"P1 # bits\n4 2 # size\n10 1\n0#end\n0101").tolist() == [[0, 255, 0, 255], [255, 0, 255, 0]]
    assert pixels(b"P2\n#c\n3 1\n15\n0 7#x 9\n15").tolist() == [[0, 119, 255]]
    assert pixels(b"P3 1 2 255 1 2 3\n4 5 6").tolist() == [[[1, 2, 3]], [[4, 5, 6]]]


@pytest.mark.parametrize(
    ("kind", "bands"), [("BLACKANDWHITE", 1), ("GRAYSCALE", 1), ("GRAYSCALE_ALPHA", 2), ("RGB", 3), ("RGB_ALPHA", 4), ("", 4)]
)
@pytest.mark.parametrize("maximum", [1, 255, 1023, 65_535])
def test_a_pam_of_every_kind_is_read(kind, bands, maximum):
    values = np.random.default_rng(3).integers(0, maximum + 1, (HEIGHT, WIDTH, bands))
    line = f"TUPLTYPE {kind}\n" * bool(kind)
    head = f"P7\n# by hand\nWIDTH {WIDTH}\nHEIGHT {HEIGHT}\nDEPTH {bands}\nMAXVAL {maximum}\n{line}ENDHDR\n"
    got = pixels(head.encode() + values.astype(">u2" if maximum > 255 else "u1").tobytes(), depth="keep")
    white = 65_535 if maximum > 255 else 255
    expected = np.rint(values * (white / maximum)).reshape(got.shape) if maximum < white else values.reshape(got.shape)
    assert np.abs(got.astype(int) - expected).max() <= 1


@pytest.mark.parametrize(("order", "scale"), [("<", -1), (">", 1)])
@pytest.mark.parametrize("magic", ["Pf", "PF"])
def test_a_pfm_is_linear_light_from_below(magic, order, scale):
    light = np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3)
    stacked = light if magic == "Pf" else np.stack([light] * 3, axis=-1)
    got = pixels(f"{magic}\n3 2\n{scale}.0\n".encode() + stacked[::-1].astype(f"{order}f4").tobytes())
    encoded = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055) * 255
    assert np.abs((got if got.ndim == 2 else got[..., 1]) - encoded).max() <= 1


# -- ICO ---------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["P", "RGB", "RGBA"])
def test_an_icon_of_bitmaps_shows_its_largest(mode):
    data = stored(picture(mode), "ICO", sizes=[(8, 8), (WIDTH, HEIGHT)], bitmap_format="bmp")
    expected = np.asarray(picture(mode).convert("RGBA"))
    assert np.array_equal(np.asarray(Image.fromarray(pixels(data)).convert("RGBA")), expected)


def masked():
    """Return an icon of 24 bits whose mask makes every other pixel of some rows transparent."""
    data = stored(Image.fromarray(NOISE, "RGBA").convert("RGB").resize((32, 32)), "ICO", sizes=[(32, 32)], bitmap_format="bmp")
    return data[:-128] + b"\xaa\x55\0\xff" * 32


def test_the_mask_of_a_bitmap_is_its_opacity():
    expected = Image.open(io.BytesIO(masked())).convert("RGBA")
    assert np.array_equal(pixels(masked()), np.asarray(expected))


def test_a_bitmap_whose_opacity_is_zero_everywhere_is_opaque():
    plain = picture("RGBA")
    plain.putalpha(0)
    data = stored(plain, "ICO", sizes=[(WIDTH, HEIGHT)], bitmap_format="bmp")
    assert np.array_equal(pixels(data), NOISE[..., :3])


SHOW = """async (files) => Promise.all(files.map(async (file) => {
    const image = new Image();
    image.src = "data:image/x-icon;base64," + file;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL("image/png").split(",")[1];
}))"""


def test_chromium_shows_the_same_of_icons_of_all_kinds_and_of_ours(browser):
    kinds = [(mode, "bmp") for mode in MODES["ICO"] if mode != "LA"] + [(mode, "png") for mode in MODES["ICO"]]
    icons = [stored(picture(mode), "ICO", sizes=[(WIDTH, HEIGHT)], bitmap_format=kind) for mode, kind in kinds]
    icons.append(masked())
    icons.append(made_as(stored(Image.fromarray(NOISE, "RGBA").resize((300, 200)), "PNG"), "ico")[1])
    with browser.new_context() as context:
        shown = context.new_page().evaluate(SHOW, [base64.b64encode(icon).decode() for icon in icons])
    for icon, screen in zip(icons, shown, strict=True):
        wanted = np.asarray(Image.open(io.BytesIO(base64.b64decode(screen))).convert("RGBA")).astype(int)
        got = np.asarray(Image.fromarray(pixels(icon)).convert("RGBA")).astype(int)
        assert got.shape == wanted.shape
        assert np.array_equal(got[..., 3], wanted[..., 3])
        assert np.abs(got - wanted)[wanted[..., 3] > 128].max() <= 2  # a canvas stores colours multiplied by alpha


def test_a_cursor_is_read_as_an_icon_whatever_its_hot_spot():
    data = bytearray(stored(picture("RGBA"), "ICO", sizes=[(WIDTH, HEIGHT)], bitmap_format="bmp"))
    data[2], data[10:14] = 2, struct.pack("<2H", 3, 7)
    assert np.array_equal(pixels(bytes(data)), NOISE)


def test_an_icon_has_the_sizes_that_are_asked_for_none_larger_than_the_picture():
    wide = stored(Image.new("RGB", (100, 50), (200, 30, 60)), "PNG")
    for asked, sizes in {"ico": [16, 32, 48], "ico:sizes=16+32": [16, 32], "ico:sizes=180": [180]}.items():
        result, _ = made_as(wide, asked)
        icon = Image.open(io.BytesIO(result.outputs[0].data))
        assert sorted(icon.info["sizes"]) == [(side, side) for side in sizes]
        assert (result.outputs[0].width, result.outputs[0].height) == (sizes[-1], sizes[-1])
        shown = np.asarray(icon.convert("RGBA"))
        side = sizes[-1]
        assert shown[side // 2, side // 2].tolist() == [200, 30, 60, 255]
        assert shown[0, 0, 3] == shown[-1, -1, 3] == 0


def made_as(data, encode):
    result = process(Input(data), Recipe.from_builtins({"renditions": [{"encode": encode}]}))
    return result, result.outputs[0].data


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA"])
def test_the_largest_image_of_an_icon_is_the_picture_itself(mode):
    square = Image.fromarray(np.random.default_rng(5).integers(0, 256, (48, 48, 4), dtype=np.uint8), "RGBA").convert(mode)
    _, icon = made_as(stored(square, "PNG"), "ico")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(icon)).convert("RGBA")), np.asarray(square.convert("RGBA")))


# -- PSD ---------------------------------------------------------------------


def planes(array):
    return [array[..., index] for index in range(array.shape[2])]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("mode", "bands"), [(GRAY, 1), (RGB, 3)])
def test_a_psd_is_the_one_that_pillow_reads(mode, bands, packed):
    data = psd(planes(NOISE[..., :bands]), mode=mode, packed=packed)
    expected = np.asarray(Image.open(io.BytesIO(data)))
    assert np.array_equal(pixels(data), expected)
    assert np.array_equal(expected, NOISE[..., :bands].squeeze())


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_sixteen_bits_and_large_documents_are_read(packed, large):
    gray = psd([DEEP[..., 0]], mode=GRAY, depth=16, packed=packed, large=large)
    assert np.array_equal(pixels(gray, depth="keep"), DEEP[..., 0])
    coloured = psd(planes(DEEP[..., :3]), mode=RGB, depth=16, packed=packed, large=large)
    assert np.abs(pixels(coloured) - DEEP[..., :3] / 257).max() <= 0.51


def test_the_opacity_of_a_psd_counts_only_if_it_is_that_of_the_image():
    flat = psd(planes(NOISE), mode=RGB)  # the fourth channel is a selection that was saved
    assert np.array_equal(pixels(flat), NOISE[..., :3])
    opacity = NOISE[..., 3:].astype(float) / 255
    matted = np.concatenate([np.rint(NOISE[..., :3] * opacity + 255 * (1 - opacity)).astype(np.uint8), NOISE[..., 3:]], axis=-1)
    got = pixels(psd(planes(matted), mode=RGB, has_opacity=True))
    assert np.array_equal(got[..., 3], NOISE[..., 3])
    seen = got[..., 3] > 100
    assert np.abs(got[..., :3][seen].astype(int) - NOISE[..., :3][seen]).max() <= 2


def test_a_palette_bits_and_inks_are_read():
    palette = np.random.default_rng(6).integers(0, 256, (3, 256), dtype=np.uint8)
    indexed = psd([NOISE[..., 0]], mode=INDEXED, palette=palette.tobytes())
    assert np.array_equal(pixels(indexed), np.stack([colours[NOISE[..., 0]] for colours in palette], axis=-1))
    bits = NOISE[..., 0] > 128
    assert np.array_equal(pixels(psd([bits], mode=0, depth=1)) > 0, ~bits)
    inks = psd([np.full((2, 2), 255, np.uint8)] * 3 + [np.zeros((2, 2), np.uint8)], mode=CMYK)
    assert pixels(inks).max() < 60  # black ink only
    assert pixels(psd([np.full((2, 2), 255, np.uint8)] * 4, mode=CMYK)).min() > 250


def test_lab_of_a_psd_is_what_another_library_makes_of_it():
    lab = Image.new("RGB", (3, 3), (180, 90, 40)).convert("RGB")
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    samples = np.asarray(ImageCms.applyTransform(lab, to_lab)).copy()
    samples[..., 1:] ^= 128  # Pillow counts from zero, Photoshop from the middle
    got = pixels(psd(planes(samples), mode=LAB))
    assert np.abs(got.astype(int) - (180, 90, 40)).max() <= 6


@pytest.mark.parametrize("container", ["psd", "jp2"])
def test_a_profile_and_credits_are_carried(container):
    swapped = swapping_profile()
    exif = exif_with(artist="Ann Author")
    plain = NOISE[..., :3]
    data = (
        psd(planes(plain), mode=RGB, resources=[(0x040F, swapped), (0x0422, exif)])
        if container == "psd"
        else with_boxes(stored(Image.fromarray(plain), "JPEG2000", irreversible=False), swapped, exif)
    )
    result, got = made(data)
    assert np.abs(got.astype(int) - plain[..., ::-1]).mean() < np.abs(got.astype(int) - plain).mean() / 4
    assert result.header.metadata == {"icc", "exif"}
    written = Image.open(io.BytesIO(made(data)[0].outputs[0].data)).getexif()
    assert written[0x013B] == "Ann Author"


def swapping_profile():
    """Return sRGB with red and blue exchanged."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(data[128:132])
    entries = {bytes(data[at : at + 4]): at for at in range(132, 132 + 12 * count, 12)}
    red, blue = entries[b"rXYZ"], entries[b"bXYZ"]
    data[red : red + 4], data[blue : blue + 4] = data[blue : blue + 4], data[red : red + 4]
    return bytes(data)


def exif_with(artist):
    exif = Image.Exif()
    exif[0x013B] = artist
    return exif.tobytes().removeprefix(b"Exif\0\0")


def with_boxes(data, profile, exif):
    """Return a JP2 with ``profile`` in place of the number of its colour space, and EXIF in a box of its own."""
    place = data.index(b"colr") - 4
    size = int.from_bytes(data[place : place + 4])
    head = data.index(b"jp2h") - 4
    colours = struct.pack(">I4s3B", len(profile) + 11, b"colr", 2, 0, 0) + profile
    grown = int.from_bytes(data[head : head + 4]) - size + len(colours)
    data = data[:head] + grown.to_bytes(4) + data[head + 4 : place] + colours + data[place + size :]
    code = data.index(b"jp2c") - 4
    return data[:code] + struct.pack(">I4s", len(exif) + 24, b"uuid") + b"JpgTiffExif->JP2" + exif + data[code:]


# -- what is refused ---------------------------------------------------------

WHOLE = {
    "pnm": stored(picture("RGB"), "PPM"),
    "tga": stored(picture("RGBA"), "TGA"),
    "jpeg2000": stored(picture("RGB"), "JPEG2000"),
    "ico": stored(picture("RGBA"), "ICO", sizes=[(WIDTH, HEIGHT)], bitmap_format="bmp"),
    "qoi": stored(picture("RGB"), "QOI"),
    "psd": psd(planes(NOISE[..., :3]), mode=RGB, packed=True),
}


def test_every_format_that_must_be_allowed_has_a_file_here():
    assert set(WHOLE) == {known.name for known in formats() if known.opt_in and known.name != "svg" and not known.extra}


@pytest.mark.parametrize("name", WHOLE)
def test_it_is_refused_with_the_option_that_allows_it(name):
    with pytest.raises(UnsupportedError) as refused:
        process(Input(WHOLE[name]), Recipe())
    assert refused.value.options == {"allow": name}
    assert process(Input(WHOLE[name]), Recipe(allow=[name])).header.format.name == name


SIDES = (40_000, 40_000)
SIZES = {
    "pnm": (3, b"40000 40000\n255\n"), "tga": (12, struct.pack("<2H", *SIDES)), "qoi": (4, struct.pack(">2I", *SIDES)),
    "psd": (14, struct.pack(">2I", *SIDES)),
}  # fmt: skip


@pytest.mark.parametrize("name", SIZES)
def test_a_bomb_is_refused_from_its_header_and_the_option_raises_the_limit(name):
    place, size = SIZES[name]
    data = WHOLE[name][:place] + size + WHOLE[name][place + len(size) :]
    entered = []
    with pytest.raises(LimitError) as refused:
        process(Input(data), Recipe(allow=[name]), enter=entered.append)
    assert (refused.value.code, entered) == ("limit-pixels", ["header"])
    assert "max_pixels" in refused.value.options


def test_a_small_icon_or_header_around_a_large_image_is_no_way_around_the_limit():
    large = stored(Image.new("1", (20_000, 20_000)), "PNG")
    icon = struct.pack("<3H4B2H2I", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(large), 22) + large
    with pytest.raises(LimitError):
        process(Input(icon), Recipe(allow=["ico"]))
    data = bytearray(WHOLE["jpeg2000"])
    place = data.index(b"\xff\x4f\xff\x51") + 8
    data[place : place + 8] = struct.pack(">2I", 50_000, 50_000)
    with pytest.raises(ImageError):  # the sizes contradict each other
        process(Input(bytes(data)), Recipe(allow=["jpeg2000"]))
    data[place + 16 : place + 24] = struct.pack(">2I", 1, 1)  # one tile per pixel
    with pytest.raises(DecodeError, match="too many tiles"):
        process(Input(bytes(data)), Recipe(allow=["jpeg2000"]))


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_that_is_cut_off_is_truncated(name):
    with pytest.raises(DecodeError) as refused:
        process(Input(WHOLE[name][: len(WHOLE[name]) * 2 // 3]), Recipe(allow=[name]))
    assert refused.value.code == "truncated"


@pytest.mark.parametrize("name", ["pnm", "tga", "jpeg2000", "qoi", "psd"])
def test_what_there_is_of_it_is_taken_if_that_is_allowed(name):
    data = WHOLE[name] if name != "psd" else psd(planes(NOISE[..., :3]), mode=RGB)
    recipe = Recipe(allow=[name], allow_truncated=True)
    assert process(Input(data[: len(data) * 2 // 3]), recipe).outputs[0].width == WIDTH


@pytest.mark.parametrize("name", WHOLE)
def test_damage_anywhere_ends_in_a_picture_or_in_words(name):
    random = np.random.default_rng(7)
    data = np.frombuffer(WHOLE[name], np.uint8)
    for _ in range(150):
        damaged = data.copy()
        places = random.integers(0, min(len(data), 120), random.integers(1, 4))
        damaged[places] = random.choice([0, 1, 127, 128, 255, random.integers(0, 256)], len(places))
        recipe = Recipe.from_builtins({"allow": [name], "limits": {"max_pixels": "1MP"}})
        try:
            process(Input(damaged.tobytes()), recipe)
        except ImageError as error:
            assert "0x" not in error.message  # noqa: PT017  # whichever error it is
