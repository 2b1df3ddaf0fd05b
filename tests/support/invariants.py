"""What must hold of an output after any fault: the design's invariants, as checks on a folder that a run wrote to.

``check`` is for any moment, ``check_complete`` for after a run that ended normally. ``trial`` holds whole runs to them all.
"""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from hashlib import blake2b
from pathlib import Path

from PIL import Image

from pixmill.batch.inspect import status
from pixmill.batch.item import OutputRecord, unpack
from pixmill.core.errors import AddressError
from pixmill.engine.ledger import LedgerView, Record
from pixmill.engine.policy import Policy
from pixmill.engine.task import Counts, State

STATE = ".pixmill"
TEMPORARY = re.compile(r"\.pixmill-[0-9A-Za-z]{1,32}-[0-9]+-[0-9]+\.tmp")
LOOKS_UNFINISHED = re.compile(r"\.pixmill-.*\.tmp")

Identity = tuple[int, int, bytes]


def outputs(destination: Path) -> dict[str, bytes]:
    """Return the bytes of every file below ``destination`` by its relative path, state and temporaries left out."""
    files = [path.relative_to(destination) for path in destination.rglob("*") if path.is_file()]
    ours = [path for path in files if STATE not in path.parts and not LOOKS_UNFINISHED.fullmatch(path.name)]
    return {str(path): (destination / path).read_bytes() for path in ours}


def identities(folder: Path) -> dict[str, Identity]:
    """Return what changes when a file is written again or touched: inode, modification time and digest of each."""
    found = {}
    for name, data in outputs(folder).items():
        stat = (folder / name).stat()
        found[name] = (stat.st_ino, stat.st_mtime_ns, blake2b(data, digest_size=16).digest())
    return found


def temporaries(destination: Path) -> list[Path]:
    """Return the unfinished files below ``destination``."""
    return [path for path in destination.rglob("*") if TEMPORARY.fullmatch(path.name)]


def records(destination: Path) -> list[Record]:
    """Return what the ledger of ``destination`` holds; nothing when there is none."""
    with _ledger(destination) as ledger:
        return [] if ledger is None else list(ledger.records())


def finished(destination: Path) -> dict[str, OutputRecord]:
    """Return the outputs that the ledger holds as done, by name."""
    products = [unpack(record.result) for record in records(destination) if record.state is State.DONE]
    return {output.name.decode(errors="surrogateescape"): output for product in products for output in product.outputs}


def failed(destination: Path) -> dict[str, Record]:
    """Return the records of the images that failed for good, by the path of the source."""
    return {os.fsdecode(record.key): record for record in records(destination) if record.state is State.FAILED}


def counts(destination: Path) -> Counts:
    """Return what the ledger counts; nothing at all when there is none."""
    with _ledger(destination) as ledger:
        return Counts() if ledger is None else ledger.counts()


def check(destination: Path, expected: dict[str, bytes], *, policy: Policy | None = None) -> None:
    """Hold ``destination`` to the invariants, whatever happened: ``expected`` is what an undisturbed run writes.

    I1: a file under a final name is complete, with the bytes of a clean run. I3: what the ledger calls done is there.
    I5: the totals of the ledger add up. I6: nothing was tried more often than ``policy`` allows. I11: every failure says
    what, where and how often. ``AssertionError`` names the first file that breaks one.
    """
    for name, data in outputs(destination).items():
        assert data == expected[name], f"{name} is not what an undisturbed run writes"
        with Image.open(destination / name) as image:
            image.load()
    for name, output in finished(destination).items():
        data = (destination / name).read_bytes()
        assert blake2b(data, digest_size=16).digest() == output.digest, f"{name} is not what the ledger calls done"
    found, held = counts(destination), records(destination)
    assert found.found == len(held) == found.done + found.failed + found.pending, f"the totals do not add up: {found}"
    for record in held:
        check_attempts(record, policy or Policy())
        check_failure(record)


def check_attempts(record: Record, policy: Policy) -> None:
    """I6: ``record`` was tried, and was in flight when a run died, no more often than ``policy`` allows."""
    assert record.attempts <= policy.attempts, f"{record.key!r} was tried {record.attempts} times"
    assert record.interruptions <= policy.interruptions, f"{record.key!r} was in flight when {record.interruptions} runs died"


def check_failure(record: Record) -> None:
    """I11: a failed ``record`` has a failure that says what happened; one that a signal caused names the signal."""
    if record.state is not State.FAILED:
        return
    failure = record.failure
    assert failure is not None, f"{record.key!r} failed of nothing"
    assert failure.code, f"{record.key!r} failed without a code"
    assert failure.message, f"{record.key!r} failed without a word"
    assert record.attempts or failure.code == "interrupted", f"{record.key!r} failed without a try"
    assert record.finished_at, f"{record.key!r} failed at no time"
    assert failure.signal or failure.code != "timeout", f"{record.key!r} was killed at its deadline by nothing"


def check_complete(destination: Path, expected: dict[str, bytes]) -> None:
    """Hold ``destination`` to what a run that ended normally leaves: everything, once, and no temporary (I2, I4)."""
    check(destination, expected)
    assert outputs(destination).keys() == expected.keys(), f"missing: {expected.keys() - outputs(destination).keys()}"
    assert finished(destination).keys() == expected.keys()
    assert temporaries(destination) == []


def check_unlocked(destination: Path) -> None:
    """I12: the lock of ``destination`` died with its owner, so that the next run finds it free."""
    lock = destination / STATE / "lock"
    if lock.exists():
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def processes_naming(path: Path) -> list[str]:
    """Return the command lines of running processes that name ``path``: none once a run has ended (I7). Linux only."""
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue  # it ended while we looked
    return [line for line in lines if str(path) in line]


@contextmanager
def _ledger(destination: Path) -> Iterator[LedgerView | None]:
    """Give the ledger to read, ``None`` when there is none."""
    with ExitStack() as stack:
        ledger = None
        with suppress(AddressError):
            ledger = stack.enter_context(status.open_ledgers(str(destination)))
        yield ledger
