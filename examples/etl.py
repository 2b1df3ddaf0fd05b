"""Converts a folder of CSV files to Parquet with pixmill's engine and pyarrow: on every core, resumable, one outcome per file.

    pip install pyarrow
    python examples/etl.py FOLDER OUTPUT

Each file must have the columns ``id`` (integer), ``time`` (ISO 8601) and ``amount`` (decimal). Rows without an amount are left out
and counted. A file with another kind of row is reported with the value, and costs no other anything.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from pixmill.engine import Done, Failed, Task, open_run
from pixmill.engine.ledgers.sqlite import SqliteLedger

TYPES = {"id": pa.int64(), "time": pa.timestamp("s"), "amount": pa.float64()}


def convert(payload: bytes) -> bytes:
    """Convert the file that the payload names; return how many rows were written, and left out. Runs in a worker process."""
    source, target = (Path(os.fsdecode(path)) for path in payload.split(b"\0"))
    table = csv.read_csv(source, convert_options=csv.ConvertOptions(column_types=TYPES, include_columns=list(TYPES)))
    complete = table.filter(pc.is_valid(table["amount"])).sort_by("time")
    partial = target.with_name(f".{target.name}.partial")
    parquet.write_table(complete, partial, compression="zstd")
    with partial.open("rb") as file:
        os.fsync(file.fileno())  # complete on disk before it has its name
    partial.rename(target)
    return f"{complete.num_rows} {table.num_rows - complete.num_rows}".encode()


def tasks(folder: Path, output: Path) -> Iterator[Task]:
    """Yield a task for each CSV file; a file that was changed has another version and is converted again."""
    for path in sorted(folder.glob("*.csv")):
        status = path.stat()
        payload = os.fsencode(path) + b"\0" + os.fsencode(output / f"{path.stem}.parquet")
        yield Task.of(os.fsencode(path), payload, version=f"{status.st_size} {status.st_mtime_ns}".encode())


def main(folder: str, output: str) -> int:
    """Print a line for each failure, and the totals; return the exit code."""
    Path(output).mkdir(parents=True, exist_ok=True)
    written = left_out = 0
    ledger_file = Path(output) / ".ledger.sqlite"
    with closing(SqliteLedger(ledger_file)) as ledger, open_run(tasks(Path(folder), Path(output)), convert, ledger=ledger) as run:
        for outcome in run:
            match outcome:
                case Done():
                    rows, without = map(int, outcome.result.split())
                    written, left_out = written + rows, left_out + without
                case Failed():
                    print(f"{os.fsdecode(outcome.task.key)}: {outcome.failure.message}", file=sys.stderr)
    print(f"{run.counts.done} files done, {run.counts.skipped} unchanged, {run.counts.failed} failed", file=sys.stderr)
    print(f"{written} rows written, {left_out} without an amount left out", file=sys.stderr)
    return 1 if run.counts.failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
