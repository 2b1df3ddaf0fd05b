"""Measures what ``--max-size`` costs and how much of the room it uses.

    python benchmarks/targets.py PHOTOS [--limits 500kB,100kB,30kB] [--formats jpeg,webp]

For each format and limit: the number of encodes for an image, of all images and of those that a lower quality made fit; how many
had to get shorter sides; the time against that without a limit, medians of pairs of neighbours; and the part of the limit that
the files fill which did not fit at first.
"""

import argparse
import logging
import statistics
import time
from pathlib import Path

import machine

import pixmill
from pixmill.core.units import ByteSize
from pixmill.imaging.pipeline import finish


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


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--limits", default="500kB,100kB,30kB")
    parser.add_argument("--formats", default="jpeg,webp")
    arguments = parser.parse_args()
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
        for limit in arguments.limits.split(","):
            print(measure(photos, counter, encoding=encoding, limit=ByteSize.from_builtin(limit)), flush=True)


if __name__ == "__main__":
    main()
