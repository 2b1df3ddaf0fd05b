import numpy as np

from pixmill.imaging.image import Image
from pixmill.imaging.operations.flip import Flip

PICTURE = np.array([[1, 2], [3, 4]], np.uint8)


def values(image):
    return image.to_numpy()[..., 0].tolist()


def test_horizontal_changes_left_and_right():
    assert values(Flip().apply(Image.from_numpy(PICTURE))) == [[2, 1], [4, 3]]


def test_vertical_changes_top_and_bottom():
    assert values(Flip(direction="vertical").apply(Image.from_numpy(PICTURE))) == [[3, 4], [1, 2]]


def test_the_frames_of_an_animation_stay_in_order():
    animation = Image.from_numpy(np.array([[1], [2], [3], [4]], np.uint8)).evolve(frames=2)
    assert values(Flip(direction="vertical").apply(animation)) == [[2], [1], [4], [3]]


def test_only_a_horizontal_flip_reads_rows_in_order():
    assert Flip().streams
    assert not Flip(direction="vertical").streams
