import numpy as np
import pytest

from pixmill.imaging.image import Image
from pixmill.imaging.pixels import describe_invalid


def still(bands=3, kind=np.uint8):
    return Image.from_numpy(np.zeros((6, 4, bands), kind))


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_pictures_of_the_working_space_are_sound(bands, kind):
    assert describe_invalid(still(bands, kind)) == ""
    assert describe_invalid(still(bands, kind).evolve(frames=3, delays=(10, 20, 30))) == ""


@pytest.mark.parametrize(
    ("image", "fault"),
    [
        (still().evolve(pixels=still().pixels.cast("float")), "3 bands of float as srgb"),
        (still().evolve(pixels=still().pixels.colourspace("lab")), "3 bands of float as lab"),
        (still().evolve(pixels=still().pixels.extract_band(0)), "1 bands of uchar as srgb"),
        (still(3, np.uint16).evolve(pixels=still().pixels.copy(interpretation="rgb16")), "3 bands of uchar as rgb16"),
        (still().evolve(frames=4), "do not divide into 4 frames"),
        (still().evolve(frames=2, delays=(10,)), "1 delays for 2 frames"),
    ],
)
def test_an_invalid_image_is_described(image, fault):
    assert fault in describe_invalid(image)
