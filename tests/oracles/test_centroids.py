"""Resizing moves nothing: the centre of a blob stays where it was, to a twentieth of an output pixel."""

import io

import numpy as np
import pillow_heif
import pytest
import pyvips
from PIL import Image

from pixmill.imaging.input import Input
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe

SIZES = [(641, 481), (643, 485), (647, 487), (799, 601), (640, 480)]
WIDTHS = (50, 77, 150, 320, 1000, 1283)
MAX_SHIFT = 0.05  # output pixels
PLACE = (0.4, 0.55)  # of the centre, as parts of width and height
FLOOR = 12  # what lossy formats leave of an empty ground


def blob(width, height):
    y, x = np.mgrid[0:height, 0:width]
    across, down = (x + 0.5 - PLACE[0] * width) / (width / 12), (y + 0.5 - PLACE[1] * height) / (height / 12)
    return 255 * np.exp(-(across**2 + down**2))


def shift(pixels, wanted=PLACE):
    """Return how far the centre of mass is from its place, in pixels."""
    height, width = pixels.shape
    mass = np.maximum(0, pixels.astype(float) - FLOOR)
    y, x = np.mgrid[0:height, 0:width] + 0.5
    across, down = (mass * x).sum() / mass.sum() - wanted[0] * width, (mass * y).sum() / mass.sum() - wanted[1] * height
    return max(abs(across), abs(down))


def saved(array, kind, **settings):
    pillow_heif.register_heif_opener()
    import pillow_jxl  # noqa: F401, PLC0415  # registers itself

    file = io.BytesIO()
    Image.fromarray(array.round().astype(np.uint8)).convert("RGB").save(file, kind, **settings)
    return file.getvalue()


def deep(array, saver, **settings):
    pixels = pyvips.Image.new_from_array((array * 257).round().astype(np.uint16)).copy(interpretation="grey16")
    return pixels.write_to_buffer(saver, **settings)


KINDS = {
    "jpg": lambda array: saved(array, "JPEG", quality=95),
    "jpg 4:4:4": lambda array: saved(array, "JPEG", quality=95, subsampling=0),
    "jpg, progressive": lambda array: saved(array, "JPEG", quality=95, progressive=True),
    "png": lambda array: saved(array, "PNG"),
    "png, 16 bits": lambda array: deep(array, ".png"),
    "webp": lambda array: saved(array, "WEBP", quality=95),
    "tif": lambda array: saved(array, "TIFF"),
    "tif, tiles": lambda array: deep(array, ".tif", tile=True, pyramid=True),
    "avif": lambda array: saved(array, "AVIF", quality=90),
    "heic": lambda array: saved(array, "HEIF", quality=90),
    "jxl": lambda array: saved(array, "JXL", quality=95),
    "gif": lambda array: saved(array, "GIF"),
    "bmp": lambda array: saved(array, "BMP"),
}


def gray(output):
    return np.asarray(Image.open(io.BytesIO(output.data)).convert("L"))


def resized(size, width, more=""):
    height = max(1, round(width * size[1] / size[0]))
    return f"resize:width={width},height={height},fit=fill,enlarge=true{more}"


@pytest.mark.parametrize("engine", ["auto", "vips"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_blob_stays_where_it_was(engine, kind, size):
    data = KINDS[kind](blob(*size))
    for width in WIDTHS:
        recipe = {"steps": [resized(size, width)], "engine": engine, "renditions": [{"encode": "png"}]}
        made = process(Input(data), Recipe.from_builtins(recipe))
        assert shift(gray(made.outputs[0])) < MAX_SHIFT, width


@pytest.mark.parametrize("engine", ["auto", "vips"])
@pytest.mark.parametrize("kind", ["jpg", "jpg, progressive", "png", "webp", "tif, tiles"])
def test_each_of_several_renditions_keeps_its_place(engine, kind):
    size = SIZES[0]
    renditions = [{"encode": "png", "steps": [resized(size, width)], "name": f"{width}/{{stem}}.{{ext}}"} for width in WIDTHS]
    for some in (renditions, renditions[:3]):
        made = process(Input(KINDS[kind](blob(*size))), Recipe.from_builtins({"engine": engine, "renditions": some}))
        assert max(shift(gray(output)) for output in made.outputs) < MAX_SHIFT


@pytest.mark.parametrize("engine", ["auto", "vips"])
@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("kernel", ["linear", "cubic", "mitchell", "lanczos2", "lanczos3"])
@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_every_kernel_keeps_its_place(engine, kind, kernel, linear):
    size = SIZES[1]
    for width in (*WIDTHS, size[0] - 1, size[0] + 1):
        step = resized(size, width, f",kernel={kernel},linear={str(linear).lower()}")
        recipe = {"steps": [step], "engine": engine, "renditions": [{"encode": "png"}]}
        assert shift(gray(process(Input(KINDS[kind](blob(*size))), Recipe.from_builtins(recipe)).outputs[0])) < MAX_SHIFT, width


@pytest.mark.parametrize("engine", ["auto", "vips"])
@pytest.mark.parametrize(("orientation", "place"), [(3, (0.6, 0.45)), (6, (0.45, 0.4)), (7, (0.45, 0.6))])
def test_a_turned_picture_keeps_its_place(engine, orientation, place):
    size, exif = SIZES[2], Image.Exif()
    exif[0x112] = orientation
    data = saved(blob(*size), "JPEG", quality=95, exif=exif)
    upright = size if orientation < 5 else size[::-1]
    for width in WIDTHS:
        recipe = {"steps": [resized(upright, width)], "engine": engine, "renditions": [{"encode": "png"}]}
        assert shift(gray(process(Input(data), Recipe.from_builtins(recipe)).outputs[0]), place) < MAX_SHIFT, width
