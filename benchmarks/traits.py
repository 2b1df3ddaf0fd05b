"""Measures what the traits of an index cost: ThumbHash, dominant colour, dHash and capture time.

    python benchmarks/traits.py PHOTOS [--sizes 800x600,1920x1920,256x256] [--formats jpeg,webp,png] [--rounds 9]

Each photograph is processed from bytes to bytes in this process, with traits and without, in turn; which of the two comes first
changes with each round. For each size and format: the median CPU time of a photograph without traits, and the median of the
ratios of neighbours.
"""

import argparse
import statistics
import time
from pathlib import Path

import machine

from pixmill.imaging.input import Input
from pixmill.imaging.process import configure, process
from pixmill.imaging.recipe import Recipe


def timed(data: bytes, recipe: Recipe, *, with_traits: bool) -> float:
    """Return the seconds of CPU time that one photograph takes, which other programs change less than the clock does."""
    began = time.process_time()
    process(Input(data), recipe, with_traits=with_traits)
    return time.process_time() - began


def measure(photos: list[bytes], recipe: Recipe, rounds: int) -> tuple[float, float, float]:
    """Return the median milliseconds without traits, the median milliseconds that they add, and the median ratio."""
    times, added, ratios = [], [], []
    for data in photos:
        timed(data, recipe, with_traits=True)
        pairs = []
        for number in range(rounds):
            order = (False, True) if number % 2 else (True, False)
            taken = {wanted: timed(data, recipe, with_traits=wanted) for wanted in order}
            pairs.append((taken[False], taken[True]))
        times.append(statistics.median(without for without, _ in pairs))
        added.append(statistics.median(among - without for without, among in pairs))
        ratios.append(statistics.median(among / without for without, among in pairs))
    return 1000 * statistics.median(times), 1000 * statistics.median(added), statistics.median(ratios)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--sizes", default="256x256,800x600,1920x1920")
    parser.add_argument("--formats", default="jpeg,webp,png")
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    configure()
    photos = [path.read_bytes() for path in sorted(arguments.photos.rglob("*.jpg"))]
    print(f"{len(photos)} photographs, {machine.processor()}, {machine.cores()} cores\n")
    print("| output | a photograph | traits add | slower by |")
    print("| --- | --- | --- | --- |")
    for encoding in arguments.formats.split(","):
        for size in arguments.sizes.split(","):
            width, height = size.split("x")
            steps = [f"resize:width={width},height={height}"]
            recipe = Recipe.from_builtins({"steps": steps, "renditions": [{"encode": encoding}]})
            taken, added, ratio = measure(photos, recipe, arguments.rounds)
            print(f"| {encoding} {size} | {taken:.1f} ms | {added:.2f} ms | {ratio - 1:.1%} |", flush=True)


if __name__ == "__main__":
    main()
