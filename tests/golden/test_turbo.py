"""The fast path produces the same image as libvips: of the same size, and as faithful to the source."""

import io
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from PIL import Image as Pillow

from pixmill.core.errors import PixmillError
from pixmill.imaging.codecs.png import Png
from pixmill.imaging.input import Input
from pixmill.imaging.operations.resize import Resize
from pixmill.imaging.pipeline import decode, identify, turbo_decode
from pixmill.imaging.pipeline.decode_plan import plan_decode
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe, Rendition
from pixmill.testing.synthetic_scenes import noise
from support.image_metrics import float_lanczos, psnr

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus"
JPEG = b"\xff\xd8\xff"
FAITHFUL = 45  # dB
COLOURS = 0.5  # CIEDE2000, in the mean
COLOUR = 3  # bands
# For odd sizes, libvips uses the rounded-up decode as the image and is off by up to half a pixel, so it is not the reference then.
AUTHORITY = 50  # dB


def corpus(*folders):
    found = (path for folder in folders for path in sorted((CORPUS / folder).rglob("*")) if path.is_file())
    return [pytest.param(path, id=path.relative_to(CORPUS).as_posix()) for path in found if path.read_bytes().startswith(JPEG)]


def both(data, side):
    """Return the image within a box from the fast path and from libvips; ``None`` if the fast path leaves it to libvips."""
    recipe = Recipe(steps=(Resize(width=side, height=side),))
    source = Input(data)
    header = identify.read_header(source, recipe)
    plan = plan_decode(source, header, recipe)
    if not plan.eighths:
        return None
    (fast,) = turbo_decode.decode(source, plan)
    general = decode.decode(source, plan)
    assert (fast.width, fast.height, fast.pixels.bands) == (general.width, general.height, general.pixels.bands)
    return fast.to_numpy().astype(float), general.to_numpy().astype(float)


def assert_alike_at(sides, data, measure):
    """Compare the fast path with libvips, and both with a floating-point resize of the full decode."""
    gray = simplejpeg.decode_jpeg_header(data)[2] == "Gray"
    whole = simplejpeg.decode_jpeg(data, "GRAY" if gray else "RGB")
    for side in sides:
        fast, general = both(data, side)
        assert_alike(fast, general, float_lanczos(whole, (fast.shape[1], fast.shape[0])), measure)


def assert_alike(fast, general, truth, measure):
    assert psnr(fast, truth) >= min(FAITHFUL, psnr(general, truth) - 1)
    if psnr(general, truth) >= AUTHORITY:
        assert psnr(fast, general) >= FAITHFUL
    if fast.shape[-1] == COLOUR:
        assert measure.difference(fast, truth)[0] <= max(COLOURS, measure.difference(general, truth)[0] + 0.1)


def scene(width, height):
    """Return an image like a photograph: detail is mostly in the lightness, and colour changes slowly."""
    light = noise(height, width, slope=1.2, seed=1)[..., None]
    tint = np.stack([noise(height, width, slope=2.0, seed=seed) for seed in (2, 3, 4)], axis=-1)
    return ((0.7 * light + 0.3 * tint) * 255).astype(np.uint8)


def jpeg(pixels, **options):
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, "JPEG", quality=92, **options)
    return file.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("path", corpus("photos"))
def test_a_photograph_comes_out_as_libvips_makes_it(path, measure):
    data = path.read_bytes()
    for side in (1920, 800, 256):
        fast, general = both(data, side)
        assert psnr(fast, general) >= FAITHFUL
        if measure.difference(fast, general)[0] > COLOURS:  # 4:2:2, of which libvips decodes less
            whole = simplejpeg.decode_jpeg(data, "RGB")
            truth = float_lanczos(whole, (fast.shape[1], fast.shape[0]))
            assert measure.difference(fast, truth)[0] < measure.difference(general, truth)[0]


