"""Measures the complete product: a repeated run with nothing to do, two workers against one, and start-up.

    python benchmarks/product.py [FOLDER OF PHOTOGRAPHS]

Each figure is the median of interleaved repetitions. Only ratios are meaningful, because machines differ and are noisy.
"""

import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import machine

import pixmill

REPETITIONS = 5
FILES = 100_000
COPIES = 10  # of each photograph, enough to make start-up negligible
CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "photos"
PIXMILL = str(Path(sys.executable).parent / "pixmill")


def timed(action: Callable[[], object]) -> float:
    """Return the seconds that ``action`` takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def command(*words: str) -> Callable[[], object]:
    """Return an action that runs a command and discards its output."""
    return lambda: subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def processor_time(action: Callable[[], object]) -> float:
    """Return the processor time of the processes that ``action`` starts and waits for, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    action()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def interleaved(
    actions: dict[str, Callable[[], object]], *, measure: Callable[[Callable[[], object]], float] = timed
) -> dict[str, float]:
    """Return the median seconds of each action, run alternately."""
    times: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(REPETITIONS):
        for name, action in actions.items():
            times[name].append(measure(action))
    return {name: statistics.median(values) for name, values in times.items()}


def rerun(folder: Path) -> None:
    """Measurement 3: a second run over unchanged files."""
    source, destination = folder / "tiny", folder / "tiny-out"
    pixel = pixmill.process(tiny_png(), pixmill.Recipe(steps=()))
    for number in range(FILES):
        path = source / f"{number // 1000:03}" / f"{number:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pixel)
    first = timed(lambda: pixmill.run(source, destination, durability="none"))
    again = statistics.median(timed(lambda: pixmill.run(source, destination, durability="none")) for _ in range(3))
    print(f"3. first run over {FILES:,} tiny files: {FILES / first:,.0f} files/s")
    print(f"   second run, all unchanged: {FILES / again:,.0f} files/s (goal: 20,000)")


def tiny_png() -> bytes:
    """Return a PNG of four pixels."""
    from PIL import Image  # noqa: PLC0415  # only this measure needs it

    with tempfile.SpooledTemporaryFile() as file:
        Image.new("RGB", (2, 2), "teal").save(file, "PNG")
        file.seek(0)
        return file.read()


def scaling(folder: Path, photographs: Path) -> None:
    """Measurement 4: the photographs with two workers against one."""
    source = folder / "photographs"
    source.mkdir()
    for copy in range(COPIES):
        for path in photographs.rglob("*.jpg"):
            shutil.copy(path, source / f"{copy}-{path.name}")
    words = (PIXMILL, "run", str(source), str(folder / "scaled"), "--force", "--workers")
    seconds = interleaved({workers: command(*words, workers) for workers in ("1", "2")})
    print(f"4. two workers against one: {seconds['1'] / seconds['2']:.2f} times as fast (goal: 1.85)")


def start_up(folder: Path) -> None:
    """Measurement 5: start-up time relative to that of the interpreter."""
    source = folder / "one"
    source.mkdir()
    (source / "one.png").write_bytes(tiny_png())
    seconds = interleaved(
        {
            "python": command(sys.executable, "-c", "pass"),
            "version": command(PIXMILL, "--version"),
            "run": command(PIXMILL, "run", str(source), str(folder / "one-out"), "--force"),
        }
    )
    print(f"5. pixmill --version: {seconds['version'] / seconds['python']:.1f} times python -c pass (goal: at most 20)")
    print(f"   pixmill run of one small image: {seconds['run'] / seconds['python']:.1f} times (goal: at most 60)")
    photograph = folder / "photograph"
    photograph.mkdir()
    (photograph / "one.jpg").write_bytes(
        pixmill.process(tiny_png(), pixmill.Recipe(steps=("resize:width=800,height=600,enlarge=true,fit=fill",)))
    )
    used = {
        "python": command(sys.executable, "-c", "pass"),
        "run": command(PIXMILL, "run", str(photograph), str(folder / "photograph-out"), "--force"),
    }
    seconds = interleaved(used, measure=processor_time)
    print(f"   processor time of a run of one 800x600 JPEG: {seconds['run'] / seconds['python']:.1f} times (goal: at most 12)")


def main() -> None:
    """Run the three measurements and print them."""
    machine.keep_bytecode()
    photographs = Path(sys.argv[1]) if len(sys.argv) > 1 else CORPUS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start_up(folder)
        rerun(folder)
        if photographs.is_dir():
            scaling(folder, photographs)
        else:
            print(f"4. skipped: no photographs in {photographs}")


if __name__ == "__main__":
    main()
