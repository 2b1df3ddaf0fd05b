"""Measures what one large folder costs: plan, first run, a run with nothing to do, and an arrival in a watched folder.

    python benchmarks/folders.py [--only plan,run,again,watch] [--src OTHER/src] [--keep FOLDER] [NUMBER ...]

The files are hard links to a few tiny pictures. Prints for each command and number of files the seconds, files a second, CPU
seconds of all processes, and the peak memory of the coordinator alone; then the bytes that each file more took. For the watch, the
seconds are those from an arrival to its output, without the settle time, and the CPU seconds those of the coordinator: medians.
If restic is installed, it looks at the same files for changes after each run with nothing to do, in a repository that has them all.
"""

import argparse
import contextlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import machine
from PIL import Image

NUMBERS = (1_000, 100_000, 300_000)
LINKS = 50_000  # to one file; ext4 allows 65,000
COMMANDS = ("plan", "run", "again", "watch")
ARRIVALS = 5
SETTLE = 0.5  # seconds
TICK = os.sysconf("SC_CLK_TCK")
KIB = 1024
MB = 1_000_000


class Cost(NamedTuple):
    """The cost of one command: elapsed seconds, CPU seconds of all processes, and the peak memory of the coordinator in bytes."""

    seconds: float
    cpu: float
    peak: int


def main() -> None:
    """Measure and print."""
    machine.keep_bytecode()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("numbers", nargs="*", type=int, default=NUMBERS, help="files in the folder; several show the growth")
    parser.add_argument("--only", default=",".join(COMMANDS), help="commands to measure; run prepares for the others")
    parser.add_argument("--src", type=Path, action="append", help="the source code to measure; several are measured in turn")
    parser.add_argument("--keep", type=Path, help="a folder to make the files in, and to use again")
    asked = parser.parse_args()
    codes = asked.src or [Path(__file__).resolve().parents[1] / "src"]
    with _folder(asked.keep) as work:
        costs: dict[tuple[Path, str], dict[int, Cost]] = {}
        for number in asked.numbers:
            source = pictures(work, number)
            for command in asked.only.split(","):
                for code in codes:
                    take = measure_arrivals if command == "watch" else measure
                    cost = take(command, source, work / f"out-{number}-{codes.index(code)}", code)
                    costs.setdefault((code, command), {})[number] = cost
                    _print_row(codes, code, command, number, cost)
                    if command == "again" and shutil.which("restic"):
                        _print_row(codes, code, "restic", number, measure_restic(source, work / f"repository-{number}"))
        for (code, command), by_number in costs.items():
            _print_growth(codes, code, command, by_number)


def pictures(work: Path, number: int) -> Path:
    """Return a folder with ``number`` pictures, which it makes if there is none."""
    place = work / f"in-{number}"
    if place.is_dir():
        return place
    making = work / f"making-{number}"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    original = making
    for index in range(number):
        path = making / f"IMG_{index:07}.jpg"
        if index % LINKS:
            os.link(original, path)
        else:
            Image.new("RGB", (16, 12), (index // LINKS % 256, 90, 200)).save(path)
            original = path
    making.rename(place)
    return place


def measure(command: str, source: Path, output: Path, code: Path) -> Cost:
    """Return the cost of one ``command``, with the source code in ``code``."""
    if command == "run":
        shutil.rmtree(output, ignore_errors=True)
    words = ["plan"] if command == "plan" else ["run", "--quiet", "--durability", "none"]
    line = [sys.executable, "-m", "pixmill", *words, str(source), str(output)]
    return _cost(line, PYTHONPATH=str(code))


def measure_restic(source: Path, repository: Path) -> Cost:
    """Return the cost of a backup of what has not changed since the last one."""
    line = ["restic", "--repo", str(repository), "--quiet"]
    if not repository.exists():
        _cost([*line, "init"], RESTIC_PASSWORD="none")  # of a repository that is removed
        _cost([*line, "backup", str(source)], RESTIC_PASSWORD="none")  # likewise
    return _cost([*line, "backup", str(source)], RESTIC_PASSWORD="none")  # likewise


def _cost(line: Sequence[str], **environment: str) -> Cost:
    """Return the cost of the command ``line``, which must succeed."""
    before = os.times()
    began = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(line, env={**os.environ, **environment}, stdout=said, stderr=said)
        with watched_peaks(process.pid) as peaks:
            status = process.wait()
        seconds = time.perf_counter() - began
        if status:
            said.seek(0)
            raise SystemExit(said.read().decode("utf-8", "replace")[-1000:])
    after = os.times()
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return Cost(seconds, cpu, peaks[-1])


def measure_arrivals(command: str, source: Path, output: Path, code: Path) -> Cost:
    """Return the cost of one arrival in a watched folder whose other images are done."""
    line = [sys.executable, "-m", "pixmill", command, str(source), str(output), "--quiet", "--settle", f"{SETTLE}s"]
    environment = {**os.environ, "PYTHONPATH": str(code)}
    process = subprocess.Popen([*line, "--durability", "none"], env=environment, stderr=subprocess.DEVNULL)
    seconds, cpu = [], []
    try:
        with watched_peaks(process.pid) as peaks:
            for number in range(-1, ARRIVALS):  # the first comes when everything has been listed
                name = f"arrival-{process.pid}-{number}.jpg"
                before, began = _cpu_seconds(process.pid), time.perf_counter()
                Image.new("RGB", (16, 12), "teal").save(source / name)
                while not (output / name).exists():
                    time.sleep(0.005)
                seconds.append(time.perf_counter() - began - SETTLE)
                time.sleep(1)
                cpu.append(_cpu_seconds(process.pid) - before)
    finally:
        process.terminate()
        process.wait()
        for path in source.glob("arrival-*.jpg"):
            path.unlink()
    return Cost(statistics.median(seconds[1:]), statistics.median(cpu[1:]), peaks[-1])


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


@contextlib.contextmanager
def watched_peaks(process: int) -> Iterator[list[int]]:
    """Yield a list whose last number is the peak memory of ``process``, which the kernel keeps until it ends."""
    peaks, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            with contextlib.suppress(OSError):
                if found := re.search(r"VmHWM:\s*(\d+)", Path(f"/proc/{process}/status").read_text()):
                    peaks.append(int(found[1]) * KIB)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peaks
    finally:
        ended.set()
        watcher.join()


@contextlib.contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept:
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="pixmill-folders-") as name:
        yield Path(name)


def _print_row(codes: Sequence[Path], code: Path, command: str, number: int, cost: Cost) -> None:
    which = f"{code.parent.name:12}" if len(codes) > 1 else ""
    rate = " " * 18 if command == "watch" else f"{number / cost.seconds:10,.0f} files/s"
    print(
        f"{which}{command:6} {number:>10,} files: {cost.seconds:8.2f} s {rate} "
        f"{cost.cpu:8.2f} CPU s  coordinator {cost.peak / MB:6.1f} MB",
        flush=True,
    )


def _print_growth(codes: Sequence[Path], code: Path, command: str, costs: dict[int, Cost]) -> None:
    if len(costs) > 1:
        few, *_, many = sorted(costs)
        which = f"{code.parent.name:12}" if len(codes) > 1 else ""
        print(f"{which}{command:6} {(costs[many].peak - costs[few].peak) / (many - few):8.1f} bytes for each file more")


if __name__ == "__main__":
    main()
