"""Animations: the first frame with a note by default, all frames with their timing on request or where the format is kept."""

import io
import shutil
import subprocess

import pytest
from PIL import Image, ImageSequence

from pixmill.core.errors import LimitError, UnsupportedError
from pixmill.core.model import fingerprint_of
from pixmill.imaging.parsers.boxes import boxes
from pixmill.imaging.recipe import Recipe
from support.gif_files import gif_file, gif_frame

needs_avifenc = pytest.mark.skipif(shutil.which("avifenc") is None, reason="avifenc (apt install libavif-bin) makes the file")
needs_cjxl = pytest.mark.skipif(shutil.which("cjxl") is None, reason="cjxl (apt install libjxl-tools) makes the file")
SMALL = [{"operation": "resize", "width": 60}]


def test_the_first_frame_is_taken_and_the_others_are_noted(corpus, make):
    result = make(corpus("good/gdk-pixbuf/aero.gif"), output="jpeg")
    assert result.notes == ("frames-dropped",)
    assert (result.outputs[0].width, result.outputs[0].height) == (350, 189)


@pytest.mark.parametrize("output", ["gif", "webp"])
@pytest.mark.parametrize(("name", "frames"), [("good/gdk-pixbuf/aero.gif", 56), ("good/wuffs/gifplayer-muybridge.gif", 380)])
def test_frames_and_repetitions_are_kept(corpus, make, output, name, frames):
    result = make(corpus(name), output=output, animated="keep", steps=SMALL)
    kept = Image.open(io.BytesIO(result.outputs[0].data))
    assert kept.n_frames == frames
    assert kept.info["loop"] == 0
    assert kept.size == (60, result.outputs[0].height)
    assert result.notes == ()


@pytest.mark.parametrize("output", ["gif", "webp", "png", "avif"])
@pytest.mark.parametrize("source", ["GIF", "PNG", "WEBP", "AVIF"])
def test_delays_are_kept(make, source, output):
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "lime", "blue")]
    file = io.BytesIO()
    frames[0].save(file, source, save_all=True, append_images=frames[1:], duration=[100, 250, 40], loop=3)
    kept = Image.open(io.BytesIO(make(file.getvalue(), output=output, animated="keep").outputs[0].data))
    found = []
    for frame in ImageSequence.Iterator(kept):
        frame.load()
        found.append(
            (frame.info["duration"], frame.convert("RGB").getpixel((20, 15)).index(max(frame.convert("RGB").getpixel((20, 15)))))
        )
    assert found == [(100, 0), (250, 1), (40, 2)]


def test_a_format_without_animation_gets_the_first_frame_of_one_that_is_kept(corpus, make):
    result = make(corpus("good/gdk-pixbuf/aero.gif"), output="jpeg", animated="keep")
    assert result.notes == ("frames-dropped",)


def animation(file_format):
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "lime", "blue")]
    file = io.BytesIO()
    frames[0].save(file, file_format, save_all=True, append_images=frames[1:], duration=100)
    return file.getvalue()


def frames_in(result):
    return [getattr(Image.open(io.BytesIO(output.data)), "n_frames", 1) for output in result.outputs]


@pytest.mark.parametrize("file_format", ["GIF", "WEBP"])
def test_who_keeps_the_format_keeps_the_animation(make, file_format):
    result = make(animation(file_format), output="keep")
    assert (frames_in(result), result.notes) == ([3], ())


def test_beside_a_kept_format_the_others_have_the_first_frame_which_is_noted(make):
    both = [{"encode": "keep"}, {"encode": "webp"}, {"encode": "jpeg"}]
    result = make(animation("GIF"), renditions=both)
    assert (frames_in(result), result.notes) == ([3, 1, 1], ("frames-dropped",))


def test_the_first_frame_of_a_kept_format_is_made_on_request(make):
    result = make(animation("GIF"), output="keep", animated="first")
    assert (frames_in(result), result.notes) == ([1], ("frames-dropped",))


def test_a_smaller_animation_is_no_substitute_for_its_first_frame(make):
    both = [{"name": "a", "encode": "keep"}, {"name": "b", "encode": "webp:quality=100"}]
    result = make(animation("WEBP"), renditions=both, never_bigger=True)
    assert frames_in(result) == [3, 1]


def known_then(recipe):
    """Return the values of ``recipe`` that earlier versions had."""
    return {name: value for name, value in recipe.to_builtins().items() if name != "lossless"}


