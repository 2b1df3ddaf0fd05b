"""Measure how fast this machine processes the images: sequentially, then with 1, 2, 4 ... workers; recommend a worker count."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import structs

from pixmill.batch.config.models import RunConfig, Selection
from pixmill.batch.planning.empty_source import no_images
from pixmill.batch.planning.locations import resolve_locations
from pixmill.batch.planning.plan import plan
from pixmill.batch.report.summary import Report
from pixmill.batch.report.time_breakdown import time_breakdown
from pixmill.batch.run import run
from pixmill.core.errors import AddressError
from pixmill.core.temporary_folder import temporary_folder, writing_temporaries
from pixmill.imaging.recipe import Recipe

SEQUENTIAL = 0
NEAR_BEST = 0.95  # of the best rate: more workers would add less than their memory is worth
CHUNK_BYTES = 1 << 20


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One run over the sample: with this number of ``workers``, or ``SEQUENTIAL``, one image at a time without workers.

    ``rate`` is in images per second. ``speedup`` is the rate relative to the sequential one, ``efficiency`` is the speedup per
    worker. ``stages`` maps each stage to its share of the workers' time, largest first.
    """

    workers: int
    images: int
    failed: int
    seconds: float
    rate: float
    megapixels: float
    speedup: float
    efficiency: float
    stages: dict[str, float]


@contextmanager
def sample(source: Path, count: int) -> Iterator[Path]:
    """Yield a folder with links to ``count`` images, spread evenly over ``source``.

    Each is read once beforehand, so that every run finds it in the page cache. ``ConfigError`` when there is no image.
    """
    with temporary_folder("pixmill-bench-") as folder:
        config = RunConfig(source=str(source), destination=str(Path(folder) / "out"))
        root = resolve_locations(config).source_root.local
        if root is None:
            raise AddressError(f"{source} is not a local folder", hint="copy some of the images to this machine and measure those")
        whole_plan = plan(config)
        paths = [item.entry.path for item in whole_plan.items() if not item.source_error]
        if not paths:
            raise no_images(whole_plan)
        chosen = paths[:: max(1, len(paths) // count)][:count]
        images = Path(folder) / "images"
        originals = [(root / os.fsdecode(path)).resolve() for path in chosen]
        with writing_temporaries():
            images.mkdir()
            for number, original in enumerate(originals):
                (images / f"{number:06}{original.suffix}").symlink_to(original)
        for original in originals:
            _read(original)
        yield images


def _read(path: Path) -> None:
    with path.open("rb") as file:
        while file.read(CHUNK_BYTES):
            pass


def worker_counts(cores: int) -> tuple[int, ...]:
    """Return 1, 2, 4 ... up to ``cores``, and ``cores`` itself."""
    powers = [1 << power for power in range(cores.bit_length())]
    return tuple(sorted({*powers, cores}))


def measure(images: Path, recipe: Recipe, workers: Sequence[int]) -> Iterator[Measurement]:
    """Run ``images`` through ``recipe`` sequentially, then with each number of ``workers``; yield each measurement as it ends."""
    sequential = _measure(images, recipe, SEQUENTIAL)
    yield sequential
    for count in workers:
        parallel = _measure(images, recipe, count)
        speedup = parallel.rate / sequential.rate if sequential.rate else 0.0
        yield structs.replace(parallel, speedup=speedup, efficiency=speedup / count)


def recommended(measurements: Sequence[Measurement]) -> int:
    """Return the smallest number of workers whose rate is at least ``NEAR_BEST`` of the best."""
    with_workers = [each for each in measurements if each.workers != SEQUENTIAL]
    best = max(each.rate for each in with_workers)
    return min(each.workers for each in with_workers if each.rate >= NEAR_BEST * best)


def _measure(images: Path, recipe: Recipe, workers: int) -> Measurement:
    """Run once into a temporary folder, with the usual durability."""
    folder = images.parent / f"out-{workers}"
    try:
        config = RunConfig(
            source=str(images),
            destination=str(folder / "out"),
            recipe=recipe,
            selection=Selection(follow_symlinks=True),
            workers=workers or None,
            executor="local" if workers else "inline",
        )
        return _measurement(run(config), workers)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measurement(report: Report, workers: int) -> Measurement:
    done, seconds = report.counts.done, report.seconds or 1.0
    return Measurement(
        workers=workers,
        images=done,
        failed=report.counts.failed,
        seconds=report.seconds,
        rate=done / seconds,
        megapixels=report.pixels_in / 1e6 / seconds,
        speedup=1.0,
        efficiency=1.0,
        stages=time_breakdown(report.stages, workers=max(1, workers), seconds=seconds).shares,
    )
