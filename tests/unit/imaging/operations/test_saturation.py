import numpy as np
import pytest

from pixmill.imaging.image import Image
from pixmill.imaging.operations.saturation import Saturation


@pytest.mark.parametrize(("kind", "depth"), [(np.uint8, 1), (np.uint16, 257)])
def test_colours_move_away_from_the_gray_of_their_luminance(kind, depth):
    colour = np.array([200, 100, 50]) * depth
    luminance = colour @ [0.2126, 0.7152, 0.0722]
    for factor in (0, 0.5, 1, 1.5):
        moved = Saturation(factor=factor).apply(Image.from_numpy(colour[None, None].astype(kind))).to_numpy()[0, 0]
        assert np.abs(moved - np.clip(luminance + (colour - luminance) * factor, 0, 255 * depth)).max() <= 0.5 + 1e-6 * depth


def test_gray_stays_gray():
    gray = Image.from_numpy(np.full((2, 2, 2), 90, np.uint8))
    assert Saturation(factor=3).apply(gray) is gray
    assert Saturation(factor=3).apply(Image.from_numpy(np.full((1, 1, 3), 90, np.uint8))).to_numpy().ravel().tolist() == [90] * 3


def test_alpha_stays():
    picture = np.full((1, 1, 4), [10, 20, 30, 40], np.uint8)
    assert Saturation(factor=0).apply(Image.from_numpy(picture)).to_numpy()[0, 0, 3] == 40
