"""Enlarging resamples with the kernel that was asked for, and moves nothing."""

import numpy as np
import pytest
import pyvips
from PIL import Image as Pillow

from pixmill.imaging.enlarging import FILTERS, enlarge
from pixmill.imaging.image import Image
from pixmill.imaging.operations.resize import Resize
from pixmill.imaging.scaling import scale

KERNELS = [*FILTERS, "lanczos2", "nearest"]
FORMATS = {"uchar": (np.uint8, 1), "ushort": (np.uint16, 257), "float": (np.float32, 1 / 255)}


def dot(value_format, bands):
    kind, factor = FORMATS[value_format]
    values = np.full((9, 9, bands), 60, float)
    values[4, 4] = 160
    return pyvips.Image.new_from_array((values * factor).astype(kind))


def shift(values):
    height, width = values.shape
    mass = values - values[0, 0]
    y, x = np.mgrid[0:height, 0:width] + 0.5
    return max(abs((mass * x).sum() / mass.sum() - width / 2), abs((mass * y).sum() / mass.sum() - height / 2))


@pytest.mark.parametrize("bands", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("value_format", FORMATS)
@pytest.mark.parametrize("kernel", KERNELS)
def test_what_is_in_the_centre_stays_there(kernel, value_format, bands):
    for size in ((45, 45), (40, 63), (9, 20), (30, 5)):
        result = enlarge(dot(value_format, bands), size, kernel)
        assert (result.width, result.height, result.bands, result.format) == (*size, bands, value_format)
        if size == (45, 45) or (kernel != "nearest" and min(size) >= 9):
            values = result.numpy().reshape(size[1], size[0], bands)[..., bands - 1].astype(float)
            assert shift(values) < 0.01


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_resize_enlarges_in_place_with_its_kernel(kernel):
    image = Image(dot("uchar", 1).copy(interpretation="b-w"))
    result = Resize(width=45, enlarge=True, kernel=kernel).apply(image)
    assert np.array_equal(result.to_numpy()[..., 0], enlarge(image.pixels, (45, 45), kernel).numpy())
    assert shift(result.to_numpy()[..., 0].astype(float)) < 0.01


def test_each_kernel_has_a_result_of_its_own():
    results = {enlarge(dot("uchar", 1), (45, 45), kernel).numpy().tobytes() for kernel in KERNELS}
    assert len(results) == len(KERNELS)


@pytest.mark.parametrize(("kernel", "filter_of_pillow"), [("linear", 2), ("lanczos3", 1)])
def test_the_values_are_those_of_another_library(kernel, filter_of_pillow):
    values = np.random.default_rng(4).integers(60, 190, (20, 30), dtype=np.uint8)  # nothing overshoots
    wanted = np.asarray(Pillow.fromarray(values).resize((70, 60), Pillow.Resampling(filter_of_pillow)), int)
    got = enlarge(pyvips.Image.new_from_array(values), (70, 60), kernel).numpy().astype(int)
    assert np.abs(got - wanted).max() <= 1


def test_a_flat_image_stays_flat_up_to_its_edges():
    for kernel in KERNELS:
        result = enlarge(pyvips.Image.new_from_array(np.full((5, 7, 3), 200, np.uint8)), (50, 40), kernel)
        assert (result.min(), result.max()) == (200, 200)


@pytest.mark.parametrize("linear", [False, True])
def test_transparent_colours_do_not_bleed_and_metadata_stay(linear):
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:, :4] = (255, 0, 0, 255)
    pixels[:, 4:] = (0, 255, 0, 0)
    source = pyvips.Image.new_from_array(pixels).copy(interpretation="srgb")
    source.set_type(pyvips.GValue.blob_type, "icc-profile-data", b"profile")
    result = scale(Image(source), (40, 40), kernel="lanczos3", linear=linear).pixels
    values = result.numpy().astype(int)
    assert values[..., 1][values[..., 3] > 8].max() <= 2
    assert linear or result.get("icc-profile-data") == b"profile"
