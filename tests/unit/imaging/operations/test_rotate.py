import numpy as np
import pytest

from pixmill.imaging.colour.value import Colour
from pixmill.imaging.image import Image
from pixmill.imaging.operations.rotate import Rotate

PICTURE = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)


def values(image):
    return image.to_numpy()[..., 0].tolist()


@pytest.mark.parametrize(
    ("angle", "expected"),
    [
        (0, [[1, 2, 3], [4, 5, 6]]),
        (90, [[4, 1], [5, 2], [6, 3]]),
        (180, [[6, 5, 4], [3, 2, 1]]),
        (270, [[3, 6], [2, 5], [1, 4]]),
        (-90, [[3, 6], [2, 5], [1, 4]]),
        (360, [[1, 2, 3], [4, 5, 6]]),
    ],
)
def test_quarter_turns_go_clockwise_and_are_exact(angle, expected):
    assert values(Rotate(angle=angle).apply(Image.from_numpy(PICTURE))) == expected


def test_each_frame_of_an_animation_turns_on_its_own():
    animation = Image.from_numpy(np.vstack([PICTURE, PICTURE + 10])).evolve(frames=2)
    turned = Rotate(angle=90).apply(animation)
    assert (turned.frames, turned.width, turned.height) == (2, 2, 3)
    assert values(turned)[3] == [14, 11]


def test_the_canvas_of_an_oblique_turn_holds_the_whole_picture():
    turned = Rotate(angle=45).apply(Image.from_numpy(np.full((100, 100, 3), 200, np.uint8)))
    assert abs(turned.width - 141) <= 1
    assert abs(turned.height - 141) <= 1


def test_corners_are_transparent_unless_a_background_is_given():
    square = Image.from_numpy(np.full((40, 40, 3), 200, np.uint8))
    assert Rotate(angle=30).apply(square).to_numpy()[0, 0].tolist() == [0, 0, 0, 0]
    red = Rotate(angle=30, background=Colour(255, 0, 0)).apply(square).to_numpy()
    assert red[0, 0].tolist() == [255, 0, 0]
    assert red.shape[2] == 3


def test_a_gray_picture_gets_corners_of_a_hue():
    gray = Image.from_numpy(np.full((40, 40), 50000, np.uint16))
    turned = Rotate(angle=30, background=Colour(255, 0, 0)).apply(gray).to_numpy()
    assert turned[0, 0].tolist() == [65535, 0, 0]
    assert turned[turned.shape[0] // 2, turned.shape[1] // 2].tolist() == [50000, 50000, 50000]


def test_no_dark_seam_appears_between_a_picture_and_its_transparent_corners():
    turned = Rotate(angle=30).apply(Image.from_numpy(np.full((40, 40, 3), 200, np.uint8))).to_numpy()
    visible = turned[turned[..., 3] > 8]
    assert visible[:, :3].min() >= 195


def test_an_invisible_colour_does_not_bleed_into_its_neighbours():
    picture = np.full((40, 40, 4), [0, 255, 0, 0], np.uint8)
    picture[:, 20:] = [200, 0, 0, 255]
    turned = Rotate(angle=30).apply(Image.from_numpy(picture)).to_numpy()
    assert turned[turned[..., 3] > 8][:, 1].max() <= 5


def test_it_says_when_it_adds_transparency_and_when_it_streams():
    assert Rotate(angle=10).adds_alpha
    assert not Rotate(angle=90).adds_alpha
    assert not Rotate(angle=10, background=Colour(0, 0, 0)).adds_alpha
    assert Rotate(angle=360).streams
    assert not Rotate(angle=180).streams


def test_a_background_that_is_half_transparent_keeps_its_colour():
    turned = Rotate(angle=30, background=Colour(100, 40, 0, alpha=128)).apply(Image.from_numpy(np.full((40, 40, 3), 200, np.uint8)))
    assert np.abs(turned.to_numpy()[0, 0].astype(int) - [100, 40, 0, 128]).max() <= 1
