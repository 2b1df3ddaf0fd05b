"""Measures what the writer costs: tiny images whose outputs the writer writes, against workers that write themselves.

    python benchmarks/writer.py [--images N] [--repetitions N]

Both kinds of runs alternate; the ratios are those of neighbours. CPU seconds are those of all processes together.
"""

import argparse
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path

import msgspec
from PIL import Image

from pixmill.batch.config.options import resolve
from pixmill.batch.run import open_run as open_batch
from pixmill.engine.handler import HandlerRef


def make_images(folder: Path, count: int) -> None:
    """Make ``count`` images of 64x48 pixels, of a kilobyte or two."""
    folder.mkdir()
    Image.effect_noise((64, 48), 60).save(folder / "0.jpg")
    for number in range(1, count):
        os.link(folder / "0.jpg", folder / f"{number}.jpg")


def processor() -> float:
    """Return the CPU seconds of this process and of all that have ended."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def run(source: Path, destination: Path, *, durability: str, has_writer: bool) -> tuple[float, float]:
    """Return the elapsed and the CPU seconds of a run; without the writer, workers are allowed to write to ``destination``."""

    def without_writer(handler: HandlerRef) -> HandlerRef:
        broker = handler.broker
        return msgspec.structs.replace(handler, broker=None, confinement=broker.confinement) if broker else handler

    began, before = time.perf_counter(), processor()
    plan = resolve(str(source), str(destination), {"size": "32x32", "workers": 2, "durability": durability})
    with open_batch(plan, wrap_handler=None if has_writer else without_writer) as under_way:
        done = sum(1 for _ in under_way)
    if done != len(list(source.iterdir())):
        raise SystemExit(f"only {done} images were processed")
    return time.perf_counter() - began, processor() - before


def main() -> None:
    """Measure, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=3000, help="number of tiny images in a run")
    parser.add_argument("--repetitions", type=int, default=7, help="number of runs of each kind")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "tiny"
        make_images(source, options.images)
        for durability in ("full", "none"):
            pairs = [
                [
                    run(source, Path(folder) / f"{durability}-{turn}-{own}", durability=durability, has_writer=own)
                    for own in (True, False)
                ]
                for turn in range(options.repetitions)
            ]
            rates = [alone[0] / writer[0] for writer, alone in pairs]
            costs = [writer[1] / alone[1] for writer, alone in pairs]
            print(f"durability {durability}: rate with the writer {statistics.median(rates):.2f} of that without it", end=" ")
            print(f"({min(rates):.2f} to {max(rates):.2f}), CPU seconds {statistics.median(costs):.2f} times", end=" ")
            print(f"({min(costs):.2f} to {max(costs):.2f})")


if __name__ == "__main__":
    main()
