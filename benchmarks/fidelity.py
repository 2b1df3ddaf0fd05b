"""Measures how close outputs are to an ideal reference: the fully decoded source, resized in floating point."""

import statistics
from collections.abc import Iterator
from pathlib import Path

import machine  # noqa: F401  # makes tests/support importable
import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps
from scenario import Scenario

from pixmill.imaging.similarity import ssim
from support.image_metrics import Pixels, float_lanczos, psnr

SAMPLES = 6
LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
GRAY = 127.5  # background for transparency
MAX_PIXELS = 100e6  # larger sources are not decoded in full

Pillow.MAX_IMAGE_PIXELS = None  # the sources are trusted, and only the headers of large ones are read


def of_outputs(scenario: Scenario, source: Path, target: Path) -> tuple[float, float] | None:
    """Return mean PSNR (dB) and mean SSIM of a few outputs of the first box; ``None`` if there is no source to compare with.

    Sources with a colour profile are left out, because some peers convert colours and some do not.
    """
    scores = []
    for original in _samples(source):
        made = Pillow.open(_output(target, original.stem, scenario.boxes[0]))
        reference, result = _reference(original, made.size), _on_gray(np.asarray(made.convert("RGBA"), np.float64))
        scores.append((psnr(result, reference), ssim(result @ LUMA, reference @ LUMA)))
    if not scores:
        return None
    return statistics.mean(score[0] for score in scores), statistics.mean(score[1] for score in scores)


def _samples(source: Path) -> Iterator[Path]:
    """Yield a few different sources: the first files of a set, before repetitions start."""
    found = 0
    for path in sorted(source.rglob("*.*")):
        with Pillow.open(path) as picture:
            plain = "icc_profile" not in picture.info and picture.width * picture.height <= MAX_PIXELS
        if plain:
            yield path
            found += 1
        if found == SAMPLES:
            return


def _output(target: Path, stem: str, box: tuple[int, int]) -> Path:
    """Return the output of the source ``stem`` for ``box``; peers differ in names and folders, so it is found by size."""
    made = [path for path in target.rglob(f"{stem}*") if path.is_file()]
    return min(made, key=lambda path: abs(max(Pillow.open(path).size) - max(box)))


def _reference(original: Path, size: tuple[int, int]) -> Pixels:
    with Pillow.open(original) as picture:
        upright = np.asarray(ImageOps.exif_transpose(picture).convert("RGBA"), np.float64)
    upright[..., :3] *= upright[..., 3:] / 255
    small = float_lanczos(upright, size)
    return small[..., :3] + GRAY * (1 - small[..., 3:] / 255)


def _on_gray(pixels: Pixels) -> Pixels:
    opacity = pixels[..., 3:] / 255
    result: Pixels = pixels[..., :3] * opacity + GRAY * (1 - opacity)
    return result
