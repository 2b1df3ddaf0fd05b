import numpy as np

from pixmill.imaging.image import Image
from pixmill.imaging.operations.grayscale import Grayscale
from pixmill.imaging.operations.profile import Profile


def test_gray_is_as_bright_as_the_colour_was_to_the_eye():
    colours = Image.from_numpy(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [90, 90, 90]]], np.uint8))
    red, green, blue, gray = Grayscale().apply(colours).to_numpy()[0, :, 0].tolist()
    linear = np.array([0.2126, 0.7152, 0.0722])  # ITU-R BT.709, the primaries of sRGB
    expected = 255 * (1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.allclose([red, green, blue], expected, atol=1.5)
    assert gray == 90


def test_depth_and_alpha_stay():
    picture = np.full((2, 3, 4), [500, 60000, 100, 777], np.uint16)
    gray = Grayscale().apply(Image.from_numpy(picture))
    assert (gray.pixels.bands, gray.pixels.interpretation, gray.max_value) == (2, "grey16", 65535)
    assert set(gray.to_numpy()[..., 1].ravel().tolist()) == {777}


def test_a_profile_that_was_kept_is_honoured_and_goes():
    colours = Image.from_numpy(np.array([[[200, 40, 40], [30, 160, 60]]], np.uint8))
    wide = Profile(name="display-p3").apply(colours)
    gray = Grayscale().apply(wide)
    assert np.abs(gray.to_numpy().astype(int) - Grayscale().apply(colours).to_numpy()).max() <= 2
    assert not gray.pixels.get_typeof("icc-profile-data")
