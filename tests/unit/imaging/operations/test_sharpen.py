import numpy as np
import pytest

from pixmill.imaging.image import Image
from pixmill.imaging.operations.sharpen import Sharpen


def edge(*values, kind=np.uint8):
    """A soft edge between two colours."""
    low, high = (np.array(value, float) for value in values)
    slope = np.clip((np.arange(20) - 8) / 4, 0, 1)[None, :, None]
    return Image.from_numpy(np.broadcast_to(low + (high - low) * slope, (10, 20, len(low))).astype(kind).copy())


@pytest.mark.parametrize(("kind", "factor"), [(np.uint8, 1), (np.uint16, 257)])
def test_an_edge_becomes_steeper(kind, factor):
    soft = edge([60 * factor] * 3, [190 * factor] * 3, kind=kind)
    crisp = Sharpen(sigma=1).apply(soft).to_numpy()[5, :, 0].astype(int)
    before = soft.to_numpy()[5, :, 0].astype(int)
    assert np.diff(crisp).max() > np.diff(before).max()
    assert abs(crisp[0] - before[0]) <= 2 * factor


def test_more_is_more_and_nothing_is_nothing():
    soft = edge([60, 60, 60], [190, 190, 190])
    contrast = [int(np.ptp(Sharpen(sigma=1, amount=amount).apply(soft).to_numpy())) for amount in (0, 1, 4)]
    assert contrast[0] == 130
    assert contrast[0] < contrast[1] < contrast[2]


def test_a_gentle_slope_below_the_threshold_is_left_alone():
    soft = edge([100, 100, 100], [110, 110, 110])
    assert (Sharpen(sigma=1, threshold=50).apply(soft).to_numpy() == soft.to_numpy()).all()


@pytest.mark.parametrize(("kind", "factor"), [(np.uint8, 1), (np.uint16, 257)])
def test_alpha_is_not_sharpened(kind, factor):
    soft = edge(np.array([60, 60, 60, 30]) * factor, np.array([190, 190, 190, 250]) * factor, kind=kind)
    assert (Sharpen(sigma=1).apply(soft).to_numpy()[..., 3] == soft.to_numpy()[..., 3]).all()


def test_an_edge_to_an_invisible_colour_is_not_sharpened():
    picture = np.full((10, 20, 4), [255, 255, 255, 0], np.uint8)
    picture[:, 10:] = [128, 128, 128, 255]
    crisp = Sharpen(sigma=1, amount=8).apply(Image.from_numpy(picture)).to_numpy()[:, 12:]
    assert np.abs(crisp[..., :3].astype(int) - 128).max() <= 30
    plain = Image.from_numpy(np.ascontiguousarray(picture[..., :3]))
    leaked = Sharpen(sigma=1, amount=8).apply(plain).to_numpy()[:, 10:]
    assert np.abs(leaked.astype(int) - 128).max() > 30


def test_frames_do_not_sharpen_each_other():
    column = np.vstack([np.full((10, 10), 50, np.uint8), np.full((10, 10), 200, np.uint8)])
    assert (Sharpen().apply(Image.from_numpy(column).evolve(frames=2)).to_numpy()[..., 0] == column).all()


def test_a_plain_picture_that_is_half_transparent_stays_as_it_is():
    plain = Image.from_numpy(np.full((9, 9, 4), [100, 180, 30, 128], np.uint8))
    assert np.abs(Sharpen().apply(plain).to_numpy().astype(int) - [100, 180, 30, 128]).max() <= 2