@pytest.mark.parametrize(("animated", "output"), [("first", "webp"), ("keep", "keep"), ("keep", "webp")])
def test_outputs_of_earlier_versions_are_not_made_again_for_the_sake_of_the_default(animated, output):
    """Their fingerprints had ``first`` where nothing is said now; what was said explicitly has the same as then."""
    recipe = Recipe(renditions=[{"encode": output}], animated=animated)
    said = fingerprint_of(known_then(recipe) | {"animated": animated})
    assert recipe.fingerprint() == said
    unsaid = Recipe(renditions=[{"encode": output}])
    assert unsaid.fingerprint() == fingerprint_of(known_then(unsaid) | {"animated": "first"})


def test_another_choice_makes_an_animation_again():
    prints = {Recipe(renditions=[{"encode": "keep"}], animated=each).fingerprint() for each in (None, "first", "keep")}
    assert len(prints) == 3


def test_a_frame_bomb_is_harmless_as_a_still_and_refused_as_an_animation(corpus, make):
    data = corpus("bad/fuzzdb/malicious-images/uber.gif")
    assert make(data, output="webp").notes == ("frames-dropped",)
    with pytest.raises(LimitError) as refused:
        make(data, output="webp", animated="keep")
    assert refused.value.code == "limit-frames"
    assert "40,000" in refused.value.message


def test_the_first_page_of_a_document_is_taken_and_the_others_are_noted(make):
    pages = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue")]
    file = io.BytesIO()
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])
    result = make(file.getvalue())
    assert result.notes == ("pages-dropped",)


def test_an_animated_png_counts_its_frames(make):
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue")]
    file = io.BytesIO()
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    assert make(file.getvalue()).notes == ("frames-dropped",)


BARE = (0, 0, 0, 0)


def corners_of(data):
    """Return the visible colours of each frame in three of its corners; fully transparent pixels have no colour."""
    frames = [frame.convert("RGBA") for frame in ImageSequence.Iterator(Image.open(io.BytesIO(data)))]
    pixels = [[frame.getpixel(at) for at in ((1, 1), (6, 1), (6, 6))] for frame in frames]
    return [[pixel if pixel[3] else BARE for pixel in row] for row in pixels]


def bare_gif(disposal=b"\0"):
    """Return a GIF of 8 x 8 whose two opaque frames of 4 x 4 lie in the corners."""

    def frame(left, colour):
        control = b"\x21\xf9\x04" + disposal + b"\x0a\0\0\0"
        place = b"".join(value.to_bytes(2, "little") for value in (left, left, 4, 4))
        # sixteen pixels, each preceded by a clear code, in codes of three bits
        codes = [code for _ in range(16) for code in (4, colour)] + [5]
        packed = sum(code << 3 * index for index, code in enumerate(codes)).to_bytes(13, "little")
        return control + b"\x2c" + place + b"\0\x02" + bytes([len(packed)]) + packed + b"\0"

    palette = bytes([0, 0, 0, 255, 0, 0, 0, 0, 255, 0, 255, 0])
    head = b"GIF89a" + b"\x08\0\x08\0" + b"\x81\0\0" + palette + b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
    return head + frame(0, 1) + frame(4, 2) + b";"


def test_what_no_frame_has_painted_is_transparent(make):
    red, blue = (255, 0, 0, 255), (0, 0, 255, 255)
    assert corners_of(make(bare_gif()).outputs[0].data) == [[red, BARE, BARE]]
    kept = corners_of(make(bare_gif(), output="gif", animated="keep").outputs[0].data)
    assert kept == [[red, BARE, BARE], [red, BARE, blue]]


@pytest.mark.parametrize("disposal", [2, 3])
def test_what_a_frame_takes_back_is_transparent_again(make, disposal):
    data = bare_gif(bytes([disposal << 2]))
    kept = corners_of(make(data, output="gif", animated="keep").outputs[0].data)
    assert kept[1] == [BARE, BARE, (0, 0, 255, 255)]


@pytest.mark.parametrize("name", ["valid/small_frame_big_canvas.gif", "valid/overlapping_frames.gif"])
def test_a_frame_smaller_than_its_canvas_lies_on_the_background(measure, corpus, make, name):
    data = corpus("good/libgd/gif/gif-conformance/" + name)
    shown = measure.pixels(make(data, output="jpeg").outputs[0].data)
    assert shown[-1, -1].min() >= 240
    assert shown.min() < 50


def test_a_frame_on_a_large_canvas_has_the_size_of_the_canvas(make):
    result = make(gif_file(2100, 1500, [gif_frame(300, 200, 100, 60, 200)]), output="png")
    picture = Image.open(io.BytesIO(result.outputs[0].data))
    assert picture.size == (2100, 1500)
    assert picture.getchannel("A").getbbox() == (300, 200, 400, 260)


