"""The images for the measurements: real photographs if available, otherwise generated; created once and cached."""

import io
import os
import shutil
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pyvips
from PIL import Image as Pillow
from scenario import Scenario

from pixmill.testing.synthetic_scenes import noise

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus" / "photos"
GENERATED = 12
HUGE = 30_000


def folder(scenario: Scenario, count: int, cache: Path, photographs: Path | None) -> Path:
    """Return a folder of ``count`` sources for ``scenario``, creating it if it does not exist."""
    place = cache / "sources" / f"{scenario.images}-{count}"
    if place.is_dir():
        return place
    making = place.with_name(f"{place.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    originals = list(_originals(scenario.images, cache, photographs))
    for number, original in enumerate(islice(cycle(originals), count)):
        (making / f"{number // 1000:03}").mkdir(exist_ok=True)
        _place(original, making / f"{number // 1000:03}" / f"{number:05}-{original.name}")
    making.rename(place)
    return place


def megapixels(place: Path) -> float:
    """Return the total pixels of all images in ``place``, in millions."""
    return sum(_pixels(path) for path in place.rglob("*.*")) / 1e6


def _pixels(path: Path) -> int:
    header = pyvips.Image.new_from_file(str(path))
    return int(header.width * header.height)


def _place(original: Path, target: Path) -> None:
    """Link ``original`` to ``target``; copy it if the file system does not support links."""
    try:
        os.link(original, target)
    except OSError:
        shutil.copyfile(original, target)


def _originals(kind: str, cache: Path, photographs: Path | None) -> Iterator[Path]:
    """Yield the distinct images of a set."""
    given = photographs or (CORPUS if CORPUS.is_dir() else None)
    if kind == "photographs" and given:
        yield from sorted(path for path in given.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
        return
    store = cache / "originals" / kind
    if not store.is_dir():
        store.mkdir(parents=True)
        for name, data in MAKERS[kind]():
            (store / name).write_bytes(data)
    yield from sorted(store.iterdir())


def _photographs() -> Iterator[tuple[str, bytes]]:
    """Yield images with the entropy of photographs: noise with the spectrum of natural scenes, plus camera grain."""
    grain = np.random.default_rng(1)
    for number in range(GENERATED):
        width, height = ((4032, 3024), (3648, 2736), (6000, 4000))[number % 3]
        scene = np.stack([noise(height, width, slope=1.1, seed=10 * number + band) for band in range(3)], axis=-1)
        pixels = scene * 235 + 10 + grain.normal(scale=3, size=scene.shape)
        yield f"photograph-{number:02}.jpg", _jpeg(pixels.clip(0, 255).astype(np.uint8), quality=93)


def _drawings() -> Iterator[tuple[str, bytes]]:
    """Yield images with transparency: soft shapes on a transparent background."""
    for number in range(8):
        height, width = 1536, 2048
        colour = np.stack([noise(height, width, slope=1.8, seed=100 + 10 * number + band) for band in range(3)], axis=-1)
        alpha = (noise(height, width, slope=2.0, seed=109 + 10 * number)[..., None] * 3 - 1).clip(0, 1)
        file = io.BytesIO()
        Pillow.fromarray((np.concatenate([colour, alpha], axis=-1) * 255).astype(np.uint8)).save(file, "PNG")
        yield f"drawing-{number:02}.png", file.getvalue()


def _tiny() -> Iterator[tuple[str, bytes]]:
    for number in range(200):
        size = 64 + number * 192 // 199
        scene = np.stack([noise(size, size, slope=1.3, seed=1000 + 10 * number + band) for band in range(3)], axis=-1)
        yield f"tiny-{number:03}.jpg", _jpeg((scene[: size * 3 // 4] * 255).astype(np.uint8), quality=85)


def _huge() -> Iterator[tuple[str, bytes]]:
    tile = np.stack([noise(3000, 3000, slope=1.1, seed=band) for band in range(3)], axis=-1)
    pixels = pyvips.Image.new_from_array((tile * 255).astype(np.uint8)).copy(interpretation="srgb")
    yield "huge.jpg", pixels.replicate(HUGE // 3000, HUGE // 3000).jpegsave_buffer(Q=85)


def _jpeg(pixels: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]", *, quality: int) -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, "JPEG", quality=quality)
    return file.getvalue()


MAKERS = {"photographs": _photographs, "drawings": _drawings, "tiny": _tiny, "huge": _huge}
