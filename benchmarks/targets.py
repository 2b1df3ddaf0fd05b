"""Measures what ``--max-size`` and ``--target-quality`` cost, how much of the room they use, and how many bytes they save.

    python benchmarks/targets.py PHOTOS [--limits 500kB,100kB,30kB] [--targets 70,80,90] [--formats jpeg,webp] [--size 800x600]

For each format and limit: the number of encodes for an image, of all images and of those that a lower quality made fit; how many
had to get shorter sides; the time against that without a limit, medians of pairs of neighbours; and the part of the limit that
the files fill which did not fit at first.

Beside that, for the files that did not fit at first: the encodes, the room used and the time of a script around Pillow that bisects
the quality.

For each format and target: the number of encodes for an image; the time from the photograph to the file against that with a fixed
quality, medians of pairs of neighbours; the scores of the files, from the lowest tenth to the highest; how many no quality made
good enough; the lowest quality with which nine of ten files score as much, and the bytes that the target saves against that one
quality for all. Last, the bytes that each format saves against JPEG at quality 85 where each file has the score of that JPEG; and
the milliseconds to compare two pictures.
"""

import argparse
import io
import logging
import statistics
import time
from pathlib import Path

import machine
import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps

import pixmill
from pixmill.core.units import ByteSize
from pixmill.imaging.codec import Codec, DecodeOptions
from pixmill.imaging.codecs.jpeg import Jpeg
from pixmill.imaging.input import Input
from pixmill.imaging.pipeline import finish
from pixmill.imaging.pipeline.search.appearance import Appearance
from pixmill.imaging.process import configure
from pixmill.imaging.ssimulacra2.comparison import Original

QUALITIES = range(50, 96, 3)  # that one quality for all is looked for among
BASELINE = 85


