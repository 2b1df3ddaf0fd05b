"""Measures the cost of an idle watch, and how quickly it notices new images.

    python benchmarks/watching.py

For each detector: CPU time of the watch and its workers over 20 idle seconds, with 1,000 files in the folder; then the time from
the end of the settle time to the output, for ten images copied one after another.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

PIXMILL = str(Path(sys.executable).parent / "pixmill")
SETTLE = 1.0
IDLE = 20.0
FILES = 1000
IMAGES = 10
TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(root: int) -> float:
    """Return the CPU seconds that ``root`` and every living process below it have used."""
    total, waiting = 0, [root]
    while waiting:
        process = Path(f"/proc/{waiting.pop()}")
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
        for thread in (process / "task").iterdir():
            waiting.extend(map(int, (thread / "children").read_text().split()))
    return total / TICK


def wait_for(path: Path) -> None:
    """Wait until ``path`` exists."""
    while not path.exists():
        time.sleep(0.002)


def measure(folder: Path, options: list[str]) -> tuple[float, list[float]]:
    """Return the share of one core while idle, and the delays in seconds."""
    source, destination = folder / "in", folder / "out"
    source.mkdir()
    Image.new("RGB", (64, 48), "teal").save(folder / "image.jpg")
    for number in range(FILES):
        (source / f"{number}.txt").write_bytes(b"not an image")
    command = [PIXMILL, "watch", str(source), str(destination), "--quiet", "--settle", f"{SETTLE}s", *options]
    watcher = subprocess.Popen(command)
    copy(folder / "image.jpg", source / "first.jpg", destination / "first.jpg")
    before = cpu_seconds(watcher.pid)
    time.sleep(IDLE)
    idle = (cpu_seconds(watcher.pid) - before) / IDLE
    delays = [
        copy(folder / "image.jpg", source / f"{number}.jpg", destination / f"{number}.jpg") - SETTLE for number in range(IMAGES)
    ]
    watcher.send_signal(signal.SIGTERM)
    watcher.wait()
    return idle, sorted(delays)


def copy(image: Path, source: Path, output: Path) -> float:
    """Copy an image to the folder, and return the seconds until its output exists."""
    source.write_bytes(image.read_bytes())
    began = time.perf_counter()
    wait_for(output)
    return time.perf_counter() - began


def main() -> None:
    """Measure both detectors."""
    for name, options in {"inotify": [], "polling": ["--poll", "400ms"]}.items():
        with tempfile.TemporaryDirectory() as folder:
            idle, delays = measure(Path(folder), options)
        print(f"{name}: idle {idle:.2%} of a core (goal: 1 %)")
        print(f"  delay after the settle time: median {delays[len(delays) // 2]:.2f} s, worst {delays[-1]:.2f} s (goal: 0.5 s)")


if __name__ == "__main__":
    main()
