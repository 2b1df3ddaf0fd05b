import numpy as np
import pytest

from pixmill.core.errors import RecipeError
from pixmill.imaging.colour.value import Colour
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation
from pixmill.imaging.operations.flatten import Flatten


def test_transparency_shows_the_background_by_as_much_as_there_is_of_it():
    picture = np.array([[[200, 100, 0, 255], [200, 100, 0, 0], [200, 100, 0, 51]]], np.uint8)
    flat = Flatten(background=Colour(0, 50, 250)).apply(Image.from_numpy(picture)).to_numpy()
    expected = [[200, 100, 0], [0, 50, 250], [40, 60, 200]]
    assert np.abs(flat[0].astype(int) - expected).max() <= 1


def test_white_on_white_stays_white():
    picture = np.array([[[255, 255, 255, alpha] for alpha in range(256)]], np.uint8)
    assert Flatten().apply(Image.from_numpy(picture)).to_numpy().min() == 255


def test_sixteen_bits_and_gray_get_the_background_too():
    picture = np.array([[[1000, 0], [1000, 65535]]], np.uint16)
    assert Flatten().apply(Image.from_numpy(picture)).to_numpy()[0, :, 0].tolist() == [65535, 1000]
    red = Flatten(background=Colour(255, 0, 0)).apply(Image.from_numpy(picture)).to_numpy()
    assert red[0].tolist() == [[65535, 0, 0], [1000, 1000, 1000]]


def test_an_opaque_picture_passes():
    image = Image.from_numpy(np.zeros((2, 2, 3), np.uint8))
    assert Flatten().apply(image) is image


def test_a_background_through_which_something_shows_is_refused():
    with pytest.raises(RecipeError, match=r"flatten.background: expected an opaque colour, received #00000000"):
        Operation.from_builtins("flatten:background=transparent")
