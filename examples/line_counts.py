"""Counts the lines of compressed logs with pixmill's engine: on every core, with retries, a ledger and a progress line.

python examples/line_counts.py FOLDER LEDGER
"""

import errno
import gzip
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from pixmill.engine import Event, Observer, Policy, SqliteLedger, State, Task, TaskFinished, TaskRetried, open_run


def count(payload: bytes) -> bytes:
    """Return the number of lines of the file that the payload names. Runs in a worker process."""
    try:
        with gzip.open(os.fsdecode(payload)) as file:
            return str(sum(1 for _ in file)).encode()
    except EOFError:  # some errors of the system are tried again, such as this one
        raise OSError(errno.EAGAIN, "the file is still being written") from None


class Progress(Observer):
    """Prints what happens. It is called in this process, for one event after the other."""

    finished = 0

    def on_event(self, event: Event) -> None:
        """Print every hundredth task that has finished, and every attempt that is repeated."""
        if isinstance(event, TaskRetried):
            print(f"{os.fsdecode(event.attempt.task.key)}: {event.failure.message}; again in {event.delay:.1f} s", file=sys.stderr)
        elif isinstance(event, TaskFinished):
            self.finished += 1
            if self.finished % 100 == 0:
                print(f"{self.finished} files", file=sys.stderr)


def tasks(folder: Path) -> Iterator[Task]:
    """Yield a task for each file. Another size or time is another version, which is counted again."""
    for path in sorted(folder.glob("*.gz")):
        status = path.stat()
        yield Task.of(path.name, os.fsencode(path), version=f"{status.st_size} {status.st_mtime_ns}".encode())


def main(folder: str, ledger_file: str) -> int:
    """Count what is not in the ledger yet, print the total, and return the exit code."""
    policy = Policy(attempts=3, timeout="5m")
    with (
        closing(SqliteLedger(Path(ledger_file))) as ledger,
        open_run(tasks(Path(folder)), count, ledger=ledger, policy=policy, observers=[Progress()]) as run,
    ):
        signal.signal(signal.SIGTERM, lambda *_: run.stop("terminated"))  # files in work are finished, all others stay pending
        for outcome in run:
            if failure := getattr(outcome, "failure", None):
                print(f"{os.fsdecode(outcome.task.key)}: {failure.message}", file=sys.stderr)
        counts = run.counts
        print(sum(int(record.result) for record in ledger.records(State.DONE)))
    print(f"{counts.done} counted, {counts.skipped} known, {counts.failed} failed, {counts.pending} left", file=sys.stderr)
    return 1 if counts.failed or counts.pending else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
