"""Measures the limits of the coordinator in a very large run: tasks per second, size of the ledger, memory, listing.

    python benchmarks/scaling.py [--tasks N] [--files N] [--output FILE.jsonl]

The scheduler, the SQLite ledger on disk, metrics and the records of images are the real ones. Only the workers are replaced, by an
executor that answers immediately, 64 tasks at a time, which is the number of tasks that share a commit under load. 10 million tasks
take several minutes and 2 GB in $TMPDIR. ``product`` is a complete run with workers, of which only the coordinator's part is shown.
The results are CPU seconds, so that a busy machine can be used; rows are appended to ``--output``.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from machine import describe
from PIL import Image

from pixmill.batch.config.options import resolve
from pixmill.batch.inspect.status import open_ledgers, status
from pixmill.batch.item import ImageResult, Item, OutputRecord, pack, to_task
from pixmill.batch.planning.plan import plan
from pixmill.batch.run import open_run as open_batch
from pixmill.batch.state.ledger_files import LEDGER
from pixmill.engine.executor import Completed, Executor, ExecutorEvent
from pixmill.engine.handler import HandlerRef
from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.engine.observability.metrics import Metrics
from pixmill.engine.policy import Policy
from pixmill.engine.runner import open_run
from pixmill.engine.task import Attempt, Task
from pixmill.storage.entry import Entry

MILLION = 1_000_000
CAPACITY = 64
FOLDER = 1000  # files of one folder
HANDLER = HandlerRef.to(len)  # never called


class Instant(Executor):
    """An executor that answers immediately, so that only the cost of the coordinator remains."""

    def __init__(self) -> None:
        """Start with an empty queue."""
        self._queue: list[Attempt] = []

    def start(self, handler: HandlerRef, policy: Policy) -> None:
        """Do nothing: there is nothing to start."""

    @property
    def workers(self) -> int:
        """Return 1."""
        return 1

    def capacity(self) -> int:
        """Return the number of attempts that may be submitted now."""
        return CAPACITY - len(self._queue)

    def submit(self, attempts: Sequence[Attempt]) -> None:
        """Queue the attempts."""
        self._queue.extend(attempts)

    def wait(self, timeout: float | None) -> list[ExecutorEvent]:  # noqa: ARG002  # required by the contract
        """Return a result for each queued attempt."""
        attempts, self._queue = self._queue, []
        timings = {"read": 0.001, "header": 0.0001, "decode": 0.02, "transform": 0.005, "encode": 0.01, "write": 0.002}
        measures = {"bytes_in": 4_000_000, "bytes_out": 300_000, "pixels_in": 12_000_000, "outputs": 1}
        return [
            Completed(attempt=each, result=result(each.task), seconds=0.04, timings=timings, measures=measures) for each in attempts
        ]

    def cancel_pending(self) -> None:
        """Do nothing: there are no pending attempts."""

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


def name(number: int) -> bytes:
    """Return the path of photograph ``number``, in listing order."""
    return b"%05d/IMG_%08d.jpg" % (number // FOLDER, number)


def tasks(count: int) -> Iterator[Task]:
    """Yield tasks like those of a run over a folder."""
    fingerprint = bytes(32)
    version = bytes(16)
    for number in range(count):
        path = name(number)
        yield to_task(Item(Entry(path, 4_000_000, version), (path,)), fingerprint)


def result(task: Task) -> bytes:
    """Return the ledger record of an image with one output."""
    return pack(ImageResult((OutputRecord(task.key, 300_000, 1920, 1280, "jpeg", task.id, "", task.id),), (), 4_000_000))


def processor() -> float:
    """Return the CPU seconds that this process has used."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def resident() -> int:
    """Return the resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def size(folder: Path) -> int:
    """Return the size in bytes of the ledger with its write-ahead log."""
    return sum(path.stat().st_size for path in folder.glob("ledger.sqlite*"))


def run(count: int, folder: Path, step: int) -> Iterator[dict[str, float]]:
    """Run ``count`` tasks, and yield the cost of every ``step`` tasks."""
    ledger = SqliteLedger(folder / LEDGER)
    began, before = time.perf_counter(), processor()
    with open_run(tasks(count), HANDLER, executor=Instant(), ledger=ledger, observers=[Metrics()]) as open_tasks:
        for number, _ in enumerate(open_tasks, 1):
            if number % step == 0:
                now, used = time.perf_counter(), processor()
                cpu, seconds = (used - before) / step, now - began
                yield {"tasks": number, "cpu_us": 1e6 * cpu, "seconds": seconds, "ledger": size(folder), "rss": resident()}
                began, before = time.perf_counter(), processor()
    ledger.close()
    if open_tasks.counts.found != count or open_tasks.counts.pending:
        raise SystemExit(f"tasks were lost: {open_tasks.counts}")


def measure_status(folder: Path) -> dict[str, float]:
    """Measure reading the status of the ledger in ``folder``."""
    began, before = time.perf_counter(), processor()
    with open_ledgers(str(folder), str(folder)) as ledgers:
        summary = status(ledgers)
    return {"tasks": summary.counts.found, "cpu_s": processor() - before, "seconds": time.perf_counter() - began}


def list_files(count: int, folder: Path) -> Iterator[dict[str, float | str]]:
    """Create ``count`` files, a thousand per folder; yield the cost of walking them, and of walking, naming and packing them."""
    source = folder / "source"
    for number in range(count):
        path = source / os.fsdecode(name(number))
        if number % FOLDER == 0:
            path.parent.mkdir(parents=True)
            first = path
            first.touch()
        else:
            os.link(first, path)
    made = plan(resolve(str(source), str(folder / "out"), {}))

    def walk() -> int:
        return sum(len(entries) for entries in made.locations.source.folders(lambda *_: None))

    for what, action in (("walk", walk), ("walk, name and pack", lambda: sum(1 for _ in made.tasks()))):
        before = processor()
        if action() != count:
            raise SystemExit("files are missing")
        yield {"what": what, "files": count, "cpu_us": 1e6 * (processor() - before) / count}


def complete_run(count: int, folder: Path) -> dict[str, float]:
    """Process ``count`` tiny images with two workers; return the cost of the coordinator, without the workers."""
    source = folder / "tiny"
    source.mkdir()
    first = source / "0.jpg"
    Image.effect_noise((64, 48), 60).save(first)
    for number in range(1, count):
        os.link(first, source / f"{number}.jpg")
    began, before = time.perf_counter(), processor()
    with open_batch(resolve(str(source), str(folder / "small"), {"size": "32x32", "workers": 2})) as under_way:
        done = sum(1 for _ in under_way)
    if done != count:
        raise SystemExit(f"only {done} of {count} images were processed")
    return {"images": count, "cpu_us": 1e6 * (processor() - before) / count, "seconds": time.perf_counter() - began}


def main() -> None:
    """Measure, print the rows, and append them to the output file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=10 * MILLION, help="number of tasks in the run")
    parser.add_argument("--files", type=int, default=200_000, help="number of files to list")
    parser.add_argument("--images", type=int, default=10_000, help="number of tiny images in the complete run")
    parser.add_argument("--output", type=Path, help="append the rows to this file, one JSON record per line")
    options = parser.parse_args()
    step = min(MILLION, options.tasks)

    def record(kind: str, row: dict[str, float | str] | dict[str, float] | dict[str, str | int]) -> None:
        print(
            f"{kind:<10}",
            "  ".join(f"{key} {value:,.1f}" if isinstance(value, float) else f"{key} {value}" for key, value in row.items()),
        )
        if options.output:
            with options.output.open("a") as file:
                file.write(json.dumps({"kind": kind, **row}) + "\n")

    record("machine", describe())
    with tempfile.TemporaryDirectory() as scratch:
        measure(options, Path(scratch), step, record)


def measure(options: argparse.Namespace, folder: Path, step: int, record: Callable[[str, dict[str, float]], None]) -> None:
    """Run the measurements selected by ``options`` in ``folder``, and pass each row to ``record``."""
    if options.files:
        for row in list_files(options.files, folder):
            record("list", row)
    if options.images:
        record("product", complete_run(options.images, folder))
    if options.tasks:
        for row in run(options.tasks, folder, step):
            record("run", row)
        for row in run(options.tasks, folder, options.tasks):
            record("unchanged", row)
        record("status", measure_status(folder))


if __name__ == "__main__":
    main()
