"""What a decoder warns about is no failure if no pixel is lost; what is cut or damaged within the picture is one."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from pixmill.core.errors import ImageError, UnsupportedError
from pixmill.imaging.input import Input
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe

SOI, TABLES, CODES, SCAN, END = b"\xff\xd8", b"\xff\xdb", b"\xff\xc4", b"\xff\xda", b"\xff\xd9"
PNG = Recipe.from_builtins({"steps": [], "renditions": [{"encode": {"format": "png"}}]})
KINDS = {"baseline": {}, "full chroma": {"subsampling": 0}, "progressive": {"progressive": True}, "gray": {}, "restarts": {}}
STRAYS = (b"\0", b"\0\0", b"\r\n", b"\x12\x9e\xff\0\x77", bytes(300), b"\xff\xff\x07"[:2] * 3)


@pytest.fixture(scope="module")
def pictures():
    """Return a picture with much detail, as JPEG files of several kinds."""
    rng = np.random.default_rng(19)
    shade = np.linspace(0, 180, 160 * 120).reshape(120, 160, 1)
    picture = Image.fromarray((shade + rng.integers(0, 70, (120, 160, 3))).astype(np.uint8))
    return {kind: written(picture.convert("L") if kind == "gray" else picture, kind, settings) for kind, settings in KINDS.items()}


def written(picture, kind, settings):
    file = io.BytesIO()
    extra = {"restart_marker_rows": 1} if kind == "restarts" else {}
    picture.save(file, "JPEG", quality=90, **settings, **extra)
    return file.getvalue()


def shown(data, recipe=PNG):
    """Return the pixels and the notes of the result."""
    result = process(Input(data), recipe)
    return np.asarray(Image.open(io.BytesIO(result.outputs[0].data))), result.notes


def inserted(data, marker, strays, *, last=False):
    at = data.rindex(marker) if last else data.index(marker)
    return data[:at] + strays + data[at:]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("recipe", [PNG, Recipe()], ids=["libvips", "fast path"])
def test_bytes_between_segments_cost_no_pixel(pictures, kind, recipe):
    clean = pictures[kind]
    wanted, notes = shown(clean, recipe)
    assert notes == ()
    for strays in STRAYS:
        for marker in (TABLES, CODES, SCAN):
            got, notes = shown(inserted(clean, marker, strays), recipe)
            assert np.array_equal(got, wanted)
            assert notes in (("warnings",), ())  # fill bytes are legal
        assert np.array_equal(shown(SOI + strays + clean[2:], recipe)[0], wanted)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", [2, 7, 12, 30])
def test_a_wrong_length_of_a_segment_costs_no_pixel(pictures, kind, length):
    clean = pictures[kind]
    segment = b"\xff\xed" + struct.pack(">H", length) + b"Photoshop 3.0\x008BIM" + bytes(range(40))
    got, notes = shown(clean[:20] + segment + clean[20:])
    assert np.array_equal(got, shown(clean)[0])
    assert notes == ("warnings",)


@pytest.mark.parametrize("kind", KINDS)
def test_statements_that_no_decoder_knows_cost_no_pixel(pictures, kind):
    clean = pictures[kind]
    version = clean.replace(b"JFIF\0\1", b"JFIF\0\7")
    transform = SOI + b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\x09" + clean[20:]
    for changed in [version] if kind == "gray" else [version, transform]:
        got, notes = shown(changed)
        assert notes == ("warnings",)
        assert np.array_equal(got, shown(clean)[0])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "progressive"])
def test_bytes_behind_the_last_block_cost_no_pixel(pictures, kind):
    clean = pictures[kind]
    wanted = shown(clean)[0]
    noise = np.random.default_rng(7).integers(0, 255, 40, np.uint8).tobytes()  # without FF
    for strays in (b"\0" * 60, b"\x55" * 9, noise, b"camera padding"):
        got, notes = shown(inserted(clean, END, strays, last=True), Recipe())
        assert notes == ("warnings",)
        assert np.array_equal(shown(inserted(clean, END, strays, last=True))[0], wanted)
        assert np.array_equal(got, shown(clean, Recipe())[0])


def test_a_missing_end_costs_no_pixel(pictures):
    got, notes = shown(pictures["baseline"][:-2], Recipe())
    assert np.array_equal(got, shown(pictures["baseline"], Recipe())[0])
    assert notes == ("warnings",)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "restarts"])
def test_a_flipped_byte_of_the_scan_that_costs_many_pixels_fails(pictures, kind):
    """A byte that changes one block and leaves the rest in place is read like any other: no decoder can tell."""
    clean = pictures[kind]
    wanted, _ = shown(clean, Recipe())
    rng = np.random.default_rng(3)
    lost = failed = 0
    for at in rng.integers(clean.index(SCAN) + 14, len(clean) - 2, 60):
        damaged = bytearray(clean)
        damaged[at] ^= 1 << int(rng.integers(8))
        try:
            got, _ = shown(bytes(damaged), Recipe())
        except ImageError as error:
            assert error.code in ("decode", "truncated")  # noqa: PT017  # others succeed
            failed += 1
        else:
            lost += np.mean(np.abs(got.astype(int) - wanted) > 30) > 0.1
    assert failed >= 10
    assert lost <= failed / 5


def test_what_is_cut_off_fails_and_is_made_where_that_is_allowed(pictures):
    for kind in ("baseline", "progressive", "restarts"):
        clean = pictures[kind]
        for damaged in (clean[: len(clean) * 2 // 3], clean[:-300] + END):
            with pytest.raises(ImageError):
                shown(damaged, Recipe())
            assert shown(damaged, Recipe(allow_truncated=True))[0].shape[:2] == (120, 160)


def gif(**settings):
    file = io.BytesIO()
    noise = Image.fromarray(np.random.default_rng(5).integers(0, 255, (40, 60), np.uint8))
    noise.convert("P").save(file, "GIF", **settings)
    return file.getvalue()


def with_extent(data, canvas, frame):
    """Return the GIF with another canvas and another place of its first frame."""
    at = data.index(b",", 13 + 768)
    return data[:6] + struct.pack("<2H", *canvas) + data[10 : at + 1] + struct.pack("<4H", *frame) + data[at + 9 :]


@pytest.mark.parametrize(
    ("canvas", "frame", "size"),
    [
        ((0, 0), (0, 0, 60, 40), (60, 40)),
        ((30, 20), (0, 0, 60, 40), (60, 40)),
        ((256, 32), (0, 0, 60, 40), (256, 40)),
        ((60, 40), (5, 5, 60, 40), (65, 45)),
        ((3000, 20), (0, 0, 60, 40), (3000, 40)),
    ],
)
@pytest.mark.parametrize("behind", [b";", b"", bytes(40) + b";", b"\1" * 12, b"\1" * 12 + b";", b";" + bytes(40)])
def test_a_gif_with_one_full_frame_is_read_whatever_its_canvas_is(canvas, frame, size, behind):
    data = with_extent(gif(), canvas, frame)[:-1] + behind
    result = process(Input(data), PNG)
    output = Image.open(io.BytesIO(result.outputs[0].data)).convert("RGB")
    assert output.size == size
    left, top = frame[:2]
    assert np.array_equal(
        np.asarray(output.crop((left, top, left + 60, top + 40)))[..., 0], np.asarray(Image.open(io.BytesIO(gif())))
    )


def test_bytes_between_the_blocks_of_a_gif_cost_no_frame():
    first = Image.fromarray(np.arange(2400, dtype=np.uint8).reshape(40, 60)).convert("P")
    data = gif(save_all=True, append_images=[first], duration=50)
    at = data.index(b"!\xf9", 900)
    keep = Recipe.from_builtins({"animated": "keep", "steps": [], "renditions": [{"encode": {"format": "gif"}}]})
    result = process(Input(data[:at] + bytes(20) + data[at:]), keep)
    assert result.notes == ("warnings",)
    assert Image.open(io.BytesIO(result.outputs[0].data)).n_frames == 2


def test_a_gif_that_is_cut_off_fails():
    with pytest.raises(ImageError) as refused:
        process(Input(gif()[:-200]), PNG)
    assert refused.value.code == "truncated"


def tiff(*, more=(), following=0, order="<", backwards=False, big=False):
    """Return an RGB TIFF with further entries (tag, type, number of values, value or offset) and this next directory."""
    pixels = np.random.default_rng(4).integers(0, 255, (40, 60, 3), np.uint8).tobytes()
    number, offset, head = ("Q", "Q", 16) if big else ("H", "I", 8)
    count, width = 9 + len(more), struct.calcsize(offset)
    place = head + struct.calcsize(number) + count * (4 + 2 * width) + width
    entries = [(256, 3, 1, 60), (257, 3, 1, 40), (258, 3, 3, place), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, 1, place + 8)]
    entries += [(277, 3, 1, 3), (278, 3, 1, 40), (279, 4, 1, len(pixels)), *more]
    directory = struct.pack(order + number, count)
    for tag, kind, values, value in sorted(entries, key=lambda entry: entry[0], reverse=backwards):
        code = "H" if kind == 3 and values == 1 else "I" if kind == 4 else offset
        stored = struct.pack(order + code, value) if code != "Q" or tag != 258 else struct.pack(order + "3H", 8, 8, 8)
        directory += struct.pack(order + "HH" + offset, tag, kind, values) + stored.ljust(width, b"\0")
    first = struct.pack(order + "HHHQ", 43, 8, 0, head) if big else struct.pack(order + "HI", 42, head)
    start = (b"II" if order == "<" else b"MM") + first + directory + struct.pack(order + offset, following)
    return start + struct.pack(order + "4H", 8, 8, 8, 0) + pixels


BEYOND = 0x0FFF_FFFF
ODDITIES = {
    "an unknown field of an unknown type": {"more": [(50_000, 99, 1, 5)]},
    "an unknown type with a huge number of values": {"more": [(50_000, 77, 0x7FFF_FFFF, 5)]},
    "a known field of an unknown type": {"more": [(305, 99, 4, 5)]},
    "a text beyond the file": {"more": [(305, 2, 999, BEYOND)]},
    "an unknown field beyond the file": {"more": [(50_001, 2, 999, BEYOND)]},
    "a profile beyond the file": {"more": [(34_675, 7, 999, BEYOND)]},
    "XMP beyond the file": {"more": [(700, 1, 999, BEYOND)]},
    "a resolution beyond the file": {"more": [(282, 5, 1, BEYOND)]},
    "an orientation that is a text": {"more": [(274, 2, 4, 0x31)]},
    "a field that is there twice": {"more": [(305, 2, 1, 0), (305, 2, 1, 0)]},
    "a text without an end": {"more": [(315, 2, 4, 0x41414141)]},
    "fields in another order": {"backwards": True},
    "a next directory beyond the file": {"following": BEYOND},
    "a next directory in the header": {"following": 3},
    "a next directory that is the first": {"following": 8},
    "a next directory of nonsense": {"following": 300},
}


@pytest.mark.parametrize("oddity", ODDITIES)
@pytest.mark.parametrize("order", ["<", ">"])
def test_what_defines_no_pixel_of_a_tiff_costs_none(oddity, order):
    wanted, notes = shown(tiff(order=order))
    assert notes == ()
    got, notes = shown(tiff(order=order, **ODDITIES[oddity]))
    assert np.array_equal(got, wanted)
    assert notes == ("warnings",)


def test_the_same_holds_for_a_bigtiff():
    for oddity in ({"more": [(50_000, 99, 1, 5)]}, {"following": BEYOND}, {"more": [(305, 2, 999, BEYOND)]}):
        got, _ = shown(tiff(big=True, **oddity))
        assert np.array_equal(got, shown(tiff(big=True))[0])


def test_the_author_is_kept_where_the_text_has_no_end():
    data = tiff(more=[(315, 2, 4, 0x41424344), (50_000, 99, 1, 5)])
    output = process(Input(data), Recipe.from_builtins({"renditions": [{"encode": {"format": "jpeg"}}]})).outputs[0].data
    assert Image.open(io.BytesIO(output)).getexif()[315] == "DCBA"


def test_whole_pages_before_a_broken_one_count():
    file = io.BytesIO()
    picture = Image.new("RGB", (20, 10), "red")
    picture.save(file, "TIFF", save_all=True, append_images=[Image.new("RGB", (30, 10))] * 2)
    data = bytearray(file.getvalue())
    first = struct.unpack_from("<I", data, 4)[0]
    second_link = first + 2 + 12 * struct.unpack_from("<H", data, first)[0]
    second = struct.unpack_from("<I", data, second_link)[0]
    struct.pack_into("<I", data, second + 2 + 12 * struct.unpack_from("<H", data, second)[0], len(data) + 1000)
    got, notes = shown(bytes(data))
    assert got.shape[:2] == (10, 20)
    assert set(notes) == {"pages-dropped", "warnings"}


def test_pixels_of_a_tiff_that_are_missing_fail():
    for data in (tiff()[:-900], tiff(following=BEYOND)[:-900], tiff(more=[(50_000, 99, 1, 5)])[:-900]):
        with pytest.raises(ImageError):
            shown(data)


def chunk(name, content, *, is_right=True):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content) ^ (not is_right))


def png_chunks(data):
    offset = 8
    while offset < len(data):
        length = struct.unpack_from(">I", data, offset)[0]
        yield data[offset + 4 : offset + 8], data[offset + 8 : offset + 8 + length]
        offset += 12 + length


def png(mode="RGB"):
    """Return a PNG of noise, as the bytes before its pixels and these as they are compressed."""
    file = io.BytesIO()
    noise = np.random.default_rng(9).integers(0, 255, (33, 47, 3), np.uint8)
    Image.fromarray(noise).convert(mode).save(file, "PNG")
    return file.getvalue()[:33], b"".join(content for name, content in png_chunks(file.getvalue()) if name == b"IDAT")


IEND = chunk(b"IEND", b"")


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "RGBA"])
def test_a_png_whose_pixels_are_all_there_is_whole(mode):
    head, pixels = png(mode)
    whole = head + chunk(b"IDAT", pixels) + IEND
    wanted, notes = shown(whole)
    assert notes == ()
    half = len(pixels) // 2
    for data in (
        head + chunk(b"IDAT", pixels, is_right=False) + IEND,
        head + chunk(b"IDAT", pixels)[:-4],
        head + chunk(b"IDAT", pixels)[:-7],  # within the checksum of the pixels
        head + chunk(b"IDAT", pixels[:-4]) + IEND,
        head + chunk(b"IDAT", pixels[:half], is_right=False) + chunk(b"IDAT", pixels[half:]) + IEND,
    ):
        got, notes = shown(data)
        assert np.array_equal(got, wanted)
        assert notes == ("warnings",)


@pytest.mark.parametrize("is_right", [True, False])
def test_a_png_with_a_damaged_pixel_fails(is_right):
    head, pixels = png()
    for at in (20, len(pixels) // 2, len(pixels) - 20, len(pixels) - 2):
        damaged = pixels[:at] + bytes([pixels[at] ^ 1]) + pixels[at + 1 :]
        with pytest.raises(ImageError):
            shown(head + chunk(b"IDAT", damaged, is_right=is_right) + IEND)
    with pytest.raises(ImageError):
        shown(head + chunk(b"IDAT", pixels[:-400], is_right=is_right) + IEND)
    with pytest.raises(ImageError):
        shown(head[:-1] + b"?" + chunk(b"IDAT", pixels) + IEND)


@pytest.mark.parametrize("name", ["ojpeg-tile.tif", "ojpeg-strip.tif"])
def test_a_compression_that_is_not_read_is_no_warning(corpus, name):
    with pytest.raises(UnsupportedError):
        shown(corpus(f"good/libvips/{name}"))


def test_fax_rows_of_another_length_are_filled(corpus):
    folder = "good/twelvemonkeys/imageio-tiff/src/test/resources/tiff"
    for name in ("ccitt_tolessrows.tif", "ccitt/g3aoe.tif"):
        got, notes = shown(corpus(f"{folder}/{name}"))
        assert notes == ("warnings",)
        assert 0 < np.mean(got > 0) < 1
