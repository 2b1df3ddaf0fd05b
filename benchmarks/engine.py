"""What the engine itself costs: tasks that do nothing, through pool, scheduler and ledger.

    python benchmarks/engine.py [--tasks N] [--long N]

Measure 1: empty tasks a second with two workers, by ledger, beside the pools of the standard library in the same run (which
keep no ledger and survive no crash). Measure 2: the growth of the coordinator's memory from task 10,000 to the last of a
million.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from pixmill.engine.ledger import Ledger
from pixmill.engine.ledgers.memory import MemoryLedger
from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.engine.runner import open_run
from pixmill.engine.task import Task

_WORKERS = 2
_WARM = 10_000


def nothing(payload: bytes) -> bytes:
    """Do the least a task can do."""
    return payload


def tasks(count: int) -> Iterator[Task]:
    """Yield so many tasks with nothing to do."""
    return (Task.of(f"{number:09}") for number in range(count))


def through_the_engine(count: int, ledger: Ledger) -> None:
    """Run so many empty tasks to their ends."""
    with open_run(tasks(count), nothing, workers=_WORKERS, ledger=ledger) as run:
        for _ in run:
            pass
    if run.counts.found != count or run.counts.pending:
        raise SystemExit(f"lost some: {run.counts}")


def through_multiprocessing(count: int) -> None:
    """Map as many payloads one at a time, which is how an item can have an outcome of its own."""
    with multiprocessing.get_context("forkserver").Pool(_WORKERS) as pool:
        for _ in pool.imap_unordered(nothing, (b"" for _ in range(count))):
            pass


def through_futures(count: int) -> None:
    """Submit as many payloads one at a time, no more than a thousand ahead."""
    with ProcessPoolExecutor(_WORKERS, multiprocessing.get_context("forkserver")) as pool:
        waiting = []
        for _ in range(count):
            waiting.append(pool.submit(nothing, b""))
            if len(waiting) == 1000:  # noqa: PLR2004  # the engine's own window, about
                for future in waiting:
                    future.result()
                waiting.clear()
        for future in waiting:
            future.result()


def rate(count: int, work: Callable[[], object]) -> float:
    """Return how many a second, start-up included."""
    began = time.perf_counter()
    work()
    return count / (time.perf_counter() - began)


def resident() -> int:
    """Return the resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def growth(count: int, ledger: Ledger) -> tuple[float, float]:
    """Return the growth in bytes from task 10,000 to the last, and the tasks a second."""
    began, start, peak = time.perf_counter(), 0, 0
    with open_run(tasks(count), nothing, workers=_WORKERS, ledger=ledger) as run:
        for number, _ in enumerate(run, 1):
            if number == _WARM:
                start = resident()
            elif number % _WARM == 0:
                peak = max(peak, resident())
    return peak - start, count / (time.perf_counter() - began)


def main() -> None:
    """Print both measures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--tasks", type=int, default=100_000, help="tasks of measure 1")
    arguments.add_argument("--long", type=int, default=1_000_000, help="tasks of measure 2")
    wanted = arguments.parse_args()
    count = wanted.tasks
    with tempfile.TemporaryDirectory() as folder:
        memory = rate(count, lambda: through_the_engine(count, MemoryLedger()))
        sqlite = rate(count, lambda: through_the_engine(count, SqliteLedger(Path(folder) / "short.sqlite")))
        unchanged = rate(count, lambda: through_the_engine(count, SqliteLedger(Path(folder) / "short.sqlite")))
        standard = rate(count, lambda: through_multiprocessing(count))
        futures = rate(count // 5, lambda: through_futures(count // 5))
        print(f"1. empty tasks a second, {_WORKERS} workers, {count:,} tasks")
        for name, measured, asked in (("memory ledger", memory, 10_000), ("SQLite ledger", sqlite, 5_000)):
            print(f"   {name:<40} {measured:>9,.0f}/s   asked for {asked:>6,}: {measured / asked:5.2f} times")
        print(f"   {'SQLite ledger, all unchanged':<40} {unchanged:>9,.0f}/s   asked for 20,000: {unchanged / 20_000:5.2f} times")
        for name, measured in (("multiprocessing.Pool, no ledger", standard), ("ProcessPoolExecutor, no ledger", futures)):
            print(f"   {name:<40} {measured:>9,.0f}/s   the engine with a memory ledger: {memory / measured:5.2f} times")
        grown, pace = growth(wanted.long, SqliteLedger(Path(folder) / "long.sqlite"))
        print(f"2. memory of the coordinator from task {_WARM:,} to {wanted.long:,} (SQLite ledger, {pace:,.0f}/s)")
        print(f"   {grown / 1e6:+.1f} MB   allowed 30 MB: {grown / 30e6:.2f} times")


if __name__ == "__main__":
    main()
