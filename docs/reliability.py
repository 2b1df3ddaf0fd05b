"""Fill the table of reliability.md with the figures written by runs of the fault suite.

Usage: ``python docs/reliability.py FIGURES.json...``; ``make faults`` calls it. Several files are added up, so that the suite may
be run in parts.
"""

import json
import platform
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("reliability.md")
TESTS = PAGE.parents[1] / "tests"
BEGIN, END = "<!-- figures: make faults writes them -->\n", "<!-- end of figures -->\n"
ROWS = {
    "P1": "a worker is killed while processing an image, at random and at every system call",
    "P2": "an image makes its worker die of SEGV, ABRT, BUS, ILL, FPE, TRAP or KILL, or exit",
    "P3": "one image in a hundred is poison",
    "P4": "the workers cannot start",
    "P5": "an image hangs in C code, or stops its worker",
    "P6": "an idle worker is stopped; the fork server is killed",
    "P7": "the kernel kills a process because memory ran out",
    "P8": "the address space is too small",
    "P9": "the coordinator is killed, at random and at every system call",
    "P10": "SIGINT, SIGTERM or SIGHUP at 10 %, 50 % and 90 % of the run",
    "P11": "SIGINT twice",
    "P12": "the reader of an output stream goes away, or the stream is closed or full",
    "P13": "all processes are suspended, as when a laptop sleeps",
    "P14": "the clock is moved by a day, in both directions",
    "P15": "the process limit is low, or zero",
    "P16": "the limit on open files is low",
    "P17": "pixmill is the first process of a container",
    "P18": "two runs on one output, and one after the first was killed",
    "S1": "the disk is full",
    "S2": "the disk has no inodes left",
    "S3": "the quota is used up",
    "S4": "the output is read-only, from the start or partway through",
    "S5": "permission to write an output or read an input is denied",
    "S6": "each system call on the output fails in turn: EIO, ENOSPC, EDQUOT, EMFILE",
    "S7": "the disk keeps failing",
    "S8": "each system call in turn writes half, or is interrupted",
    "S9": "the power is cut: ext4, its journal not flushed",
    "S10": "the disk is copied during a run, and the run continues on the copy",
    "S11": "kill -9 in a loop, each followed by a re-run",
    "S12": "the disk is slow",
    "S13": "inputs disappear after they were listed",
    "S14": "an input is modified while it is read",
    "S15": "outputs are removed, truncated, emptied or changed between runs",
    "S16": "the ledger is truncated, overwritten, of another version, or missing",
    "S17": "temporary files belong to another file system",
    "S18": "names and paths reach the maximum length, and exceed it",
    "S19": "very large numbers of files",
    "R1": "a picture needs more memory than there is",
    "R2": "large pictures among small ones",
    "R3": "a worker leaks memory; ten thousand images in one worker",
    "R4": "shared memory is small, and full",
    "R5": "one core, or half a core",
    "R6": "no home directory, user name, terminal or locale; a read-only root",
    "R7": "pictures and lists that take most memory for their bytes",
    "B1": "a store answers 503 to reads, writes and listings",
    "B2": "a store answers 429",
    "B3": "a store answers 500",
    "B4": "nothing listens at the address of a store",
    "B5": "a store breaks connections",
    "B6": "a store does not answer",
    "B7": "a store is slow",
    "B8": "a store cuts its answers short, or loses those to writes",
    "hostile": "malicious files, as user nobody, sandboxed, without a network",
    "hosts": "a list of URLs whose servers redirect into this network, and whose names resolve there",
    "fuzz": "a coverage-guided fuzzer on every reader of external bytes",
}


def table(figures: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the table, one row per fault, in order, and then the totals."""
    modules_by_row = modules()
    yield "| | fault | in `tests/faults/test_*.py` | tests | injected | images | lost |\n"
    yield "| --- | --- | --- | ---: | ---: | ---: | ---: |\n"
    for name, fault in ROWS.items():
        row = figures["rows"].get(name)
        yield f"| {name} | {fault} | {', '.join(modules_by_row[name])} | {cells(row) if row else 'not run | | |'} |\n"
    rows = figures["rows"].values()
    passed, failed, skipped = (sum(row[key] for row in rows) for key in ("passed", "failed", "skipped"))
    yield f"\nAdded up row by row: {passed} tests passed, {failed} failed, {skipped} skipped; "
    yield f"Linux {platform.release().partition('-')[0]}, Python {platform.python_version()}.\n\n"
    for name, value in sorted(figures["measured"].items()):
        yield f"- {name}: {value:,}\n"


def cells(row: dict[str, int]) -> str:
    """Return the numbers of one row."""
    tests = f"{row['passed']}" + (f", {row['failed']} failed" if row["failed"] else "")
    tests += f", {row['skipped']} skipped" if row["skipped"] else ""
    return f"{tests} | {row['injected']:,} | {row['images']:,} | {row['lost']:,}"


def modules() -> dict[str, list[str]]:
    """Return the test modules that prove each row."""
    found: dict[str, list[str]] = {name: [] for name in ROWS}
    for path in sorted((*TESTS.glob("faults/test_*.py"), *TESTS.glob("fuzz/test_*.py"))):
        marks = re.findall(r"\brow\(([^)]*)\)", path.read_text())
        for name in {name for mark in marks for name in re.findall(r'"(\w+)"', mark)} & ROWS.keys():
            found[name].append(path.stem.removeprefix("test_"))
    return found


def combined(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Combine the figures of several partial runs of the suite into one."""
    rows: dict[str, Counter[str]] = {}
    for part in parts:
        for name, row in part["rows"].items():
            rows.setdefault(name, Counter()).update(row)
    return {"rows": rows, "measured": {name: value for part in parts for name, value in part["measured"].items()}}


def main(*files: Path) -> None:
    """Rewrite the page."""
    figures = combined([json.loads(file.read_text()) for file in files])
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(before + BEGIN + "\n" + "".join(table(figures)) + "\n" + END + after)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
