"""Every output of one image, and its pixels as programs show them that had no part in making it."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

import pillow_heif

from pixmill.imaging.input import Input
from pixmill.imaging.process import Result, process
from pixmill.imaging.recipe import Recipe
from support.colour_oracle import WHITE, Array, reference

#: The outputs, at qualities whose own rounding is small.
OUTPUTS = {
    "jpeg": "jpeg:quality=95",
    "png": "png",
    "webp": "webp:quality=98,sharp_chroma=true",
    "tiff": "tiff",
    "avif": "avif:quality=85",
    "heif": "heif:quality=90",
    "jxl": "jxl:quality=95",
    "gif": "gif",
    "bmp": "bmp",
}

#: Programs for what Pillow cannot read, or of which it rounds 10 bits coarsely.
DECODERS = {"jxl": "djxl", "avif": "avifdec"}


def made(data: bytes, outputs: Iterable[str] = OUTPUTS, **recipe: object) -> Result:
    """Return the result of ``recipe`` for an image, with one rendition for each of ``outputs``."""
    renditions = [{"encode": OUTPUTS[output], "name": f"{output}/{{stem}}.{{ext}}"} for output in outputs]
    return process(Input(data), Recipe.from_builtins({"renditions": renditions, **recipe}))


def seen(data: bytes, output: str, folder: Path, *, background: tuple[int, int, int] = WHITE) -> Array:
    """Return the sRGB bytes of an output, upright and on ``background``."""
    if output in DECODERS:
        (folder / f"made.{output}").write_bytes(data)
        subprocess.run([DECODERS[output], folder / f"made.{output}", folder / "made.png"], check=True, capture_output=True)
        data = without_exif((folder / "made.png").read_bytes())
    pillow_heif.register_heif_opener()
    return reference(data, background=background)


def all_seen(result: Result, folder: Path, *, background: tuple[int, int, int] = WHITE) -> dict[str, Array]:
    """Return the sRGB bytes of each output of ``made``, by its name in ``OUTPUTS``."""
    views = zip(OUTPUTS, result.outputs, strict=True)
    return {name: seen(output.data, name, folder, background=background) for name, output in views}


def without_exif(png: bytes) -> bytes:
    """Return a PNG without its EXIF, which djxl has followed, and which version 0.7 writes with four bytes too many."""
    kept, at = png[:8], 8
    while at < len(png):
        end = at + 12 + int.from_bytes(png[at : at + 4])
        kept += b"" if png[at + 4 : at + 8] in (b"eXIf", b"zTXt") else png[at:end]
        at = end
    return kept
