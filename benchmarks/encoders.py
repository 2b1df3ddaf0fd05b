"""Measures the settings of encoders against each other: bytes at equal score, time to encode and to decode, score at equal quality.

    python benchmarks/encoders.py PICTURES [--size 800x600] [--formats jpeg,webp,avif,jxl,png] [--repeat 3]

For each photograph in the size of the outputs, each setting makes files at several qualities, scored by SSIMULACRA 2 and SSIM. The
bytes at equal score are the mean of the logarithms of the ratios to the first setting of the format, between the scores that both
reach. Times are medians of the ratios of processor time to the first setting at its own quality, interleaved. The last column is
the mean difference of the scores by SSIMULACRA 2 at that quality. Settings of PNG are without loss: each PNG among the pictures is
encoded as it is, and only bytes and times count. Settings whose encoder is not installed are left out.
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
import oxipng
from PIL import Image as Pillow

import pixmill
from pixmill.imaging import similarity
from pixmill.imaging.backends import vips_save
from pixmill.imaging.codec import Codec, DecodeOptions
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.pipeline.search.appearance import Appearance
from pixmill.imaging.process import configure

Encode = Callable[[Image, int], bytes]
SCORES = {"SSIMULACRA 2": range(55, 91, 5), "SSIM": np.arange(0.8, 1, 0.01)}
LUMA_WEIGHTS = (0.299, 0.587, 0.114)
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


def by_jpegli(image: Image, quality: int) -> bytes:
    """Return a JPEG by jpegli (``pip install pyjpegli``)."""
    import pyjpegli  # noqa: PLC0415  # not among our dependencies

    pixels = image.pixels.numpy()
    data: bytes = pyjpegli.encode(pixels.tobytes(), pixels.shape[1], pixels.shape[0], quality)
    return data


def by_libpng(image: Image, _: int, *, level: int, name: str) -> bytes:
    """Return a PNG with a zlib level and the filters ``name``."""
    return vips_save.save(image, "pngsave", compression=level, filter=name)


def by_oxipng(image: Image, _: int, *, level: int) -> bytes:
    """Return a PNG that oxipng has made smaller."""
    return oxipng.optimize_from_memory(by_libpng(image, 0, level=1, name="none"), level=level)


SETTINGS = [
    of_codec("default", "jpeg"),
    of_codec("fast", "jpeg:effort=fast"),
    of_codec("progressive", "jpeg:progressive=true"),
    of_codec("best", "jpeg:effort=best"),
    *(of_vips(f"trellis, table {table}", "jpegsave", "jpeg", quant_table=table, **TRELLIS) for table in (0, 2, 3, 4)),
    Setting("jpeg", "jpegli", by_jpegli),
    of_codec("default (4)", "webp"),
    of_codec("fast (2)", "webp:effort=fast"),
    *(of_vips(f"method {method}", "webpsave", "webp", effort=method) for method in (1, 2, 3, 5)),
    of_codec("best (6)", "webp:effort=best"),
    of_codec("default (3)", "avif"),
    of_codec("fast (1)", "avif:effort=fast"),
    *(of_vips(f"effort {effort}", "heifsave", "avif", effort=effort, compression="av1") for effort in (1, 2, 4)),
    of_codec("best (7)", "avif:effort=best"),
    *(of_pillow(f"Pillow, aom, speed {speed}", "avif", codec="aom", speed=speed, max_threads=1) for speed in (6, 7, 8, 9)),
    *(of_pillow(f"SVT-AV1, speed {speed}", "avif", codec="svt", speed=speed, max_threads=1) for speed in (4, 6, 8, 10)),
    of_codec("default (7)", "jxl"),
    of_codec("fast (3)", "jxl:effort=fast"),
    of_codec("best (9)", "jxl:effort=best"),
    of_codec("default", "png"),
    of_codec("fast", "png:effort=fast"),
    of_codec("best", "png:effort=best"),
    *(
        Setting("png", f"zlib level {level}, filter {name}", partial(by_libpng, level=level, name=name))
        for level in (1, 2, 3, 9)
        for name in ("none", "all")
    ),
    *(Setting("png", f"oxipng level {level}", partial(by_oxipng, level=level)) for level in (0, 1, 2)),
]


class Photo:
    """A photograph in the size of the outputs."""

    def __init__(self, data: bytes, size: str) -> None:
        """Make it smaller without loss."""
        small = pixmill.process(data, size=size, format="png:compression=1", metadata="strip")
        pixels = np.asarray(Pillow.open(io.BytesIO(small)).convert("RGB"))
        self.image = Image.from_numpy(pixels)
        self._appearance = Appearance(self.image)
        self._luma = pixels @ np.array(LUMA_WEIGHTS)

    def scores(self, data: bytes, codec: Codec) -> dict[str, float]:
        """Return the scores of the file ``data`` by each measure."""
        luma = pixels_of(codec, data)[..., :3] @ np.array(LUMA_WEIGHTS)
        return {"SSIMULACRA 2": self._appearance.score(data, codec), "SSIM": similarity.ssim(self._luma, luma)}


class Drawing:
    """A PNG as it is: a palette as colours."""

    def __init__(self, data: bytes) -> None:
        """Decode it."""
        picture = Pillow.open(io.BytesIO(data))
        mode = ("RGBA" if "transparency" in picture.info else "RGB") if picture.mode == "P" else picture.mode
        self.image = Image.from_numpy(np.asarray(picture.convert(mode)))


class Curve(NamedTuple):
    """Scores and logarithms of bytes of one photograph by one setting, in ascending order."""

    scores: tuple[float, ...]
    sizes: tuple[float, ...]

    def at(self, score: float) -> float | None:
        """Return the logarithm of the bytes at ``score``, if that was reached."""
        return float(np.interp(score, self.scores, self.sizes)) if self.scores[0] <= score <= self.scores[-1] else None


def curves(photo: Photo, setting: Setting, codec: Codec) -> dict[str, Curve]:
    """Return the curve of ``setting`` for each measure."""
    files = [setting.encode(photo.image, quality) for quality in QUALITIES[setting.format]]
    scores = [photo.scores(file, codec) for file in files]
    result = {}
    for measure in SCORES:
        points = sorted((found[measure], math.log(len(file))) for found, file in zip(scores, files, strict=True))
        result[measure] = Curve(tuple(score for score, _ in points), tuple(size for _, size in points))
    return result


def gain(first: Curve, other: Curve, scores: Sequence[float]) -> list[float]:
    """Return the mean logarithm of the ratio of bytes at equal scores; nothing without any."""
    pairs = [(first.at(score), other.at(score)) for score in scores]
    ratios = [there - here for here, there in pairs if here is not None and there is not None]
    return [statistics.mean(ratios)] if ratios else []


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time that ``work`` takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def ratios(first: Setting, setting: Setting, image: Image, *, repeat: int) -> tuple[tuple[bytes, bytes], list[float], list[float]]:
    """Return the files of both settings, and the ratios of the times to encode and to decode them."""
    codec = Codec.named(setting.format)()
    quality = codec.lossy_quality or 0
    files = first.encode(image, quality), setting.encode(image, quality)
    encoding, decoding = [], []
    for _ in range(repeat):
        times = [seconds(partial(each.encode, image, quality)) for each in (first, setting)]
        encoding.append(times[1] / times[0])
        times = [seconds(partial(pixels_of, codec, file)) for file in files]
        decoding.append(times[1] / times[0])
    return files, encoding, decoding


def row(photos: Sequence[Photo], first: Setting, setting: Setting, *, repeat: int) -> str:
    """Return the row of ``setting`` in the table of its format."""
    codec = Codec.named(setting.format)()
    gains: dict[str, list[float]] = {measure: [] for measure in SCORES}
    encoding, decoding, differences = [], [], []
    for photo in photos:
        files, *times = ratios(first, setting, photo.image, repeat=repeat)
        encoding += times[0]
        decoding += times[1]
        found = curves(photo, first, codec), curves(photo, setting, codec)
        for measure, scores in SCORES.items():
            gains[measure] += gain(found[0][measure], found[1][measure], scores)
        scored = [photo.scores(file, codec)["SSIMULACRA 2"] for file in files]
        differences.append(scored[1] - scored[0])
    bytes_cells = [f"{math.exp(statistics.mean(each)) - 1:+.1%}" if each else "-" for each in gains.values()]
    times_cells = [f"{statistics.median(each):.2f}" for each in (encoding, decoding)]
    return f"| {' | '.join((setting.name, *bytes_cells, *times_cells, f'{statistics.mean(differences):+.2f}'))} |"


def lossless_row(drawings: Sequence[Drawing], first: Setting, setting: Setting, *, repeat: int) -> str:
    """Return the row of ``setting`` of a format without loss."""
    sizes, encoding, decoding = [], [], []
    for drawing in drawings:
        files, *times = ratios(first, setting, drawing.image, repeat=repeat)
        sizes.append(math.log(len(files[1]) / len(files[0])))
        encoding += times[0]
        decoding += times[1]
    cells = (
        f"{math.exp(statistics.mean(sizes)) - 1:+.1%}",
        f"{statistics.median(encoding):.2f}",
        f"{statistics.median(decoding):.2f}",
    )
    return f"| {' | '.join((setting.name, *cells))} |"


def pixels_of(codec: Codec, file: bytes) -> np.ndarray:
    """Return the pixels of ``file``."""
    source = Input(file)
    pixels: np.ndarray = codec.decode(source, codec.header(source), options=DecodeOptions()).pixels.numpy()
    return pixels


def works(setting: Setting) -> bool:
    """Return whether the encoder of ``setting`` is installed."""
    try:
        setting.encode(Image.from_numpy(np.zeros((16, 16, 3), np.uint8)), 50)
    except (ImportError, ValueError):
        return False
    return True


def main() -> None:
    """Print a table for each format."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--size", default="800x600")
    parser.add_argument("--formats", default="jpeg,webp,avif,jxl,png")
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    configure()
    formats = arguments.formats.split(",")
    print(f"to fit {arguments.size}, {machine.processor()}")
    photos = (
        [Photo(path.read_bytes(), arguments.size) for path in sorted(arguments.photos.rglob("*.jpg"))] if formats != ["png"] else []
    )
    for name in formats:
        settings = [setting for setting in SETTINGS if setting.format == name and works(setting)]
        if name in QUALITIES:
            heading = f"{name}, {len(photos)} photographs"
            print(f"\n| {heading} | bytes at equal SSIMULACRA 2 | at equal SSIM | time to encode | to decode | score |")
            print("| --- | --- | --- | --- | --- | --- |")
            for setting in settings:
                print(row(photos, settings[0], setting, repeat=arguments.repeat), flush=True)
        else:
            drawings = [Drawing(path.read_bytes()) for path in sorted(arguments.photos.rglob("*.png"))]
            print(f"\n| {name}, {len(drawings)} pictures | bytes | time to encode | to decode |\n| --- | --- | --- | --- |")
            for setting in settings:
                print(lossless_row(drawings, settings[0], setting, repeat=arguments.repeat), flush=True)


if __name__ == "__main__":
    main()
