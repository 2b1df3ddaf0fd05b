"""Measures a step that loads a model once: 200 MB held by each worker, 50 ms for a batch of 8 images.

    python benchmarks/model_steps.py [--images N] [--repeat N] [--workers N]

The peer is a loop without anything else: in as many processes, libvips reads 8 files, the model gets them, libvips writes 8 files.
Printed: images a second of both, interleaved, medians, and their ratio; and how often a model was loaded in a run.
"""

import argparse
import functools
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import machine
import numpy as np
import pyvips

BATCH, SECONDS, HELD = 8, 0.05, 200_000_000
STEP = f"""
import time

import numpy as np

import pixmill

LOG = {{log!r}}


class Model(pixmill.Step):
    memory = "{HELD // 1_000_000}MB"
    batch_size = {BATCH}
    needs = (LOG,)

    def open(self):
        self.weights = np.ones({HELD}, np.uint8)
        with open(f"{{{{LOG}}}}/opened", "a") as log:
            log.write("x")

    def batch(self, images):
        time.sleep({SECONDS})
        return images
"""


def make_images(folder: Path, count: int) -> None:
    """Fill ``folder`` with noisy JPEGs of 800x600."""
    folder.mkdir()
    for number in range(count):
        noise = np.random.default_rng(number).integers(0, 255, (60, 80, 3), np.uint8)
        pyvips.Image.new_from_array(noise).resize(10).jpegsave(str(folder / f"{number:05}.jpg"))


def bare(paths: list[Path], destination: Path) -> None:
    """Do the work of one process."""
    pyvips.cache_set_max(0)
    weights = np.ones(HELD, np.uint8)
    for first in range(0, len(paths), BATCH):
        chunk = paths[first : first + BATCH]
        images = [pyvips.Image.thumbnail(str(path), 640, height=480, size="down").copy_memory() for path in chunk]
        time.sleep(SECONDS)
        for path, image in zip(chunk, images, strict=True):
            image.jpegsave(str(destination / path.name), Q=85, optimize_coding=True, keep="none")
    del weights


def bare_seconds(source: Path, destination: Path, workers: int) -> float:
    """Return the seconds of the loop in ``workers`` processes."""
    destination.mkdir()
    paths = sorted(source.iterdir())
    shares = [paths[index::workers] for index in range(workers)]
    began = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        pool.map(functools.partial(bare, destination=destination), shares, chunksize=1)
    return time.perf_counter() - began


def pixmill_seconds(source: Path, destination: Path, workers: int, steps: Path) -> float:
    """Return the seconds of a run."""
    words = ["run", source, destination, "--size", "640x480", "--step", f"python:function={steps}:Model", "--workers", str(workers)]
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "pixmill", *words, "--quiet"], check=True)
    return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=960)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    print(f"{options.images} images of 800x600, {machine.processor()}, {options.workers} workers\n")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "log").mkdir()
        (root / "steps.py").write_text(STEP.format(log=str(root / "log")))
        make_images(root / "in", options.images)
        rates: dict[str, list[float]] = {"bare loop": [], "pixmill": []}
        for turn in range(options.repeat):
            rates["bare loop"].append(options.images / bare_seconds(root / "in", root / f"bare{turn}", options.workers))
            rates["pixmill"].append(
                options.images / pixmill_seconds(root / "in", root / f"out{turn}", options.workers, root / "steps.py")
            )
        for name, values in rates.items():
            print(f"{name:10} {statistics.median(values):7.1f} images/s")
        ratios = [ours / theirs for ours, theirs in zip(rates["pixmill"], rates["bare loop"], strict=True)]
        print(f"ratio      {statistics.median(ratios):7.2f}")
        print(f"models loaded in a run: {len((root / 'log' / 'opened').read_text()) / options.repeat:g}")


if __name__ == "__main__":
    main()
