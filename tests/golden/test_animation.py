"""Animations: the first frame with a note by default, all frames with their timing where asked."""

import io

import pytest
from PIL import Image, ImageSequence

from pixmill.core.errors import LimitError

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


@pytest.mark.parametrize("output", ["gif", "webp"])
def test_delays_are_kept(make, output):
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "lime", "blue")]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=[100, 250, 40], loop=3)
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
