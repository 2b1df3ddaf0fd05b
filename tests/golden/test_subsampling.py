"""The kinds of chroma subsampling are about equally faithful."""

import io
import shutil
import subprocess

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from pixmill.testing.synthetic_scenes import noise
from support.image_metrics import float_lanczos, psnr

MAX_LOSS = 6  # dB, against 4:2:0


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
