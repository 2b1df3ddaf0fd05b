import numpy as np
import pytest

from pixmill.imaging.colour.value import Colour
from pixmill.imaging.image import Image
from pixmill.imaging.operations.trim import Trim


def framed(content, border, *, kind=np.uint8):
    """A content of 12 x 8 pixels with borders of 5 at the left, 3 at the top, 6 at the right and 2 at the bottom."""
    picture = np.empty((13, 23, len(border)), kind)
    picture[:] = border
    picture[3:11, 5:17] = content
    return Image.from_numpy(picture)


@pytest.mark.parametrize(
    ("content", "border", "kind"),
    [
        ([10], [250], np.uint8),
        ([10, 99, 3], [250, 250, 250], np.uint8),
        ([2570, 25000, 771], [64250, 64250, 64250], np.uint16),
        ([0, 0, 0, 255], [0, 0, 0, 0], np.uint8),
        ([0, 0, 0, 65535], [0, 0, 0, 0], np.uint16),
        ([90, 200], [200, 200], np.uint8),
        ([0, 255], [90, 0], np.uint8),
    ],
)
def test_what_is_not_border_stays(content, border, kind):
    trimmed = Trim().apply(framed(content, border, kind=kind)).to_numpy()
    assert trimmed.shape == (8, 12, len(border))
    assert (trimmed == content).all()


def test_a_picture_that_is_nothing_but_border_stays_as_it_is():
    image = framed([7], [7])
    assert Trim().apply(image) is image


def test_a_difference_within_the_threshold_is_border():
    assert Trim(threshold=30).apply(framed([230], [250])).width == 23
    assert Trim(threshold=10).apply(framed([230], [250])).width == 12


def test_only_the_background_that_is_given_is_border():
    assert Trim(background=Colour(255, 255, 255)).apply(framed([0], [250])).width == 12
    assert Trim(background=Colour(255, 255, 255)).apply(framed([0], [100])).width == 23
    assert Trim(background=Colour(255, 0, 0)).apply(framed([0, 9, 0], [255, 0, 0])).width == 12


def test_a_transparent_border_is_found_when_the_background_says_so():
    assert Trim(background=Colour(0, 0, 0, alpha=0)).apply(framed([1, 2, 3, 255], [99, 0, 0, 0])).width == 12


def test_frames_lose_only_the_border_that_all_of_them_have():
    first, second = np.full((9, 9), 255, np.uint8), np.full((9, 9), 255, np.uint8)
    first[2:5, 2:5] = 0
    second[4:8, 4:8] = 0
    trimmed = Trim().apply(Image.from_numpy(np.vstack([first, second])).evolve(frames=2))
    assert (trimmed.width, trimmed.height, trimmed.frames) == (6, 6, 2)
    assert trimmed.to_numpy()[0, 0, 0] == 0
    assert trimmed.to_numpy()[6, 0, 0] == 255
