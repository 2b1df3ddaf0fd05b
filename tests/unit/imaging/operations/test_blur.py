import numpy as np

from pixmill.imaging.image import Image
from pixmill.imaging.operations.blur import Blur


def test_an_edge_becomes_a_slope_and_the_mean_stays():
    picture = np.zeros((21, 21), np.uint8)
    picture[:, 11:] = 200
    blurred = Blur(sigma=2).apply(Image.from_numpy(picture)).to_numpy()[10, :, 0].astype(int)
    assert (np.diff(blurred) >= 0).all()
    assert 60 < blurred[10] < 140
    assert abs(blurred.mean() - picture[10].mean()) < 3


def test_a_larger_sigma_blurs_more():
    noise = Image.from_numpy(np.random.default_rng(1).integers(0, 255, (64, 64), np.uint8))
    assert Blur(sigma=4).apply(noise).to_numpy().std() < Blur(sigma=1).apply(noise).to_numpy().std() < noise.to_numpy().std()


def test_an_invisible_colour_does_not_bleed_into_its_neighbours():
    picture = np.full((20, 40, 4), [0, 255, 0, 0], np.uint8)
    picture[:, 20:] = [200, 0, 0, 255]
    blurred = Blur(sigma=3).apply(Image.from_numpy(picture)).to_numpy()
    assert blurred[blurred[..., 3] > 8][:, 1].max() == 0
    assert 100 < blurred[10, 20, 3] < 180


def test_frames_do_not_blur_into_each_other():
    column = np.vstack([np.zeros((10, 10), np.uint8), np.full((10, 10), 255, np.uint8)])
    assert (Blur(sigma=3).apply(Image.from_numpy(column).evolve(frames=2)).to_numpy()[..., 0] == column).all()


def test_it_is_a_gaussian_to_the_nearest_level():
    values = np.random.default_rng(1).integers(0, 255, (40, 60)).astype(float)
    weights = np.exp(-(np.arange(-12, 13) ** 2) / (2 * 4.0**2))
    weights /= weights.sum()
    expected = values
    for axis in (0, 1):
        padded = np.pad(expected, [(12, 12) if side == axis else (0, 0) for side in (0, 1)], mode="edge")
        expected = np.apply_along_axis(lambda line: np.convolve(line, weights, mode="valid"), axis, padded)
    blurred = Blur(sigma=4).apply(Image.from_numpy(values.astype(np.uint8))).to_numpy()[..., 0]
    assert np.abs(blurred - expected).max() <= 1
    assert np.abs(blurred - expected).mean() <= 0.5
