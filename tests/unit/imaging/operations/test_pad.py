import numpy as np
import pytest

from pixmill.imaging.colour.value import Colour
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation
from pixmill.imaging.operations.pad import Pad


@pytest.mark.parametrize(
    ("step", "canvas", "corner"),
    [
        ("pad:border=5", (110, 60), (5, 5)),
        ("pad:border=5,bottom=20", (110, 80), (5, 5)),
        ("pad:left=1,top=2,right=3,bottom=4", (104, 56), (1, 2)),
        ("pad:width=200,height=200", (200, 200), (50, 75)),
        ("pad:width=200,height=20,gravity=north-west", (200, 50), (0, 0)),
        ("pad:aspect=1:1", (100, 100), (0, 25)),
        ("pad:aspect=1:1,border=10,gravity=south", (120, 120), (10, 60)),
        ("pad", (100, 50), (0, 0)),
    ],
)
def test_the_canvas_grows_as_much_as_is_asked(step, canvas, corner):
    size, place = Operation.from_builtins(step).canvas((100, 50))
    assert size == canvas
    assert (place.left, place.top) == corner


def test_the_room_has_the_background_and_the_picture_its_pixels():
    padded = Pad(left=1, background=Colour(255, 0, 0)).apply(Image.from_numpy(np.full((1, 1, 3), 7, np.uint8)))
    assert padded.to_numpy().tolist() == [[[255, 0, 0], [7, 7, 7]]]


def test_padding_is_transparent_by_default():
    padded = Pad(right=1).apply(Image.from_numpy(np.full((1, 1), 7, np.uint16)))
    assert padded.to_numpy().tolist() == [[[7, 65535], [0, 0]]]
    assert Pad().adds_alpha
    assert not Pad(background=Colour(0, 0, 0)).adds_alpha


def test_a_picture_that_needs_no_room_passes():
    image = Image.from_numpy(np.zeros((50, 100), np.uint8))
    assert Pad(width=100, height=10).apply(image) is image


def test_every_frame_gets_its_own_room():
    animation = Image.from_numpy(np.array([[1], [2]], np.uint8)).evolve(frames=2)
    padded = Pad(top=1, background=Colour(9, 9, 9)).apply(animation)
    assert (padded.frames, padded.height) == (2, 2)
    assert padded.to_numpy()[..., 0].ravel().tolist() == [9, 1, 9, 2]
