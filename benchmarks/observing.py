"""Measures the cost of observability: the same run with all of it switched on and with none of it, alternating.

    python benchmarks/observing.py [--seconds 170] [--copies 150] [FOLDER]

On: a log, events, a metrics file, one scrape per second, and the live page with one viewer. Prints for each pair, and as the median
of all pairs, the throughput on / off, and the CPU time of the complete run off / on, which a busy machine disturbs less.
"""

import argparse
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import machine

from support.ports import free_port

PIXMILL = (sys.executable, "-m", "pixmill")
MIN_PAIRS = 3  # however long they take


class Cost(NamedTuple):
    """The elapsed seconds of the run itself, and the CPU seconds of all its processes."""

    wall: float
    processor: float


class Pair(NamedTuple):
    """The ratios of throughput and of work per CPU second, with and without observability; 1 means no cost."""

    throughput: float
    processor: float


def main() -> None:
    """Measure and print."""
    machine.keep_bytecode()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", help="images to process; if omitted, sample images are created")
    parser.add_argument("--seconds", type=float, default=170, help="time limit of the measurement")
    parser.add_argument(
        "--copies", type=int, default=150, help="copies of each image; runs of half a minute make the cost of start-up negligible"
    )
    asked = parser.parse_args()
    began = time.monotonic()
    pairs: list[Pair] = []
    with tempfile.TemporaryDirectory(prefix="pixmill-observing-") as name:
        work = Path(name)
        source = _pictures(work, asked.folder, asked.copies)
        for observed in (False, True):  # warm the page cache and the bytecode cache
            run(work, source, observed=observed)
        longest = 0.0
        while len(pairs) < MIN_PAIRS or time.monotonic() - began + longest < asked.seconds:
            started = time.monotonic()
            pairs.append(_pair(work, source, first=bool(len(pairs) % 2)))
            longest = max(longest, time.monotonic() - started)
            print(f"pair {len(pairs):2}: {_words(pairs[-1])}", flush=True)
    throughput, processor = zip(*pairs, strict=True)
    low, high = (Pair(*bounds) for bounds in zip(_spread(throughput), _spread(processor), strict=True))
    print(f"median : {_words(Pair(statistics.median(throughput), statistics.median(processor)))}")
    print(f"half of the pairs: from {_words(low)}")
    print(f"                     to {_words(high)}")


def run(work: Path, source: Path, *, observed: bool) -> Cost:
    """Process everything once."""
    shutil.rmtree(work / "out", ignore_errors=True)
    port = free_port()
    watching = ["--log-file", "log.txt", "--metrics-file", "m.prom", "--metrics-interval", "1s", "--metrics-port", str(port)]
    options = [*watching, "--events", "events.jsonl", "--serve", "0"] if observed else []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [*PIXMILL, "run", source, "out", "--size", "800x600", "--progress", "none", *options]
    process = subprocess.Popen(command, cwd=work, stderr=subprocess.PIPE, text=True)
    with process, ExitStack() as stack:
        if observed:
            page = re.match(r"\[SERVING\] (\S+)", process.stderr.readline())[1]
            stack.enter_context(_beside(_scrape, f"http://127.0.0.1:{port}/metrics"))
            stack.enter_context(_beside(_look, page))
        process.communicate()
    if process.returncode:
        raise SystemExit(f"the run ended with {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    status = subprocess.run([*PIXMILL, "status", "out", "--json"], cwd=work, check=True, capture_output=True)
    last = json.loads(status.stdout)["last_run"]
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(last["ended_at"] - last["started_at"], processor)


def _pair(work: Path, source: Path, *, first: bool) -> Pair:
    """Measure both, the observed one ``first`` or last, so that a slow drift of the machine affects both equally."""
    costs = {observed: run(work, source, observed=observed) for observed in (first, not first)}
    return Pair(costs[False].wall / costs[True].wall, costs[False].processor / costs[True].processor)


def _words(pair: Pair) -> str:
    return f"throughput on/off {pair.throughput:.3f}, CPU time off/on {pair.processor:.3f}"


def _spread(values: Sequence[float]) -> tuple[float, float]:
    """Return the bounds of the middle half."""
    quarters = statistics.quantiles(values, n=4)
    return quarters[0], quarters[2]


def _pictures(work: Path, folder: str | None, copies: int) -> Path:
    samples = work / "samples"
    if folder is not None:
        shutil.copytree(folder, samples)
    else:
        subprocess.run([sys.executable, "-m", "pixmill.testing.sample_images", samples], check=True, stdout=subprocess.DEVNULL)
    for number in range(copies):
        shutil.copytree(samples, work / "source" / str(number), copy_function=os.link)
    return work / "source"


@contextmanager
def _beside(work: Callable[[str, threading.Event], None], address: str) -> Iterator[None]:
    """Run ``work`` with ``address`` in a thread for the duration of the block."""
    over = threading.Event()
    thread = threading.Thread(target=work, args=(address, over))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _scrape(address: str, over: threading.Event) -> None:
    """Scrape once per second, like Prometheus with a short interval."""
    while not over.wait(1.0):
        with suppress(OSError), urllib.request.urlopen(address, timeout=5) as answer:
            answer.read()


def _look(address: str, over: threading.Event) -> None:
    """Open the page, then request each update and each new picture without delay, like the script of the page."""
    seen: set[str] = set()
    with closing(HTTPConnection(urlsplit(address).netloc, timeout=5)) as browser, suppress(OSError, HTTPException):
        page = _fetched(browser, "/").decode()
        version = int(re.search(r'name="pixmill-version" content="(\d+)"', page)[1])
        while not over.is_set():
            change = json.loads(_fetched(browser, f"/state?after={version}"))
            version = change["version"]
            for picture in set(re.findall(r'src="(pictures/[^"]+)"', change["parts"].get("latest", ""))) - seen:
                seen.add(picture)
                _fetched(browser, f"/{picture}")
            if change["is_over"]:
                return


def _fetched(browser: HTTPConnection, target: str) -> bytes:
    """Return the body of a response; keeps the connection open, like a browser."""
    browser.request("GET", target)
    with browser.getresponse() as answer:
        return answer.read()


if __name__ == "__main__":
    main()
