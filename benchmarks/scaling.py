"""What bounds the coordinator of a very large run: tasks a second, bytes of ledger, memory, listing.

    python benchmarks/scaling.py [--tasks N] [--files N] [--output FILE.jsonl]

The scheduler, the SQLite ledger on disk, metrics and the records of images are the real ones; only the workers are left out: an
executor that answers at once, 64 tasks at a time, which is how many share a commit when it matters. 10 million tasks take some
minutes and 2 GB below $TMPDIR. ``product`` is everything, workers and all, of which the coordinator's part is shown. Processor
seconds are what counts, so that a busy machine can be used; rows go to ``--output``.
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
ROOM = 64
FOLDER = 1000  # files of one folder
HANDLER = HandlerRef.to(len)  # never called


class Instant(Executor):
    """Answers at once: what is left is the coordinator."""

    def __init__(self) -> None:
        """Hold nothing."""
        self._queue: list[Attempt] = []

    def start(self, handler: HandlerRef, policy: Policy) -> None:
        """Nothing to bring up."""

    @property
    def workers(self) -> int:
        """Return 1."""
        return 1

    def capacity(self) -> int:
        """Return how many more attempts may be submitted now."""
        return ROOM - len(self._queue)

    def submit(self, attempts: Sequence[Attempt]) -> None:
        """Take attempts."""
        self._queue.extend(attempts)

    def wait(self, timeout: float | None) -> list[ExecutorEvent]:  # noqa: ARG002  # the contract's
        """Return an answer to each."""
        attempts, self._queue = self._queue, []
        timings = {"read": 0.001, "header": 0.0001, "decode": 0.02, "transform": 0.005, "encode": 0.01, "write": 0.002}
        measures = {"bytes_in": 4_000_000, "bytes_out": 300_000, "pixels_in": 12_000_000, "outputs": 1}
        return [
            Completed(attempt=each, result=result(each.task), seconds=0.04, timings=timings, measures=measures) for each in attempts
        ]

    def cancel_pending(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is left."""


def name(number: int) -> bytes:
    """Return the path of a photograph, in the order of a listing."""
    return b"%05d/IMG_%08d.jpg" % (number // FOLDER, number)


def tasks(count: int) -> Iterator[Task]:
    """Yield tasks such as a run of a folder has."""
    fingerprint = bytes(32)
    version = bytes(16)
    for number in range(count):
        path = name(number)
        yield to_task(Item(Entry(path, 4_000_000, version), (path,)), fingerprint)


def result(task: Task) -> bytes:
    """Return what the ledger keeps of an image with one output."""
    return pack(ImageResult((OutputRecord(task.key, 300_000, 1920, 1280, "jpeg", task.id, "", task.id),), (), 4_000_000))


def processor() -> float:
    """Return the processor seconds that this process has used."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def resident() -> int:
    """Return the resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def size(folder: Path) -> int:
    """Return the bytes of the ledger with its log."""
    return sum(path.stat().st_size for path in folder.glob("ledger.sqlite*"))


def run(count: int, folder: Path, step: int) -> Iterator[dict[str, float]]:
    """Run ``count`` tasks, and yield what each ``step`` of them took."""
    ledger = SqliteLedger(folder / LEDGER)
    began, before = time.perf_counter(), processor()
    with open_run(tasks(count), HANDLER, executor=Instant(), ledger=ledger, observers=[Metrics()]) as under_way:
        for number, _ in enumerate(under_way, 1):
            if number % step == 0:
                now, used = time.perf_counter(), processor()
                cpu, seconds = (used - before) / step, now - began
                yield {"tasks": number, "cpu_us": 1e6 * cpu, "seconds": seconds, "ledger": size(folder), "rss": resident()}
                began, before = time.perf_counter(), processor()
    ledger.close()
    if under_way.counts.found != count or under_way.counts.pending:
        raise SystemExit(f"lost some: {under_way.counts}")


def ask(folder: Path) -> dict[str, float]:
    """Ask for the status of the ledger in ``folder``."""
    began, before = time.perf_counter(), processor()
    with open_ledgers(str(folder), str(folder)) as ledgers:
        held = status(ledgers)
    return {"tasks": held.counts.found, "cpu_s": processor() - before, "seconds": time.perf_counter() - began}


def list_files(count: int, folder: Path) -> Iterator[dict[str, float | str]]:
    """Make so many files, a thousand to a folder; yield what it takes to walk them, and to name and pack them too."""
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


def whole(count: int, folder: Path) -> dict[str, float]:
    """Run the product, with two workers, over ``count`` tiny pictures; return what its coordinator took, without the workers."""
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
        raise SystemExit(f"{done} of {count} pictures")
    return {"images": count, "cpu_us": 1e6 * (processor() - before) / count, "seconds": time.perf_counter() - began}


def main() -> None:
    """Measure, print, and keep the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=10 * MILLION, help="tasks of the run")
    parser.add_argument("--files", type=int, default=200_000, help="files to list")
    parser.add_argument("--images", type=int, default=10_000, help="tiny pictures to run the whole product over")
    parser.add_argument("--output", type=Path, help="append the rows to this file, one JSON record a line")
    asked = parser.parse_args()
    step = min(MILLION, asked.tasks)

    def keep(kind: str, row: dict[str, float | str] | dict[str, float] | dict[str, str | int]) -> None:
        print(
            f"{kind:<10}",
            "  ".join(f"{key} {value:,.1f}" if isinstance(value, float) else f"{key} {value}" for key, value in row.items()),
        )
        if asked.output:
            with asked.output.open("a") as file:
                file.write(json.dumps({"kind": kind, **row}) + "\n")

    keep("machine", describe())
    with tempfile.TemporaryDirectory() as scratch:
        measure(asked, Path(scratch), step, keep)


def measure(asked: argparse.Namespace, folder: Path, step: int, keep: Callable[[str, dict[str, float]], None]) -> None:
    """Measure what is asked for below ``folder`` and give each row to ``keep``."""
    if asked.files:
        for listed in list_files(asked.files, folder):
            keep("list", listed)
    if asked.images:
        keep("product", whole(asked.images, folder))
    if asked.tasks:
        for row in run(asked.tasks, folder, step):
            keep("run", row)
        for row in run(asked.tasks, folder, asked.tasks):
            keep("unchanged", row)
        keep("status", ask(folder))


if __name__ == "__main__":
    main()
