import numpy as np
import pytest

from pixmill.core.errors import RecipeError, TransformError
from pixmill.imaging.geometry.sizes import Rectangle
from pixmill.imaging.geometry.smart_crop import CropGravity
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation
from pixmill.imaging.operations.crop import Crop


def numbered(width, height):
    """An image in which each pixel's value encodes its position."""
    return Image.from_numpy(np.arange(width * height, dtype=np.uint8).reshape(height, width))


def values(image):
    return image.to_numpy()[..., 0].tolist()


def test_exact_coordinates_cut_exactly_those_pixels():
    assert values(Crop(left=1, top=2, width=3, height=1).apply(numbered(5, 4))) == [[11, 12, 13]]


@pytest.mark.parametrize(
    ("gravity", "first"),
    [("north-west", 0), ("top", 1), ("east", 7), ("centre", 6), ("south-east", 12), ("bottom-left", 10)],
)
def test_gravity_says_which_part_stays(gravity, first):
    cropped = Crop(width=3, height=2, gravity=CropGravity.from_builtin(gravity)).apply(numbered(5, 4))
    assert values(cropped) == [[first, first + 1, first + 2], [first + 5, first + 6, first + 7]]


def test_the_part_in_the_middle_has_as_much_cut_on_every_side():
    assert Crop(width=40, height=20).rectangle((100, 60)) == Rectangle(30, 20, 40, 20)


def test_a_side_that_is_not_given_stays():
    assert Crop(width=2).rectangle((5, 4)) == Rectangle(1, 0, 2, 4)
    assert Crop(top=1).rectangle((5, 4)) == Rectangle(0, 1, 5, 3)


def test_proportions_cut_as_little_as_they_can():
    wide = Operation.from_builtins("crop:aspect=16:9")
    assert wide.rectangle((1600, 1600)) == Rectangle(0, 350, 1600, 900)
    assert wide.rectangle((3200, 900)) == Rectangle(800, 0, 1600, 900)


def test_a_rectangle_beyond_the_edge_is_cut_at_the_edge():
    assert Crop(left=3, top=2, width=100, height=100).apply(numbered(5, 4)).to_numpy().shape == (2, 2, 1)
    assert Crop(width=100, height=100).apply(numbered(5, 4)).to_numpy().shape == (4, 5, 1)


def test_a_rectangle_wholly_outside_fails_the_picture():
    with pytest.raises(TransformError, match="the rectangle at 5,0 is outside the image of 5x4"):
        Crop(left=5, top=0, width=1, height=1).apply(numbered(5, 4))


def test_a_crop_without_parameters_is_refused():
    with pytest.raises(RecipeError, match="expected at least one of width, height"):
        Crop()
    with pytest.raises(RecipeError, match=r"crop.width: expected an integer of at least 1, received 0"):
        Crop(width=0)


def test_each_frame_of_an_animation_loses_the_same_part():
    column = Image.from_numpy(np.arange(24, dtype=np.uint8).reshape(6, 4)).evolve(frames=2)
    cropped = Crop(left=1, top=1, width=2, height=1).apply(column)
    assert (cropped.frames, cropped.height, values(cropped)) == (2, 1, [[5, 6], [17, 18]])


def test_a_search_finds_the_part_with_detail():
    values = np.full((100, 300), 40, np.uint8)
    values[30:70, 200:240] = np.random.default_rng(1).integers(0, 255, (40, 40))
    cropped = Crop(width=60, height=60, gravity=CropGravity("entropy")).apply(Image.from_numpy(values))
    assert (cropped.width, cropped.height) == (60, 60)
    assert (cropped.to_numpy() != 40).sum() > 1400
    assert not Crop(width=60, gravity=CropGravity("entropy")).streams
    assert Crop(left=3, gravity=CropGravity("entropy")).streams
