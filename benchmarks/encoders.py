"""Measures the settings of encoders against each other: bytes at equal score, time to encode and to decode, score at equal quality.

    python benchmarks/encoders.py PHOTOS [--size 800x600] [--formats jpeg,webp,avif,jxl,png] [--repeat 3]

For each photograph in the size of the outputs, each setting makes files at several qualities, which are scored by SSIMULACRA 2. The
bytes at equal score are the mean of the logarithms of the ratios to the first setting of the format, between the scores that both
reach. Times are medians of the ratios to the first setting at its own quality, interleaved. The last column is the mean difference
of the scores at that quality. Settings of PNG are without loss: only bytes and times count.
"""

import argparse
import io
import math
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import machine
import numpy as np
from PIL import Image as Pillow

import pixmill
from pixmill.imaging.backends import vips_save
from pixmill.imaging.codec import Codec, DecodeOptions
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.pipeline.search.appearance import Appearance
from pixmill.imaging.process import configure

Encode = Callable[[Image, int], bytes]
SCORES = range(55, 91, 5)
QUALITIES = {
    "jpeg": (60, 70, 78, 85, 90, 94),
    "webp": (50, 65, 75, 80, 88, 94),
    "avif": (30, 40, 50, 60, 70, 80),
    "jxl": (50, 60, 70, 78, 85, 92),
}
TRELLIS = {"optimize_coding": True, "interlace": True, "trellis_quant": True, "overshoot_deringing": True, "optimize_scans": True}


class Setting(NamedTuple):
    """An encoder of ``format`` with settings, under a name."""

    format: str
    name: str
    encode: Encode


def of_codec(name: str, text: str) -> Setting:
    """Return the setting of one of our codecs, described as after ``--format``."""
    codec = Codec.from_builtins(text)
    has_quality = codec.lossy_quality is not None
    return Setting(
        codec.label(), name, lambda image, quality: (codec.evolve(quality=quality) if has_quality else codec).encode(image)
    )


def of_vips(name: str, saver: str, label: str, **options: object) -> Setting:
    """Return a setting of libvips."""
    return Setting(label, name, lambda image, quality: vips_save.save(image, saver, Q=quality, **options))


def of_pillow(name: str, label: str, **options: object) -> Setting:
    """Return a setting of Pillow."""

    def encode(image: Image, quality: int) -> bytes:
        file = io.BytesIO()
        image.to_pil().save(file, label, quality=quality, **options)
        return file.getvalue()

    return Setting(label, name, encode)


SETTINGS = [
    of_codec("default", "jpeg"),
    of_codec("fast", "jpeg:effort=fast"),
    of_codec("progressive", "jpeg:progressive=true"),
    of_codec("best", "jpeg:effort=best"),
    *(of_vips(f"best, table {table}", "jpegsave", "jpeg", quant_table=table, **TRELLIS) for table in (2, 3, 4)),
    of_codec("default (4)", "webp"),
    of_codec("fast (1)", "webp:effort=fast"),
    *(of_vips(f"method {method}", "webpsave", "webp", effort=method) for method in (2, 3, 5)),
    of_codec("best (6)", "webp:effort=best"),
    of_codec("default (3)", "avif"),
    of_codec("fast (2)", "avif:effort=fast"),
    *(of_vips(f"effort {effort}", "heifsave", "avif", effort=effort, compression="av1") for effort in (1, 4, 5)),
    of_codec("best (7)", "avif:effort=best"),
    *(of_pillow(f"Pillow, aom, speed {speed}", "avif", codec="aom", speed=speed, max_threads=1) for speed in (6, 8)),
    *(of_pillow(f"Pillow, SVT-AV1, speed {speed}", "avif", codec="svt", speed=speed, max_threads=1) for speed in (6, 8)),
    of_codec("default (7)", "jxl"),
    of_codec("fast (3)", "jxl:effort=fast"),
    of_codec("best (9)", "jxl:effort=best"),
    of_codec("default", "png"),
    of_codec("fast", "png:effort=fast"),
    of_codec("best", "png:effort=best"),
    *(
        Setting("png", f"zlib level {level}", lambda image, _, level=level: vips_save.save(image, "pngsave", compression=level))
        for level in (1, 3, 9)
    ),
]


