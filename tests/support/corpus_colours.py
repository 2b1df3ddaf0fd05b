"""The colours of an image as pixmill decodes it, against those of another program, for the table of the corpus."""

import base64
import io
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image

from pixmill.core.errors import PixmillError
from pixmill.imaging.input import Input
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe
from support.colour_oracle import Array, ciede2000, reference, sampled, to_lab
from support.image_metrics import psnr
from support.seen_outputs import without_exif

COMPARED = 20_000  # pixels of an image
WORST, BEST = 99.9, 60  # CIEDE2000 and decibels, at which the table ends
RECIPE = Recipe.from_builtins({"steps": ["flatten"], "renditions": [{"encode": "tiff:compression=none"}]})
#: What browsers show better than Pillow: colours as codes and numbers, and canvases that nothing has painted.
FOR_BROWSERS = {"gif": (), "avif": (), "png": (b"cICP", b"cHRM", b"gAMA")}
SAMPLES = """async ([url, enough]) => {
  const image = await createImageBitmap(await (await fetch(url)).blob());
  const {width, height} = image;
  const step = Math.max(1, Math.floor(Math.sqrt(width * height / enough)));
  const [columns, rows] = [Math.max(1, Math.floor(width / step)), Math.max(1, Math.floor(height / step))];
  const canvas = new OffscreenCanvas(width, height).getContext("2d", {colorSpace: "srgb", willReadFrequently: true});
  canvas.fillStyle = "white";
  canvas.fillRect(0, 0, width, height);
  canvas.drawImage(image, 0, 0);
  const all = new Uint32Array(canvas.getImageData(0, 0, width, height).data.buffer);
  const some = new Uint32Array(columns * rows);
  const middle = count => Math.min(count - 1, Math.floor(step / 2));
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++)
    some[row * columns + column] = all[(row * step + middle(height)) * width + column * step + middle(width)];
  const bytes = new Uint8Array(some.buffer);
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return [columns, rows, btoa(text)];
}"""


def compare(data: bytes, page: Any) -> tuple[float, int] | None:
    """Return the mean difference (CIEDE2000) and the PSNR in whole decibels; ``None`` if one of the programs cannot decode it."""
    try:
        made = process(Input(data), RECIPE)
    except PixmillError:
        return None
    picture = Image.open(io.BytesIO(made.outputs[0].data)).convert("RGB")
    step, size = sampled(picture.size, COMPARED)
    box = (0, 0, min(picture.width, size[0] * step), min(picture.height, size[1] * step))
    got = np.asarray(picture.resize(size, Image.Resampling.NEAREST, box=box))
    wanted = _other(data, made.header.format.name, page)
    if wanted is None:
        return None
    if wanted.shape != got.shape:
        return WORST, 0
    difference = float(ciede2000(to_lab(got), to_lab(wanted)).mean())
    return min(WORST, round(difference, 1)), min(BEST, round(psnr(got.astype(float), wanted.astype(float))))


def _other(data: bytes, kind: str, page: Any) -> Array | None:
    """Return the samples as djxl, a browser, or Pillow with LittleCMS decodes them."""
    if kind == "jxl":
        return _by_djxl(data)
    chunks = FOR_BROWSERS.get(kind)
    if chunks is not None and (not chunks or any(name in data[:4096] for name in chunks)):
        try:
            return by_browser(data, kind, page)
        except Exception:  # noqa: BLE001  # whatever it says, it does not show it
            return None
    pillow_heif.register_heif_opener()
    try:
        return reference(data, enough=COMPARED)
    except Exception:  # noqa: BLE001  # of the eight kinds that Pillow raises
        return None


def by_browser(data: bytes, kind: str, page: Any, *, enough: int = COMPARED) -> Array:
    """Return about ``enough`` pixels on white, as sRGB bytes (height, width, 3), of an image that a page of a browser decodes."""
    url = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    columns, rows, text = page.evaluate(SAMPLES, [url, enough])
    shown: Array = np.frombuffer(base64.b64decode(text), np.uint8).reshape(rows, columns, 4)[..., :3]
    return shown


def _by_djxl(data: bytes) -> Array | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jxl"
        path.write_bytes(data)
        done = subprocess.run(["djxl", path, Path(folder) / "a.png"], capture_output=True, check=False)
        frames = sorted(Path(folder).glob("a*.png"))  # numbered, if it moves
        return None if done.returncode or not frames else reference(without_exif(frames[0].read_bytes()), enough=COMPARED)
