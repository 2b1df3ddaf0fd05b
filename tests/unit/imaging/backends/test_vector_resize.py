import numpy as np
import pytest

from pixmill.imaging.backends import vector_resize
from pixmill.imaging.image import Image

GENEROUS = 1 << 30
PICTURE = Image.from_numpy(np.full((40, 60, 4), 90, np.uint8))


def can(image, size=(30, 20), *, kernel="lanczos3", limit=GENEROUS):
    return vector_resize.supports(image, size, kernel=kernel, limit=limit)


def test_a_transparent_picture_that_becomes_smaller_is_resized_fast():
    assert can(PICTURE)
    small = vector_resize.resized(PICTURE, (30, 20), kernel="lanczos3")
    assert (small.width, small.height, small.has_alpha) == (30, 20, True)


@pytest.mark.parametrize("picture", [
    Image.from_numpy(np.zeros((40, 60, 3), np.uint8)),
    Image.from_numpy(np.zeros((40, 60, 2), np.uint8)),
    Image.from_numpy(np.zeros((40, 60, 4), np.uint16)),
    Image(PICTURE.pixels, frames=2),
], ids=["opaque", "gray", "deep", "animated"])  # fmt: skip
def test_another_kind_of_picture_is_left_to_libvips(picture):
    assert not can(picture)


def test_a_resize_that_is_larger_or_of_another_kernel_or_too_large_to_hold_is_left_to_libvips():
    assert not can(PICTURE, (61, 20))
    assert not can(PICTURE, kernel="nearest")
    assert not can(PICTURE, limit=60 * 40 * 4 - 1)


def test_invisible_colours_do_not_bleed_in():
    array = np.zeros((64, 64, 4), np.uint8)
    array[:, :, 1] = 255
    array[:, 1::2] = (255, 0, 0, 255)
    small = vector_resize.resized(Image.from_numpy(array), (16, 16), kernel="lanczos3").to_numpy()
    assert (small[4:12, 4:12, :2] == (255, 0)).all()
