"""Reduced images keep their place to a twentieth of a pixel, and the kinds of chroma subsampling are about equally faithful."""

import io
import shutil
import subprocess

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from pixmill.testing.synthetic_scenes import noise
from support.image_metrics import float_lanczos, psnr

SIZES = [(641, 481), (643, 485), (647, 487), (799, 601), (640, 480)]
MAX_SHIFT = 0.05  # output pixels
MAX_LOSS = 6  # dB, against 4:2:0


def blob(width, height):
    y, x = np.mgrid[0:height, 0:width]
    light = np.exp(-((((x + 0.5 - width / 2) / (width / 8)) ** 2) + ((y + 0.5 - height / 2) / (height / 8)) ** 2))
    return (255 * light).round().astype(np.uint8)


def shift(pixels):
    """Return how far the centre of mass is from the centre, in pixels."""
    height, width = pixels.shape
    mass = pixels.astype(float)
    y, x = np.mgrid[0:height, 0:width] + 0.5
    return max(abs((mass * x).sum() / mass.sum() - width / 2), abs((mass * y).sum() / mass.sum() - height / 2))


@pytest.mark.parametrize("engine", ["auto", "vips"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_an_image_of_odd_size_keeps_its_place(make, engine, kind, size):
    file = io.BytesIO()
    Image.fromarray(blob(*size)).convert("RGB").save(file, kind, quality=95)
    for width in (50, 77, 150):
        steps = [f"resize:width={width},height={round(width * size[1] / size[0])},fit=fill"]
        made = make(file.getvalue(), steps=steps, engine=engine)
        assert shift(np.asarray(Image.open(io.BytesIO(made.outputs[0].data)).convert("L"))) < MAX_SHIFT


@pytest.mark.skipif(not shutil.which("cjpeg"), reason="cjpeg is not installed")
def test_other_subsamplings_are_about_as_faithful_as_the_usual_one(make):
    light = noise(1000, 1500, slope=1.2, seed=1)[..., None]
    tint = np.stack([noise(1000, 1500, slope=1.2, seed=seed) for seed in (2, 3, 4)], axis=-1)
    scene = ((0.5 * light + 0.5 * tint) * 255).astype(np.uint8)
    header = b"P6 1500 1000 255\n"
    found = {}
    for sampling in ("2x2", "1x1", "2x1", "1x2", "4x1"):
        command = ["cjpeg", "-quality", "92", "-sample", sampling]
        data = subprocess.run(command, input=header + scene.tobytes(), check=True, capture_output=True).stdout
        made = make(data, steps=["resize:width=150"]).outputs[0].data
        got = np.asarray(Image.open(io.BytesIO(made)).convert("RGB"), float)
        found[sampling] = psnr(got, float_lanczos(simplejpeg.decode_jpeg(data, "RGB"), (150, 100)))
    assert min(found.values()) >= found["2x2"] - MAX_LOSS, found
