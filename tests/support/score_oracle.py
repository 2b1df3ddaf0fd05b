"""Scores by the package ``ssimulacra2``, an independent implementation of SSIMULACRA 2, and the photographs to compare with."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"


def oracle() -> Callable[[Image.Image, Image.Image], float]:
    """Return the function that scores a picture against another; skips the test where the package is missing."""
    package = pytest.importorskip("ssimulacra2", reason="ssimulacra2 is not installed (pip install ssimulacra2)")
    return lambda original, other: float(package.compute_ssimulacra2(_stored(original), _stored(other)))


def _stored(picture: Image.Image) -> io.BytesIO:
    file = io.BytesIO()
    picture.convert("RGB").save(file, "PNG", compress_level=0)
    return file


def photographs(count: int, size: tuple[int, int] = (400, 300)) -> Iterator[tuple[str, Image.Image]]:
    """Yield name and picture of ``count`` photographs of the corpus with different contents, made smaller."""
    if not CORPUS.exists():
        pytest.skip("the corpus is not here")
    with (CORPUS / "INDEX.tsv").open() as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["mode"] == "RGB" and row["format"] in {"JPEG", "PNG"}]
    photos = [row["path"] for row in rows if row["class"] == "photo"]
    others = [row["path"] for row in rows if row["class"] == "good" and _is_photograph(row)]
    paths = [*photos, *others]
    # The middle of each is one more photograph.
    chosen = [(path, part) for part in (1, 0.5) for path in paths]
    for path, part in chosen[:: max(1, len(paths) // count)][:count]:
        with Image.open(CORPUS / path) as picture:
            picture.draft("RGB", (4 * size[0], 4 * size[1]))
            left, top = (int(side * (1 - part) / 2) for side in picture.size)
            cut = picture.crop((left, top, picture.width - left, picture.height - top))
            cut.thumbnail(size)
            yield path, Image.fromarray(np.asarray(cut.convert("RGB")))  # without its profile


def _is_photograph(row: Mapping[str, str]) -> bool:
    is_large = int(row["width"]) >= 500 and int(row["height"]) >= 350
    return row["format"] == "JPEG" and is_large and "exif-orientation" not in row["path"]