@pytest.mark.parametrize("output", ["webp", "gif", "png"])
def test_what_is_disposed_to_background_is_transparent_as_browsers_show_it(make, output):
    frames = [gif_frame(0, 0, 60, 40, 200, disposal=2), gif_frame(10, 10, 20, 20, 90, disposal=2), gif_frame(30, 10, 20, 20, 30)]
    result = make(gif_file(60, 40, frames), output=output, animated="keep")
    shown = Image.open(io.BytesIO(result.outputs[0].data))
    alphas = [frame.convert("RGBA").getchannel("A").getbbox() for frame in ImageSequence.Iterator(shown)]
    assert alphas == [(0, 0, 60, 40), (10, 10, 30, 30), (30, 10, 50, 30)]


def test_a_still_before_a_moving_png_is_no_frame(make):
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("black", "red", "blue")]
    file = io.BytesIO()
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:], default_image=True, duration=[100, 100])
    kept = Image.open(io.BytesIO(make(file.getvalue(), output="webp", animated="keep").outputs[0].data))
    colours = [frame.convert("RGB").getpixel((20, 15)) for frame in ImageSequence.Iterator(kept)]
    assert [max(range(3), key=colour.__getitem__) for colour in colours] == [0, 2]


@pytest.mark.parametrize("output", ["png", "avif", "webp"])
def test_transparent_frames_replace_what_was_there(make, output):
    frames = [Image.new("RGBA", (40, 30), (200, 60 * number, 9, 255 if number % 2 else 90)) for number in range(3)]
    file = io.BytesIO()
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:], duration=[100, 100, 100])
    kept = Image.open(io.BytesIO(make(file.getvalue(), output=output, animated="keep").outputs[0].data))
    assert [frame.convert("RGBA").getpixel((20, 15))[3] for frame in ImageSequence.Iterator(kept)] == [90, 255, 90]


@needs_cjxl
@pytest.mark.parametrize("container", ["0", "1"])
def test_a_moving_jpeg_xl_says_that_frames_were_dropped(make, tmp_path, container):
    frames = [Image.new("RGB", (300, 30), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "still.png")
    for name, notes in (("moving.gif", ("frames-dropped",)), ("still.png", ())):
        line = ["cjxl", tmp_path / name, tmp_path / "made.jxl", f"--container={container}"]
        subprocess.run(line, check=True, capture_output=True)
        assert make((tmp_path / "made.jxl").read_bytes(), output="png").notes == notes


@needs_avifenc
@pytest.mark.parametrize("depth", ["8", "10", "12"])
def test_a_moving_avif_of_any_depth_keeps_its_frames_or_says_that_they_were_dropped(make, tmp_path, depth):
    names = []
    for number, colour in enumerate(("red", "lime", "blue")):
        names.append(tmp_path / f"{number}.png")
        Image.new("RGB", (40, 30), colour).save(names[-1])
    subprocess.run(["avifenc", "-d", depth, "-s", "9", *names, tmp_path / "made.avif"], check=True, capture_output=True)
    data = (tmp_path / "made.avif").read_bytes()
    assert make(data, output="webp").notes == ("frames-dropped",)
    kept = make(data, output="webp", animated="keep")
    assert (frames_in(kept), kept.notes) == ([3], ())
    shown = Image.open(io.BytesIO(kept.outputs[0].data))
    colours = [frame.convert("RGB").getpixel((20, 15)) for frame in ImageSequence.Iterator(shown)]
    assert [max(range(3), key=colour.__getitem__) for colour in colours] == [0, 1, 2]


def box(data, kind):
    """Return the outermost box of this ``kind``."""
    return next(data[each.start : each.end] for each in boxes(data, 0, len(data)) if each.kind == kind)


def heif(picture):
    pillow_heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    pillow_heif.from_pillow(picture).save(file)
    return file.getvalue()


def test_a_heif_with_frames_beside_its_still_says_that_they_were_dropped(make):
    still = heif(Image.new("RGB", (40, 30), "red"))
    head, frames = box(still, b"ftyp"), box(animation("AVIF"), b"moov")
    moving = head.replace(b"mif1", b"msf1") + still[len(head) :] + frames
    for animated in ("first", "keep"):
        assert make(moving, animated=animated).notes == ("frames-dropped",)
        assert make(still, animated=animated).notes == ()
    with pytest.raises(UnsupportedError, match="without a still image"):
        make(head.replace(b"mif1", b"msf1") + frames)
