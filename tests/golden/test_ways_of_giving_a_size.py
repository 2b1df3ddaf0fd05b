"""Every way of giving a size decodes a JPEG no larger than it needs, on the fast path and in libvips, with the same result."""

import io

import numpy as np
import pytest
from PIL import Image

from pixmill.batch.config.options import resolve_recipe
from pixmill.imaging.input import Input
from pixmill.imaging.pipeline.decode_plan import plan_decode
from pixmill.imaging.pipeline.identify import read_header
from pixmill.imaging.process import process

WAYS = [
    ({"size": "120", "fit": "outside"}, (180, 120)),
    ({"size": "200x50", "fit": "outside"}, (200, 133)),
    ({"size": "24kP"}, (190, 126)),
    ({"size": "0.006MP"}, (95, 63)),
]


@pytest.fixture(scope="module")
def photo():
    rows, columns = np.mgrid[0:800, 0:1200]
    pixels = np.stack([columns * 255 // 1200, rows * 255 // 800, 127 + 100 * np.sin((rows + columns) / 30)], axis=2)
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "JPEG", quality=95)
    return Input(file.getvalue())


@pytest.mark.parametrize(("options", "size"), WAYS, ids=str)
def test_a_size_is_reached_from_a_reduced_decode_with_either_engine(photo, options, size):
    recipe = resolve_recipe({**options, "format": "png"})
    plan = plan_decode(photo, read_header(photo, recipe), recipe)
    assert plan.eighths in (1, 2, 4)
    assert plan.shrink == pytest.approx(1200 / size[0], rel=0.01)
    made = {}
    for engine in ("auto", "vips"):
        (output,) = process(photo, recipe.evolve(engine=engine)).outputs
        assert (output.width, output.height) == size
        made[engine] = np.asarray(Image.open(io.BytesIO(output.data)), np.int16)
    assert np.abs(made["auto"] - made["vips"]).mean() < 1.5


def test_a_size_in_pixels_reads_back_as_it_was_written():
    recipe = resolve_recipe({"size": "2MP"})
    assert recipe == type(recipe).from_builtins(recipe.to_builtins())
    assert recipe.steps[0].text() == "resize:area=2MP"
    assert recipe.fingerprint() != resolve_recipe({"size": "3MP"}).fingerprint()
