"""Every way to state colours, in every container, to every output: as LittleCMS, formulas and a browser show the source."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from support.colour_oracle import ciede2000, to_lab
from support.corpus_colours import by_browser
from support.seen_outputs import DECODERS, all_seen, made
from support.stated_files import CASES, DEEP, patch_means, ramps, stated

DIFFERENCE = 1.5  # CIEDE2000
LIMITS = {"webp": 2.1}  # rounds to 220 levels
#: What a browser reads. It looks for no colours in EXIF, and does not compensate the black of print.
WEB = [(way, container) for way, container in CASES if container not in ("tif", "heic", "jxl") and way not in ("DCF", "press")]
needs_decoders = pytest.mark.skipif(not all(map(shutil.which, DECODERS.values())), reason="djxl and avifdec are not installed")


def apart(got, wanted, scale=1.0):
    """Return the largest difference between patches, and the mean one along the ramps."""
    patches = ciede2000(to_lab(patch_means(got, scale)), to_lab(patch_means(wanted)))
    along = ramps(wanted)
    along = along[:, :: round(1 / scale), :: round(1 / scale)]
    return float(patches.max()), float(ciede2000(to_lab(ramps(got, scale)), to_lab(along)).mean())


@needs_decoders
@pytest.mark.parametrize("color", ["srgb", "keep"])
@pytest.mark.parametrize("engine", ["auto", "vips"])
@pytest.mark.parametrize(("way", "container"), CASES)
def test_each_output_shows_the_colours_of_its_source(tmp_path, way, container, engine, color):
    source = stated(way, container, tmp_path)
    scale = 0.5 if engine == "auto" else 1.0
    steps = [f"resize:width={round(128 * scale)}"] if engine == "auto" else []
    views = all_seen(made(source.data, steps=steps, engine=engine, color=color), tmp_path)
    found = {name: apart(picture, source.wanted, scale) for name, picture in views.items()}
    assert {name: values for name, values in found.items() if max(values) > LIMITS.get(name, DIFFERENCE)} == {}


@needs_decoders
@pytest.mark.parametrize("color", ["srgb", "keep"])
@pytest.mark.parametrize("depth", ["8", "keep"])
@pytest.mark.parametrize(("way", "container"), DEEP)
def test_each_output_shows_the_colours_of_sixteen_bits(tmp_path, way, container, depth, color):
    source = stated(way, container, tmp_path)
    views = all_seen(made(source.data, steps=[], depth=depth, color=color), tmp_path)
    found = {name: apart(picture, source.wanted) for name, picture in views.items()}
    assert {name: values for name, values in found.items() if max(values) > LIMITS.get(name, DIFFERENCE)} == {}


@pytest.mark.parametrize(("way", "container"), WEB)
def test_a_browser_shows_each_source_as_its_output(tmp_path, browser, way, container):
    data = stated(way, container, tmp_path).data
    got = np.asarray(Image.open(io.BytesIO(made(data, ["png"]).outputs[0].data)).convert("RGB"))
    with browser.new_context() as context:
        shown = by_browser(data, container, context.new_page(), enough=got.size)
    assert max(apart(got, shown)) <= DIFFERENCE
