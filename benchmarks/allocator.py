"""Measures whether another malloc makes the workers smaller or faster, to decide which library docker/Dockerfile preloads.

    python benchmarks/allocator.py /path/to/libjemalloc.so.2 [/path/to/another.so ...]

Processes the photographs of the corpus several times with the C library's malloc, with the same malloc configured to use fewer
arenas and to return memory, and with each library preloaded; interleaved, with 2 workers. Prints images per second, the peak of
the total memory of all processes (PSS, sampled), and the memory still in use at the end. Only ratios are meaningful; on a busy
machine, CPU time per image is more reliable than images per second.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "photos"
PIXMILL = str(Path(sys.executable).parent / "pixmill")
COPIES = 8
REPETITIONS = 3
SAMPLE = 0.05  # seconds between memory samples


class Measured(msgspec.Struct, frozen=True):
    """One run: images per second, CPU seconds per image, and bytes of memory at the peak and at the end."""

    rate: float
    cost: float
    peak: int
    last: int


def environments(libraries: list[str]) -> dict[str, dict[str, str]]:
    """Return the environment variables of each candidate."""
    found: dict[str, dict[str, str]] = {
        "malloc of the C library": {},
        "1 arena": {"MALLOC_ARENA_MAX": "1"},
        "1 arena, trimmed at 128 kB": {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "131072"},
        "1 arena, trimmed at 16 MB": {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "16777216"},
    }
    return {**found, **{Path(library).name: {"LD_PRELOAD": library} for library in libraries}}


def fill(folder: Path) -> int:
    """Write ``COPIES`` copies of every photograph of the corpus to ``folder``; return the number of files."""
    photographs = [path for path in sorted(CORPUS.rglob("*")) if path.is_file()]
    for copy in range(COPIES):
        for number, path in enumerate(photographs):
            (folder / f"{copy}-{number}{path.suffix}").write_bytes(path.read_bytes())
    return COPIES * len(photographs)


def measure(source: Path, images: int, variables: dict[str, str], options: list[str]) -> Measured:
    """Run once, sampling the memory meanwhile."""
    with tempfile.TemporaryDirectory() as destination:
        command = [PIXMILL, "run", str(source), destination, "--workers", "2", "--durability", "none", "--quiet", *options]
        began, spent = time.perf_counter(), cpu_time()
        process = subprocess.Popen(command, env={**os.environ, **variables})
        samples = [0]
        while process.poll() is None:
            samples.append(memory(process.pid) or samples[-1])
            time.sleep(SAMPLE)
        seconds = time.perf_counter() - began
        cost = (cpu_time() - spent) / images
    return Measured(images / seconds, cost, max(samples), statistics.median(samples[-20:-3] or samples))


def cpu_time() -> float:
    """Return the total CPU seconds of all child processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def memory(root: int) -> int:
    """Return the proportional memory of ``root`` and every process below it, in bytes."""
    total, waiting = 0, [root]
    while waiting:
        process = Path(f"/proc/{waiting.pop()}")
        try:
            total += (
                next(
                    int(line.split()[1]) for line in (process / "smaps_rollup").read_text().splitlines() if line.startswith("Pss:")
                )
                * 1024
            )
            for thread in (process / "task").iterdir():
                waiting.extend(map(int, (thread / "children").read_text().split()))
        except (OSError, StopIteration):
            continue
    return total


def main(libraries: list[str]) -> None:
    """Measure every candidate, for the default recipe and for one that only libvips executes."""
    with tempfile.TemporaryDirectory() as folder:
        images = fill(Path(folder))
        for title, options in {"default recipe": [], "to WebP, sharpened": ["--format", "webp", "--step", "sharpen"]}.items():
            print(f"\n{title}: {images} photographs, 2 workers, median of {REPETITIONS}")
            candidates = environments(libraries)
            results: dict[str, list[Measured]] = {name: [] for name in candidates}
            for _ in range(REPETITIONS):
                for name, variables in candidates.items():
                    results[name].append(measure(Path(folder), images, variables, options))
            for name, runs in results.items():
                rate, cost, peak, last = (
                    statistics.median(getattr(run, field) for run in runs) for field in Measured.__struct_fields__
                )
                print(
                    f"  {name:26} {rate:5.1f} img/s {cost * 1e3:5.0f} ms CPU  peak {peak / 1e6:4.0f} MB  end {last / 1e6:4.0f} MB"
                )


if __name__ == "__main__":
    main(sys.argv[1:])
