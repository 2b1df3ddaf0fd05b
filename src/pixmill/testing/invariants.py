"""What must hold of an output after any fault: the design's invariants, as checks on a folder that a run wrote to."""

import re
from hashlib import blake2b
from pathlib import Path

from PIL import Image

from pixmill.batch import status
from pixmill.batch.item import Written, unpack
from pixmill.engine.task import State

STATE = ".pixmill"
TEMPORARY = re.compile(r"\.pixmill-.*\.tmp")


def outputs(destination: Path) -> dict[str, bytes]:
    """Return the bytes of every file below ``destination`` by its relative path, state and temporaries left out."""
    files = [path.relative_to(destination) for path in destination.rglob("*") if path.is_file()]
    ours = [path for path in files if STATE not in path.parts and not TEMPORARY.fullmatch(path.name)]
    return {str(path): (destination / path).read_bytes() for path in ours}


def identities(destination: Path) -> dict[str, tuple[int, int]]:
    """Return what changes when a file is written again: inode and modification time of each output."""
    stats = {name: (destination / name).stat() for name in outputs(destination)}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in stats.items()}


def temporaries(destination: Path) -> list[Path]:
    """Return the unfinished files below ``destination``."""
    return [path for path in destination.rglob("*") if TEMPORARY.fullmatch(path.name)]


def finished(destination: Path) -> dict[str, Written]:
    """Return the outputs that the ledger holds as done, by name."""
    if not _has_ledger(destination):
        return {}
    with status.open_state(str(destination)) as ledger:
        products = [unpack(record.result) for record in ledger.records(State.DONE)]
    return {output.name.decode(errors="surrogateescape"): output for product in products for output in product.outputs}


def check(destination: Path, expected: dict[str, bytes]) -> None:
    """Hold ``destination`` to the invariants, whatever happened: ``expected`` is what an undisturbed run writes.

    I1: a file under a final name is complete, with the bytes of a clean run. I3: what the ledger calls done is there.
    The totals of the ledger add up. ``AssertionError`` names the first file that breaks one.
    """
    for name, data in outputs(destination).items():
        assert data == expected[name], f"{name} is not what an undisturbed run writes"
        with Image.open(destination / name) as image:
            image.load()
    for name, output in finished(destination).items():
        data = (destination / name).read_bytes()
        assert blake2b(data, digest_size=16).digest() == output.digest, f"{name} is not what the ledger calls done"
    if _has_ledger(destination):
        with status.open_state(str(destination)) as ledger:
            counts, records = ledger.counts(), sum(1 for _ in ledger.records())
        assert counts.found == records == counts.done + counts.failed + counts.pending, f"the totals do not add up: {counts}"


def check_complete(destination: Path, expected: dict[str, bytes]) -> None:
    """Hold ``destination`` to what a run that ended normally leaves: everything, once, and no temporary (I2, I4)."""
    check(destination, expected)
    assert outputs(destination).keys() == expected.keys(), f"missing: {expected.keys() - outputs(destination).keys()}"
    assert finished(destination).keys() == expected.keys()
    assert temporaries(destination) == []


def processes_naming(path: Path) -> list[str]:
    """Return the command lines of running processes that name ``path``: none once a run has ended (I7). Linux only."""
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue  # it ended while we looked
    return [line for line in lines if str(path) in line]


def _has_ledger(destination: Path) -> bool:
    return (destination / STATE / status.LEDGER).exists()
