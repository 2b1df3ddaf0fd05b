"""What it costs to be watched: the same run with everything that observes it switched on, and with nothing, in turn.

    python benchmarks/observing.py [--pairs 7] [--copies 20] [FOLDER]

Prints the ratio of the throughputs (on / off), pair by pair and their median, and that of the processor time, which a busy
machine disturbs less.
"""

import argparse
import json
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PIXMILL = (sys.executable, "-m", "pixmill")


class Cost(NamedTuple):
    """Seconds by the clock of the run itself, and of all processors together."""

    wall: float
    processor: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", help="pictures to process; samples are made where it is left out")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--copies", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pixmill-observing-") as name:
        work = Path(name)
        source = _pictures(work, asked.folder, asked.copies)
        run(work, source, observed=False)  # what is read first comes from the disk
        pairs = []
        for number in range(asked.pairs):
            order = (False, True) if number % 2 else (True, False)
            costs = {observed: run(work, source, observed=observed) for observed in order}
            pairs.append((costs[False].wall / costs[True].wall, costs[False].processor / costs[True].processor))
            print(f"pair {number + 1}: throughput on/off {pairs[-1][0]:.3f}, processor time off/on {pairs[-1][1]:.3f}")
    wall, processor = (statistics.median(ratios) for ratios in zip(*pairs, strict=True))
    print(f"median: throughput on/off {wall:.3f}, processor time off/on {processor:.3f}")


def run(work: Path, source: Path, *, observed: bool) -> Cost:
    """Process everything once."""
    shutil.rmtree(work / "out", ignore_errors=True)
    port = _free_port()
    watching = ["--log-file", "log.txt", "--metrics-file", "m.prom", "--metrics-interval", "1s", "--metrics-port", str(port)]
    options = [*watching, "--events", "events.jsonl"] if observed else []
    over = threading.Event()
    scraper = threading.Thread(target=_scrape, args=(port, over))
    if observed:
        scraper.start()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [*PIXMILL, "run", source, "out", "--size", "800x600", "--progress", "none", *options]
    subprocess.run(command, cwd=work, check=True, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    over.set()
    if observed:
        scraper.join()
    status = subprocess.run([*PIXMILL, "status", "out", "--json"], cwd=work, check=True, capture_output=True)
    last = json.loads(status.stdout)["last_run"]
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(last["ended_at"] - last["started_at"], processor)


def _pictures(work: Path, folder: str | None, copies: int) -> Path:
    samples = Path(folder) if folder else work / "samples"
    if folder is None:
        subprocess.run([sys.executable, "-m", "pixmill.testing.pictures", samples], check=True, stdout=subprocess.DEVNULL)
    for number in range(copies):
        shutil.copytree(samples, work / "source" / str(number))
    return work / "source"


def _scrape(port: int, over: threading.Event) -> None:
    """Ask once a second, as a Prometheus in a hurry does."""
    while not over.wait(1.0):
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            answer.read()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
