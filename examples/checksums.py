"""Computes the checksum of every file in a folder with pixmill's engine: on every core, resumable, one outcome per file.

    python examples/checksums.py FOLDER LEDGER.sqlite

Nothing here is about images. Interrupt it and run it again: files that are done and unchanged are skipped. A file that cannot
be read is reported and does not affect other files. Exits with 1 if there were such files.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from pixmill.engine import Done, Failed, Skipped, Task, open_run
from pixmill.engine.ledgers.sqlite import SqliteLedger


def checksum(payload: bytes) -> bytes:
    """Return the SHA-256 of the file whose path is the payload. Runs in a worker process."""
    with Path(os.fsdecode(payload)).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest().encode()


def tasks(folder: Path) -> Iterator[Task]:
    """Yield a task for each file; its version is its size and modification time, so a changed file is processed again."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            status = path.stat()
            yield Task.of(os.fsencode(path), os.fsencode(path), version=f"{status.st_size} {status.st_mtime_ns}".encode())


def main(folder: str, ledger_file: str) -> int:
    """Print a line for each file and the totals; return the exit code."""
    with closing(SqliteLedger(Path(ledger_file))) as ledger, open_run(tasks(Path(folder)), checksum, ledger=ledger) as run:
        for outcome in run:
            name = os.fsdecode(outcome.task.key)
            match outcome:
                case Done():
                    print(f"{outcome.result.decode()}  {name}")
                case Failed():
                    print(f"{name}: {outcome.failure.message}", file=sys.stderr)
                case Skipped():
                    pass  # already done; ledger.get or ledger.records return the result
        counts = run.counts
    print(f"{counts.done} done, {counts.skipped} unchanged, {counts.failed} failed", file=sys.stderr)
    return 1 if counts.failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
