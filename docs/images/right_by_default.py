"""Draw the picture of docs/inputs.md: four sample pictures as a few lines of Pillow make them, and as pixmill makes them.

python docs/images/right_by_default.py
"""

import io
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import pixmill
from pixmill.testing.sample_images import write_samples

NAMES = {
    "lights.jpg": "rotated phone photo",
    "glass-ball.png": "transparency",
    "relief-16-bit.png": "16 bits",
    "islands-cmyk.jpg": "CMYK with a profile",
}
BOX, GAP, LABEL = 300, 14, 120
INK, PAPER = "#24292f", "#e8ecf1"


def naive(path: Path) -> Image.Image:
    """Return what the script that everybody writes first makes of ``path``."""
    image = Image.open(path).convert("RGB")
    image.thumbnail((BOX, BOX))
    return image


def milled(path: Path) -> Image.Image:
    """Return what pixmill makes of ``path``."""
    recipe = pixmill.Recipe(steps=[f"resize:width={BOX},height={BOX}"])
    return Image.open(io.BytesIO(pixmill.process(path.read_bytes(), recipe)))


def main() -> None:
    """Write right-by-default.webp beside this script."""
    with tempfile.TemporaryDirectory() as folder:
        write_samples(Path(folder))
        paths = [Path(folder) / name for name in NAMES]
        rows = {"a few lines\nof Pillow": [naive(path) for path in paths], "pixmill": [milled(path) for path in paths]}
    width, height = LABEL + len(NAMES) * (BOX + GAP), len(rows) * (BOX + GAP) + 40
    sheet = Image.new("RGB", (width, height), PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(18)
    for row, (label, images) in enumerate(rows.items()):
        top = row * (BOX + GAP) + GAP
        pen.text((8, top + BOX // 2 - 20), label, INK, font)
        for column, image in enumerate(images):
            left = LABEL + column * (BOX + GAP)
            sheet.paste(image, (left + (BOX - image.width) // 2, top + (BOX - image.height) // 2))
    for column, caption in enumerate(NAMES.values()):
        pen.text((LABEL + column * (BOX + GAP) + BOX // 2, height - 28), caption, INK, font, anchor="mt")
    sheet.save(Path(__file__).with_name("right-by-default.webp"), quality=82)


if __name__ == "__main__":
    main()