class Counter(logging.Handler):
    """Counts the files that were encoded."""

    def __init__(self) -> None:
        """Begin with none."""
        super().__init__(logging.DEBUG)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count one."""
        self.count += record.msg == finish.ENCODED


def timed(data: bytes, **options: object) -> tuple[pixmill.Output, float]:
    """Return the output, and the seconds of the whole way from bytes to bytes."""
    began = time.perf_counter()
    output = pixmill.process(data, **options)
    return output, time.perf_counter() - began


def measure(photos: list[bytes], counter: Counter, *, encoding: str, limit: ByteSize) -> str:
    """Return the row of a table."""
    encodes, searched, rooms, times, shrunk = [], [], [], [], 0
    for data in photos:
        counter.count = 0
        output, seconds = timed(data, format=encoding, max_size=limit)
        encodes.append(counter.count)
        times.append(seconds / timed(data, format=encoding)[1])
        if len(output) > limit:
            raise SystemExit(f"a file of {len(output)} bytes, although {limit} were allowed")
        if encodes[-1] > 1:
            searched.append(counter.count if "shrunk-to-fit" not in output.notes else 0)
            rooms.append(len(output) / limit)
            shrunk += "shrunk-to-fit" in output.notes
    by_quality = [count for count in searched if count]
    cells = [
        encoding,
        str(limit),
        f"{statistics.mean(encodes):.2f}",
        f"{statistics.mean(by_quality):.2f} of {len(by_quality)}" if by_quality else "-",
        f"{shrunk}",
        f"{statistics.median(times):.2f}",
        f"{statistics.median(rooms):.0%}" if rooms else "-",
    ]
    return f"| {' | '.join(cells)} |"


def by_pillow(data: bytes, *, encoding: str, limit: int) -> tuple[int, int, float]:
    """Do what scripts around Pillow do: bisect the quality from 85 to 40, then make the sides shorter, a tenth at a time.

    Return the number of encodes, the bytes and the seconds.
    """
    began, count = time.perf_counter(), 0
    image = ImageOps.exif_transpose(Pillow.open(io.BytesIO(data))).convert("RGB")
    image.thumbnail((1920, 1920))

    def encoded(quality: int) -> bytes:
        nonlocal count
        count += 1
        file = io.BytesIO()
        image.save(file, encoding, quality=quality, **({"optimize": True} if encoding == "jpeg" else {}))
        return file.getvalue()

    def fitting(attempt: bytes) -> bytes:
        return attempt if len(attempt) <= limit else b""

    best, low, high = fitting(encoded(85)), 40, 84
    while low <= high:
        quality = (low + high + 1) // 2
        attempt = fitting(encoded(quality))
        best, low, high = (attempt, quality + 1, high) if attempt else (best, low, quality - 1)
    while not best:
        image = image.resize((max(1, image.width * 9 // 10), max(1, image.height * 9 // 10)), Pillow.Resampling.LANCZOS)
        best = fitting(encoded(40))
    return count, len(best), time.perf_counter() - began


def beside_pillow(photos: list[bytes], counter: Counter, *, encoding: str, limit: ByteSize) -> str:
    """Return the row of a table: of the photographs that do not fit at the default quality."""
    ours, theirs = [], []
    for data in photos:
        counter.count = 0
        output, seconds = timed(data, format=encoding, max_size=limit)
        if counter.count > 1:
            ours.append((counter.count, len(output), seconds))
            theirs.append(by_pillow(data, encoding=encoding, limit=limit))
    if not ours:
        return f"| {encoding} | {limit} | - | - | - | - | - |"
    ratio = statistics.median(their[2] / our[2] for our, their in zip(ours, theirs, strict=True))
    cells = [
        encoding,
        str(limit),
        *(f"{statistics.mean(each[0] for each in side):.2f}" for side in (ours, theirs)),
        *(f"{statistics.median(each[1] for each in side) / limit:.0%}" for side in (ours, theirs)),
        f"{ratio:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


class Photo:
    """A photograph in the size of the outputs."""

    def __init__(self, data: bytes, size: str) -> None:
        """Make it smaller without loss."""
        self.original, self.size = data, size
        self.data = pixmill.process(data, size=size, format="png:compression=1", metadata="strip")
        codec = Codec.named("png")()
        source = Input(self.data)
        image = codec.decode(source, codec.header(source), options=DecodeOptions())
        self.image = image.evolve(pixels=image.pixels.copy_memory())
        self.appearance = Appearance(self.image)

    def score(self, data: bytes, codec: Codec) -> float:
        """Return the score of a file."""
        return self.appearance.score(data, codec)


def aim(photos: list[Photo], counter: Counter, *, codec: Codec, target: int) -> str:
    """Return the row of a table."""
    encodes, times, sizes, scores, missed = [], [], [], [], 0
    for photo in photos:
        counter.count = 0
        output, seconds = timed(photo.original, format=codec, size=photo.size, target_quality=target)
        encodes.append(counter.count)
        times.append(seconds / timed(photo.original, format=codec, size=photo.size)[1])
        sizes.append(len(output))
        scores.append(photo.score(output, codec))
        missed += finish.BELOW_TARGET in output.notes
    quality, fixed = one_quality(photos, codec, target)
    cells = [
        codec.label(),
        str(target),
        f"{statistics.mean(encodes):.2f}",
        f"{statistics.median(times):.1f}",
        f"{np.percentile(scores, 10):.1f} to {np.percentile(scores, 90):.1f}",
        f"{missed}",
        f"{quality}",
        f"{1 - sum(sizes) / fixed:.0%}",
    ]
    return f"| {' | '.join(cells)} |"


def one_quality(photos: list[Photo], codec: Codec, target: int) -> tuple[int, int]:
    """Return the lowest quality with which nine of ten photographs score ``target``, and their bytes."""
    files: list[bytes] = []
    for quality in QUALITIES:
        chosen = codec.evolve(quality=quality)
        files = [chosen.encode(photo.image) for photo in photos]
        scores = [photo.score(file, chosen) for photo, file in zip(photos, files, strict=True)]
        if np.percentile(scores, 10) >= target:
            break
    return quality, sum(map(len, files))


def same_score(photos: list[Photo], codec: Codec) -> str:
    """Return the row of a table: the bytes saved against JPEG at quality 85 with the score of that."""
    sizes, originals = [], []
    baseline = Jpeg(quality=BASELINE)
    for photo in photos:
        original = baseline.encode(photo.image)
        target = max(1, round(photo.score(original, baseline)))
        sizes.append(len(pixmill.process(photo.data, format=codec, size="keep", target_quality=target)))
        originals.append(len(original))
    return f"| {codec.label()} | {1 - sum(sizes) / sum(originals):.0%} |"


def milliseconds(size: tuple[int, int]) -> float:
    """Return the time of one comparison of two pictures of ``size``, the best of several."""
    random = np.random.default_rng(1)
    first, second = (random.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8) for _ in range(2))
    original, times = Original(first), []
    for _ in range(20):
        began = time.perf_counter()
        original.score(second)
        times.append(time.perf_counter() - began)
    return 1000 * min(times)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--limits", default="500kB,100kB,30kB")
    parser.add_argument("--formats", default="jpeg,webp")
    parser.add_argument("--targets", default="70,80,90")
    parser.add_argument("--size", default="800x600")
    arguments = parser.parse_args()
    configure()
    photos = [path.read_bytes() for path in sorted(arguments.photos.rglob("*.jpg"))]
    counter = Counter()
    logger = logging.getLogger(finish.__name__)
    logger.setLevel(logging.DEBUG)
    logger.addHandler(counter)
    logger.propagate = False
    print(f"{len(photos)} photographs, {machine.processor()}, {machine.cores()} cores\n")
    print("| format | limit | encodes | of those by quality alone | shrunk | time against no limit | room used |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for encoding in arguments.formats.split(","):
        for limit in filter(None, arguments.limits.split(",")):
            print(measure(photos, counter, encoding=encoding, limit=ByteSize.from_builtin(limit)), flush=True)
    print("\nThose that do not fit at once, beside a script around Pillow that bisects the quality:\n")
    print("| format | limit | encodes | of Pillow | room used | of Pillow | time of Pillow against pixmill |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for encoding in arguments.formats.split(","):
        for limit in filter(None, arguments.limits.split(",")):
            print(beside_pillow(photos, counter, encoding=encoding, limit=ByteSize.from_builtin(limit)), flush=True)
    small = [Photo(data, arguments.size) for data in photos]
    codecs = [Codec.from_builtins(encoding) for encoding in arguments.formats.split(",")]
    print("\n| format | target | encodes | time against fixed | scores | missed | one quality for all | saved against that |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for codec in codecs:
        for target in filter(None, arguments.targets.split(",")):
            print(aim(small, counter, codec=codec, target=int(target)), flush=True)
    print(f"\n| format | saved at the score of each JPEG of quality {BASELINE} |\n| --- | --- |")
    for codec in codecs:
        print(same_score(small, codec), flush=True)
    print(f"\nOne comparison of 800x600 pixels: {milliseconds((800, 600)):.0f} ms")


if __name__ == "__main__":
    main()
