"""Generated sample images, for new users and for tests that need no corpus.

``python -m pixmill.testing.sample_images FOLDER`` writes them, unless the folder already contains an image.
"""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pyvips

from pixmill.testing import synthetic_scenes
from pixmill.testing.synthetic_scenes import Plane

SUFFIXES = {".jpg", ".jpeg", ".png", ".gif", ".webp", ".tif", ".tiff", ".bmp", ".avif", ".heic", ".jxl"}
DATE_TAKEN = b"2024:05:17 19:42:00"
TURN_CLOCKWISE = 6  # EXIF: the image must be rotated clockwise by 90 degrees for display
DATE_TIME, ORIENTATION = 0x0132, 0x0112
QUALITY = 90


def sea() -> bytes:
    """Return a JPEG of 4 megapixels, the most common kind of input."""
    return _jpeg(synthetic_scenes.sea(1680, 2400, seed=3))


def mountains() -> bytes:
    """Return a progressive JPEG of 3.8 megapixels."""
    return _jpeg(synthetic_scenes.mountains(1600, 2400, seed=4), progressive=True)


def islands() -> bytes:
    """Return a JPEG of 3.8 megapixels, full of detail."""
    return _jpeg(synthetic_scenes.islands(1680, 2240, seed=5))


def lights() -> bytes:
    """Return a portrait image of 3 megapixels that is stored rotated: EXIF orientation 6."""
    upright = synthetic_scenes.lights(2000, 1500, seed=2)
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = TURN_CLOCKWISE
    exif[DATE_TIME] = DATE_TAKEN.decode()
    return _jpeg(np.rot90(upright), exif=exif.tobytes())


def glass_ball() -> bytes:
    """Return a PNG with all degrees of opacity."""
    return _encoded(PIL.Image.fromarray(_eight_bit(synthetic_scenes.glass_ball(800, seed=1))), "PNG")


def relief() -> bytes:
    """Return a 16-bit gray PNG: a landscape lit from the side, as on relief maps."""
    ground, light = synthetic_scenes.relief(900, 1200, slope=2.25, seed=8)
    deep = ((0.15 + 0.85 * light * (0.45 + 0.55 * ground)) * 65535 + 0.5).astype(np.uint16)
    png: bytes = pyvips.Image.new_from_array(deep).copy(interpretation="grey16").pngsave_buffer()
    return png


def rings() -> bytes:
    """Return a GIF with a palette of 64 colours."""
    drawn = PIL.Image.fromarray(_eight_bit(synthetic_scenes.rings(640, 960)))
    return _encoded(drawn.quantize(64, dither=PIL.Image.Dither.NONE), "GIF")


def print_of_islands() -> bytes:
    """Return a CMYK JPEG with an embedded profile."""
    drawn = pyvips.Image.new_from_array(_eight_bit(synthetic_scenes.islands(960, 1280, seed=11)))
    inks = drawn.copy(interpretation="srgb").icc_transform("cmyk", input_profile="srgb", intent="perceptual")
    jpeg: bytes = inks.jpegsave_buffer(Q=QUALITY)
    return jpeg


SAMPLES: dict[str, Callable[[], bytes]] = {
    "sea.jpg": sea,
    "mountains.jpg": mountains,
    "islands.jpg": islands,
    "lights.jpg": lights,
    "glass-ball.png": glass_ball,
    "relief-16-bit.png": relief,
    "rings.gif": rings,
    "islands-cmyk.jpg": print_of_islands,
}


def write_samples(folder: Path) -> list[Path]:
    """Write every sample to ``folder``, which is created if necessary, and return their paths. Takes several seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, sample in SAMPLES.items():
        path = folder / name
        path.write_bytes(sample())
        written.append(path)
    return written


def has_images(folder: Path) -> bool:
    """Return whether ``folder`` or its subfolders contain a file with the extension of an image."""
    return any(path.suffix.lower() in SUFFIXES for path in folder.rglob("*"))


def _eight_bit(scene: Plane) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.ascontiguousarray((scene * 255 + 0.5).astype(np.uint8))


def _jpeg(scene: Plane, *, progressive: bool = False, exif: bytes = b"") -> bytes:
    picture = PIL.Image.fromarray(_eight_bit(scene))
    return _encoded(picture, "JPEG", quality=QUALITY, progressive=progressive, exif=exif)


def _encoded(picture: PIL.Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def main(folder: Path) -> str:
    """Write the samples unless ``folder`` already contains images; return a message that says which."""
    if has_images(folder):
        return f"{folder} already contains images: no samples written"
    written = write_samples(folder)
    size = sum(path.stat().st_size for path in written) / 1e6
    return f"wrote {len(written)} sample images ({size:.0f} MB) to {folder}"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m pixmill.testing.sample_images FOLDER")
    print(main(Path(sys.argv[1])))  # noqa: T201  # a command of its own, run before pixmill is