class Photo:
    """A photograph in the size of the outputs."""

    def __init__(self, data: bytes, size: str) -> None:
        """Make it smaller without loss."""
        small = pixmill.process(data, size=size, format="png:compression=1", metadata="strip")
        pixels = np.asarray(Pillow.open(io.BytesIO(small)).convert("RGB"))
        self.image = Image.from_numpy(pixels)
        self.appearance = Appearance(self.image)


class Curve(NamedTuple):
    """Scores and logarithms of bytes of one photograph by one setting, in ascending order."""

    scores: tuple[float, ...]
    sizes: tuple[float, ...]

    def at(self, score: float) -> float | None:
        """Return the logarithm of the bytes at ``score``, if that was reached."""
        return float(np.interp(score, self.scores, self.sizes)) if self.scores[0] <= score <= self.scores[-1] else None


def curve(photo: Photo, setting: Setting, codec: Codec) -> Curve:
    """Return the curve of ``setting``."""
    files = [setting.encode(photo.image, quality) for quality in QUALITIES[setting.format]]
    points = sorted((photo.appearance.score(file, codec), math.log(len(file))) for file in files)
    return Curve(tuple(score for score, _ in points), tuple(size for _, size in points))


def gain(first: Curve, other: Curve) -> float | None:
    """Return the mean logarithm of the ratio of bytes at equal scores."""
    pairs = [(first.at(score), other.at(score)) for score in SCORES]
    ratios = [there - here for here, there in pairs if here is not None and there is not None]
    return statistics.mean(ratios) if ratios else None


def seconds(work: Callable[[], object]) -> float:
    """Return how long ``work`` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def row(photos: Sequence[Photo], first: Setting, setting: Setting, *, repeat: int) -> str:
    """Return the row of ``setting`` in the table of its format."""
    codec = Codec.named(setting.format)()
    quality = codec.lossy_quality or 0
    gains, encoding, decoding, differences = [], [], [], []
    for photo in photos:
        files = [each.encode(photo.image, quality) for each in (first, setting)]
        if setting.format in QUALITIES:
            found = gain(curve(photo, first, codec), curve(photo, setting, codec))
            gains += [] if found is None else [found]
            scores = [photo.appearance.score(file, codec) for file in files]
            differences.append(scores[1] - scores[0])
        else:
            gains.append(math.log(len(files[1]) / len(files[0])))
        for _ in range(repeat):
            times = [seconds(partial(each.encode, photo.image, quality)) for each in (first, setting)]
            encoding.append(times[1] / times[0])
            times = [seconds(partial(decoded, codec, file)) for file in files]
            decoding.append(times[1] / times[0])
    bytes_cell = f"{math.exp(statistics.mean(gains)) - 1:+.1%}" if gains else "-"
    score = f"{statistics.mean(differences):+.2f}" if differences else "-"
    cells = (setting.name, bytes_cell, f"{statistics.median(encoding):.2f}", f"{statistics.median(decoding):.2f}", score)
    return f"| {' | '.join(cells)} |"


def decoded(codec: Codec, file: bytes) -> None:
    """Decode ``file`` to its last pixel."""
    source = Input(file)
    codec.decode(source, codec.header(source), options=DecodeOptions()).pixels.copy_memory()


def main() -> None:
    """Print a table for each format."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--size", default="800x600")
    parser.add_argument("--formats", default="jpeg,webp,avif,jxl,png")
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    configure()
    photos = [Photo(path.read_bytes(), arguments.size) for path in sorted(arguments.photos.rglob("*.jpg"))]
    print(f"{len(photos)} photographs to fit {arguments.size}, {machine.processor()}")
    for name in arguments.formats.split(","):
        settings = [setting for setting in SETTINGS if setting.format == name]
        print(f"\n| {name} | bytes at equal score | time to encode | time to decode | score at equal quality |")
        print("| --- | --- | --- | --- | --- |")
        for setting in settings:
            print(row(photos, settings[0], setting, repeat=arguments.repeat), flush=True)


if __name__ == "__main__":
    main()
