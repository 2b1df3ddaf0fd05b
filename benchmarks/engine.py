"""Measures the overhead of the engine itself: empty tasks, through pool, scheduler and ledger.

    python benchmarks/engine.py [--tasks N] [--long N]

Measurement 1: empty tasks per second with two workers, for each ledger, compared with the pools of the standard library (which
keep no ledger and do not survive crashes). Measurement 2: the growth of the coordinator's memory from task 10,000 to task
1,000,000.
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
    """Do nothing: return the payload."""
    return payload


def tasks(count: int) -> Iterator[Task]:
    """Yield ``count`` empty tasks."""
    return (Task.of(f"{number:09}") for number in range(count))


def through_the_engine(count: int, ledger: Ledger) -> None:
    """Run ``count`` empty tasks with the engine."""
    with open_run(tasks(count), nothing, workers=_WORKERS, ledger=ledger) as run:
        for _ in run:
            pass
    if run.counts.found != count or run.counts.pending:
        raise SystemExit(f"tasks were lost: {run.counts}")


def through_multiprocessing(count: int) -> None:
    """Map ``count`` payloads one at a time, so that each could have its own outcome."""
    with multiprocessing.get_context("forkserver").Pool(_WORKERS) as pool:
        for _ in pool.imap_unordered(nothing, (b"" for _ in range(count))):
            pass


def through_futures(count: int) -> None:
    """Submit ``count`` payloads one at a time, at most a thousand ahead."""
    with ProcessPoolExecutor(_WORKERS, multiprocessing.get_context("forkserver")) as pool:
        waiting = []
        for _ in range(count):
            waiting.append(pool.submit(nothing, b""))
            if len(waiting) == 1000:  # noqa: PLR2004  # about the engine's window
                for future in waiting:
                    future.result()
                waiting.clear()
        for future in waiting:
            future.result()


def rate(count: int, work: Callable[[], object]) -> float:
    """Return the tasks per second, including start-up."""
    began = time.perf_counter()
    work()
    return count / (time.perf_counter() - began)


def resident() -> int:
    """Return the resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def growth(count: int, ledger: Ledger) -> tuple[float, float]:
    """Return the growth in bytes from task 10,000 to the last task, and the tasks per second."""
    began, start, peak = time.perf_counter(), 0, 0
    with open_run(tasks(count), nothing, workers=_WORKERS, ledger=ledger) as run:
        for number, _ in enumerate(run, 1):
            if number == _WARM:
                start = resident()
            elif number % _WARM == 0:
                peak = max(peak, resident())
    return peak - start, count / (time.perf_counter() - began)


def main() -> None:
    """Print both measurements."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--tasks", type=int, default=100_000, help="number of tasks in measurement 1")
    arguments.add_argument("--long", type=int, default=1_000_000, help="number of tasks in measurement 2")
    options = arguments.parse_args()
    count = options.tasks
    with tempfile.TemporaryDirectory() as folder:
        memory = rate(count, lambda: through_the_engine(count, MemoryLedger()))
        sqlite = rate(count, lambda: through_the_engine(count, SqliteLedger(Path(folder) / "short.sqlite")))
        unchanged = rate(count, lambda: through_the_engine(count, SqliteLedger(Path(folder) / "short.sqlite")))
        standard = rate(count, lambda: through_multiprocessing(count))
        futures = rate(count // 5, lambda: through_futures(count // 5))
        print(f"1. empty tasks per second, {_WORKERS} workers, {count:,} tasks")
        for name, measured, goal in (("memory ledger", memory, 10_000), ("SQLite ledger", sqlite, 5_000)):
            print(f"   {name:<40} {measured:>9,.0f}/s   goal {goal:>6,}: {measured / goal:5.2f} times")
        print(f"   {'SQLite ledger, all unchanged':<40} {unchanged:>9,.0f}/s   goal 20,000: {unchanged / 20_000:5.2f} times")
        for name, measured in (("multiprocessing.Pool, no ledger", standard), ("ProcessPoolExecutor, no ledger", futures)):
            print(f"   {name:<40} {measured:>9,.0f}/s   the engine with a memory ledger: {memory / measured:5.2f} times")
        grown, pace = growth(options.long, SqliteLedger(Path(folder) / "long.sqlite"))
        print(f"2. growth of the coordinator's memory from task {_WARM:,} to {options.long:,} (SQLite ledger, {pace:,.0f}/s)")
        print(f"   {grown / 1e6:+.1f} MB   limit 30 MB: {grown / 30e6:.2f} times")


if __name__ == "__main__":
    main()
