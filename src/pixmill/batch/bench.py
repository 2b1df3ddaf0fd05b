"""How fast this machine is with these images: one after the other, then with 1, 2, 4 ... workers, and how many to use."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import structs

from pixmill.batch.config.models import RunConfig, Selection
from pixmill.batch.planning.locations import resolve_locations
from pixmill.batch.planning.plan import plan
from pixmill.batch.report.summary import Report
from pixmill.batch.report.time_breakdown import time_breakdown
from pixmill.batch.run import run
from pixmill.core.errors import AddressError
from pixmill.core.temporary_folder import temporary_folder, writing_temporaries
from pixmill.imaging.recipe import Recipe

SEQUENTIAL = 0
WORTHWHILE = 0.95  # of the best rate: what more workers add beyond that is not worth their memory
READ = 1 << 20


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the same images: with so many ``workers``, or none (``SEQUENTIAL``), one image after the other.

    ``speedup`` is the rate over the sequential one, ``efficiency`` the same for each worker. ``stages`` are shares of what the
    workers spent, the largest first.
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
    """Give a folder with links to ``count`` images of ``source``, evenly spread over it, read once so that no run is the first.

    ``AddressError`` when there is no image.
    """
    with temporary_folder("pixmill-bench-") as folder:
        config = RunConfig(source=str(source), destination=str(Path(folder) / "out"))
        root = resolve_locations(config).source_root.local
        if root is None:
            raise AddressError(f"{source} is not a folder of this machine", hint="measure with a local copy of some of the images")
        paths = [item.entry.path for item in plan(config).items() if not item.source_error]
        if not paths:
            raise AddressError(f"there is no image in {source}")
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
        while file.read(READ):
            pass


def worker_counts(cores: int) -> tuple[int, ...]:
    """Return 1, 2, 4 ... up to ``cores``, and ``cores`` itself."""
    powers = [1 << power for power in range(cores.bit_length())]
    return tuple(sorted({*powers, cores}))


def measure(images: Path, recipe: Recipe, workers: Sequence[int]) -> Iterator[Measurement]:
    """Run ``images`` through ``recipe`` one after the other, then with each number of ``workers``; yield each trial as it ends."""
    alone = _measure(images, recipe, SEQUENTIAL)
    yield alone
    for count in workers:
        taken = _measure(images, recipe, count)
        speedup = taken.rate / alone.rate if alone.rate else 0.0
        yield structs.replace(taken, speedup=speedup, efficiency=speedup / count)


def recommended(found: Sequence[Measurement]) -> int:
    """Return the least number of workers whose rate is close to the best."""
    with_workers = [trial for trial in found if trial.workers != SEQUENTIAL]
    best = max(trial.rate for trial in with_workers)
    return min(trial.workers for trial in with_workers if trial.rate >= WORTHWHILE * best)


def _measure(images: Path, recipe: Recipe, workers: int) -> Measurement:
    """Run once, into a folder that is thrown away, as durably as ever."""
    place = images.parent / f"out-{workers}"
    try:
        config = RunConfig(
            source=str(images),
            destination=str(place / "out"),
            recipe=recipe,
            selection=Selection(follow_symlinks=True),
            workers=workers or None,
            executor="local" if workers else "inline",
        )
        return _measurement(run(config), workers)
    finally:
        shutil.rmtree(place, ignore_errors=True)


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
