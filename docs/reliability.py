"""Fill the table of reliability.md with the figures that runs of the fault suite have written.

``python docs/reliability.py FIGURES.json...``; ``make faults`` calls it. Several are added up: the suite may be run in parts.
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
    "P1": "a worker is killed in the middle of an image, at random and at every system call",
    "P2": "an image makes its worker die of SEGV, ABRT, BUS, ILL, FPE, TRAP, KILL, or exit",
    "P3": "one image in a hundred is poison",
    "P4": "the workers cannot start",
    "P5": "an image hangs in C code, or stops its worker",
    "P6": "an idle worker is stopped; the process that starts the workers is killed",
    "P7": "the kernel kills for want of memory",
    "P8": "the address space is too small",
    "P9": "the coordinator is killed, at random and at every system call",
    "P10": "SIGINT, SIGTERM or SIGHUP at a tenth, half and nine tenths",
    "P11": "SIGINT twice",
    "P12": "the reader of a stream goes away, or the stream is closed or full",
    "P13": "everything stands still, as when a laptop sleeps",
    "P14": "the clock is moved by a day, both ways",
    "P15": "few processes are allowed, or none",
    "P16": "few files may be open",
    "P17": "it is the first process of a container",
    "P18": "two runs on one output, and one after the first was killed",
    "S1": "the disk is full",
    "S2": "the disk has no inodes left",
    "S3": "the quota is used up",
    "S4": "the output is read-only, from the start and in the middle",
    "S5": "an output may not be written, an input not read",
    "S6": "each system call on the output fails in turn: EIO, ENOSPC, EDQUOT, EMFILE",
    "S7": "the disk goes on failing",
    "S8": "each system call writes half, or is interrupted",
    "S9": "the power is cut: ext4, its journal not flushed",
    "S10": "the disk is copied in the middle, and the copy gone on from",
    "S11": "kill -9 in a loop, each followed by a re-run",
    "S12": "the disk is slow",
    "S13": "inputs vanish after they were listed",
    "S14": "an input is written to while it is read",
    "S15": "outputs are removed, cut, emptied or changed between runs",
    "S16": "the ledger is cut off, overwritten, of another version, or gone",
    "S17": "temporary files belong to another file system",
    "S18": "names and paths are as long as they may be, and longer",
    "S19": "there are very many files",
    "R1": "a picture needs more memory than there is",
    "R2": "large pictures among small ones",
    "R3": "a worker leaks; ten thousand images in one worker",
    "R4": "shared memory is small, and full",
    "R5": "one core, or half of one",
    "R6": "no home, no name, no terminal, no locale, a read-only root",
    "hostile": "files made to do harm, as nobody, confined, without a network",
    "fuzz": "a coverage-guided fuzzer on what reads bytes from outside",
}


def table(figures: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the table, a row for every fault, in order, and the totals."""
    places = modules()
    yield "| | fault | in `tests/faults/test_*.py` | tests | injected | images | lost |\n"
    yield "| --- | --- | --- | ---: | ---: | ---: | ---: |\n"
    for name, what in ROWS.items():
        row = figures["rows"].get(name)
        yield f"| {name} | {what} | {', '.join(places[name])} | {cells(row) if row else 'not run | | |'} |\n"
    rows = figures["rows"].values()
    passed, failed, skipped = (sum(row[key] for row in rows) for key in ("passed", "failed", "skipped"))
    yield f"\nRow by row {passed} tests held, {failed} did not, {skipped} could not run there; "
    yield f"Linux {platform.release().partition('-')[0]}, Python {platform.python_version()}.\n"
    for what, value in sorted(figures["measured"].items()):
        yield f"- {what}: {value:,}\n"


def cells(row: dict[str, int]) -> str:
    """Return the numbers of one row."""
    tests = f"{row['passed']}" + (f", {row['failed']} failed" if row["failed"] else "")
    tests += f", {row['skipped']} skipped" if row["skipped"] else ""
    return f"{tests} | {row['injected']:,} | {row['images']:,} | {row['lost']:,}"


def modules() -> dict[str, list[str]]:
    """Return for each row the test modules that prove it."""
    found: dict[str, list[str]] = {name: [] for name in ROWS}
    for path in sorted((*TESTS.glob("faults/test_*.py"), *TESTS.glob("fuzz/test_*.py"))):
        marks = re.findall(r"\brow\(([^)]*)\)", path.read_text())
        for name in {name for mark in marks for name in re.findall(r'"(\w+)"', mark)} & ROWS.keys():
            found[name].append(path.stem.removeprefix("test_"))
    return found


def added(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of several runs of parts of the suite as those of one."""
    rows: dict[str, Counter[str]] = {}
    for part in parts:
        for name, row in part["rows"].items():
            rows.setdefault(name, Counter()).update(row)
    return {"rows": rows, "measured": {what: value for part in parts for what, value in part["measured"].items()}}


def main(*files: Path) -> None:
    """Write the page anew."""
    figures = added([json.loads(file.read_text()) for file in files])
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(before + BEGIN + "\n" + "".join(table(figures)) + "\n" + END + after)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
