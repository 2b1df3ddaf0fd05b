import os

import numpy as np
import PIL.Image
import pytest

from pixmill.core.errors import RecipeError, TransformError
from pixmill.imaging.geometry.gravity import POSITIONS, Gravity
from pixmill.imaging.image import Image
from pixmill.imaging.operations.watermark import Watermark

RED = [255, 0, 0, 255]


@pytest.fixture
def mark(tmp_path):
    def write(*colour, size=(4, 2), name="mark.png"):
        path = tmp_path / name
        PIL.Image.fromarray(np.full((size[1], size[0], len(colour)), colour, np.uint8).squeeze()).save(path)
        return str(path)

    return write


def gray_picture(width=20, height=10, bands=3, kind=np.uint8, value=100):
    return Image.from_numpy(np.full((height, width, bands), value, kind))


def covered(image):
    """The rectangle (left, top, width, height) in which the image is red."""
    rows, columns = np.nonzero(image.to_numpy()[..., 1] < 50)
    return columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1


@pytest.mark.parametrize("place", POSITIONS)
def test_the_mark_lies_at_its_place_and_leaves_its_margin(mark, place):
    left, top, width, height = covered(Watermark(image=mark(*RED), position=Gravity(place), margin=1).apply(gray_picture()))
    assert (width, height) == (4, 2)
    across, down = POSITIONS[place]
    assert left == 1 + int(14 * across)
    assert top == 1 + int(6 * down)


def test_opacity_mixes_the_mark_with_the_picture(mark):
    marked = Watermark(image=mark(*RED), opacity=0.5, tile=True).apply(gray_picture()).to_numpy()
    assert np.abs(marked[0, 0].astype(int) - [178, 50, 50]).max() <= 1
    unseen = Watermark(image=mark(*RED), opacity=0, tile=True).apply(gray_picture()).to_numpy()
    assert set(unseen.ravel().tolist()) == {100}


def test_the_transparency_of_the_mark_is_honoured(mark):
    marked = Watermark(image=mark(255, 0, 0, 0)).apply(gray_picture()).to_numpy()
    assert set(marked.ravel().tolist()) == {100}


def test_scale_is_a_part_of_the_picture(mark):
    assert covered(Watermark(image=mark(*RED, size=(40, 20)), scale=0.5).apply(gray_picture(200, 100)))[2:] == (100, 50)
    assert covered(Watermark(image=mark(*RED, size=(400, 20)), scale=0.5).apply(gray_picture(200, 100)))[2:] == (100, 5)


def test_a_mark_that_does_not_fit_is_made_smaller(mark):
    left, top, width, height = covered(Watermark(image=mark(*RED, size=(400, 200)), margin=2).apply(gray_picture(20, 10)))
    assert (left, top) >= (2, 2)
    assert width <= 16
    assert height <= 6


def test_a_mark_in_tiles_covers_the_whole_picture(mark):
    marked = Watermark(image=mark(*RED), tile=True).apply(gray_picture(21, 11)).to_numpy()
    assert (marked == [255, 0, 0]).all()
    spaced = Watermark(image=mark(*RED), tile=True, margin=1).apply(gray_picture(20, 9)).to_numpy()
    assert (spaced[:, 4::5] == 100).all()
    assert (spaced[2::3] == 100).all()
    assert (spaced[0, :4] == [255, 0, 0]).all()


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("bands", [1, 2, 3, 4])
def test_depth_and_transparency_of_the_picture_stay(mark, kind, bands):
    full = int(np.iinfo(kind).max)
    picture = gray_picture(bands=bands, kind=kind, value=full)
    marked = Watermark(image=mark(*RED), position=Gravity("north-west")).apply(picture)
    assert marked.has_alpha == picture.has_alpha
    assert marked.to_numpy()[0, 0, :3].tolist() == [full, 0, 0]
    assert set(marked.to_numpy()[9, 19].tolist()) == {full}


def test_a_gray_picture_stays_gray_below_a_gray_mark(mark):
    marked = Watermark(image=mark(0, 255), position=Gravity("west")).apply(gray_picture(bands=1))
    assert marked.pixels.bands == 1
    assert sorted(set(marked.to_numpy().ravel().tolist())) == [0, 100]


def test_a_gray_mark_lies_on_a_picture_in_colour(mark):
    marked = Watermark(image=mark(0, 255)).apply(gray_picture())
    assert sorted(set(marked.to_numpy().ravel().tolist())) == [0, 100]


def test_every_frame_of_an_animation_is_marked(mark):
    animation = gray_picture(20, 30).evolve(frames=3)
    marked = Watermark(image=mark(*RED), position=Gravity("north-west")).apply(animation).to_numpy()
    assert [marked[row, 0].tolist() for row in (0, 10, 20)] == [[255, 0, 0]] * 3
    assert marked[2, 0].tolist() == [100] * 3


def test_a_mark_that_changed_on_disk_is_read_again(mark):
    step = Watermark(image=mark(*RED), tile=True)
    assert step.apply(gray_picture()).to_numpy()[0, 0].tolist() == [255, 0, 0]
    os.utime(mark(0, 0, 255, 255), ns=(1, 1))
    assert step.apply(gray_picture()).to_numpy()[0, 0].tolist() == [0, 0, 255]


def test_a_mark_that_cannot_be_read_fails_with_its_name(tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    for name in ("text.png", "nowhere.png"):
        with pytest.raises(TransformError, match=f"watermark: cannot read .*{name}"):
            Watermark(image=str(tmp_path / name)).apply(gray_picture())
    with pytest.raises(RecipeError, match="watermark: file not found"):
        Watermark(image=str(tmp_path / "nowhere.png")).check()
    assert Watermark(image="logo.png").files == ("logo.png",)
