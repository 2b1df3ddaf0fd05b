"""SSIM, compared with the results of scikit-image 0.26 for the same images (gaussian_weights, sigma 1.5, no sample covariance)."""

import io

import numpy as np
import PIL.Image
import pytest

from pixmill.imaging.similarity import luma, ssim

Y, X = np.mgrid[0:64, 0:80].astype(float)
PICTURE = np.clip(127 + 80 * np.sin(X / 7) * np.cos(Y / 5) + 40 * ((X // 16 + Y // 16) % 2), 0, 255)


@pytest.mark.parametrize(
    ("changed", "published"),
    [
        (np.clip(PICTURE + 20, 0, 255), 0.9887702943800178),
        (0.5 * PICTURE + 64, 0.8217311303276839),
        (np.round(PICTURE / 32) * 32, 0.8839835685608073),
        (PICTURE[:, ::-1], 0.16670652252419613),
    ],
)
def test_the_index_is_the_one_that_others_compute(changed, published):
    assert ssim(PICTURE, changed) == pytest.approx(published, abs=1e-9)


def test_equal_pictures_are_wholly_alike():
    assert ssim(PICTURE, PICTURE) == pytest.approx(1.0)


@pytest.mark.parametrize("other", [PICTURE[:-1], PICTURE.T])
def test_pictures_of_different_shape_cannot_be_compared(other):
    with pytest.raises(ValueError, match="same shape"):
        ssim(PICTURE, other)


def test_a_picture_smaller_than_the_window_cannot_be_compared():
    with pytest.raises(ValueError, match="11 pixels per side"):
        ssim(PICTURE[:10], PICTURE[:10])


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P"])
def test_luma_is_read_from_any_mode_with_transparency_on_white(mode):
    file = io.BytesIO()
    gray = PIL.Image.fromarray(PICTURE.astype(np.uint8))
    picture = gray.convert(mode)
    if mode == "RGBA":
        picture.putalpha(PIL.Image.fromarray(np.where(X < 40, 0, 255).astype(np.uint8)))
    picture.save(file, "PNG")
    plane = luma(file.getvalue())
    expected = np.where(X < 40, 255.0, PICTURE) if mode == "RGBA" else PICTURE
    assert plane.shape == PICTURE.shape
    assert np.abs(plane - expected).mean() < 2