@pytest.mark.parametrize("path", corpus("good"))
def test_a_sound_jpeg_of_whatever_kind_comes_out_as_libvips_makes_it(path, measure):
    data = path.read_bytes()
    try:
        left_to_libvips = both(data, 150) is None
    except (PixmillError, turbo_decode.NotHandled):
        left_to_libvips = True
    if left_to_libvips:
        pytest.skip("left to libvips")
    assert_alike_at((150,), data, measure)


@pytest.mark.parametrize("size", [(2047, 1365), (641, 479), (333, 1001), (97, 64)])
@pytest.mark.parametrize("subsampling", ["444", "422", "420", "440", "411"])
def test_odd_sizes_of_every_subsampling_come_out_as_libvips_makes_them(size, subsampling, measure):
    data = simplejpeg.encode_jpeg(scene(*size), 92, "RGB", subsampling)
    assert_alike_at((320, 100, 30), data, measure)


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (2, 3), (7, 7), (8, 1), (9, 17)])
@pytest.mark.parametrize("side", [1, 2, 5, 64])
def test_the_smallest_pictures_come_out_as_libvips_makes_them(size, side):
    width, height = size
    data = jpeg(scene(max(32, width), max(32, height))[:height, :width])
    fast, _ = both(data, side)
    assert np.abs(fast - float_lanczos(simplejpeg.decode_jpeg(data), (fast.shape[1], fast.shape[0]))).max() <= 4


@pytest.mark.parametrize(
    "options", [{"progressive": True}, {"restart_marker_blocks": 3}, {"restart_marker_rows": 1}, {"optimize": True}], ids=str
)
def test_every_way_of_coding_comes_out_as_libvips_makes_it(options, measure):
    assert_alike_at((200,), jpeg(scene(800, 533), **options), measure)


@pytest.mark.parametrize("kernel", ["linear", "cubic", "mitchell", "lanczos3"])
def test_every_kernel_comes_out_as_libvips_makes_it(kernel):
    recipe = Recipe(steps=(Resize(width=320, kernel=kernel),))
    source = Input(jpeg(scene(640, 480)))
    header = identify.read_header(source, recipe)
    plan = plan_decode(source, header, recipe)
    (fast,) = turbo_decode.decode(source, plan)
    assert psnr(fast.to_numpy().astype(float), decode.decode(source, plan).to_numpy().astype(float)) >= FAITHFUL


@pytest.mark.parametrize("path", [*corpus("good/exif-orientation"), *corpus("good/libvips/rotation"), *corpus("good/wide-gamut")])
def test_orientation_and_colours_are_those_of_libvips(path, measure):
    made = [process(Input(path.read_bytes()), Recipe(steps=(Resize(width=200),), engine=engine)) for engine in ("auto", "vips")]
    fast, general = (Pillow.open(io.BytesIO(result.outputs[0].data)) for result in made)
    assert fast.size == general.size
    assert measure.difference(np.asarray(fast.convert("RGB")), np.asarray(general.convert("RGB")))[0] <= 1.5


def test_a_picture_with_transparency_comes_out_as_libvips_makes_it(measure):
    height, width = 533, 801
    opacity = (noise(height, width, slope=2.0, seed=9)[..., None] * 3 - 1).clip(0, 1)
    pixels = np.concatenate([scene(width, height), (opacity * 255).astype(np.uint8)], axis=-1)
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, "PNG")
    recipes = [
        Recipe(steps=(Resize(width=200),), renditions=(Rendition(encode=Png()),), engine=engine) for engine in ("auto", "vips")
    ]
    made = [process(Input(file.getvalue()), recipe).outputs[0].data for recipe in recipes]
    fast, general = (np.asarray(Pillow.open(io.BytesIO(data)), float) for data in made)
    assert fast.shape == general.shape == (133, 200, 4)
    seen = [np.concatenate([picture[..., :3] * picture[..., 3:] / 255, picture[..., 3:]], axis=-1) for picture in (fast, general)]
    assert psnr(*seen) >= FAITHFUL
    assert measure.difference(*(picture[..., :3] for picture in seen))[0] <= COLOURS
