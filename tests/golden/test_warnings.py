"""What a decoder warns about is no failure if no pixel is lost; what is cut or damaged within the picture is one."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from pixmill.core.errors import ImageError
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
