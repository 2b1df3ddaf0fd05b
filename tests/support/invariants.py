"""The invariants of the design, which must hold after any fault, as checks on the output folder of a run.

``check`` may be called at any time, ``check_complete`` after a run that ended normally. ``fault_run`` checks all of them.
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
    """Return the bytes of every file below ``destination`` by relative path, without the state folder and temporary files."""
    files = [path.relative_to(destination) for path in destination.rglob("*") if path.is_file()]
    ours = [path for path in files if STATE not in path.parts and not LOOKS_UNFINISHED.fullmatch(path.name)]
    return {str(path): (destination / path).read_bytes() for path in ours}


def identities(folder: Path) -> dict[str, Identity]:
    """Return inode, modification time and digest of each file, which change when it is written again or touched."""
    found = {}
    for name, data in outputs(folder).items():
        stat = (folder / name).stat()
        found[name] = (stat.st_ino, stat.st_mtime_ns, blake2b(data, digest_size=16).digest())
    return found


def temporaries(destination: Path) -> list[Path]:
    """Return the temporary files below ``destination``."""
    return [path for path in destination.rglob("*") if TEMPORARY.fullmatch(path.name)]


def records(destination: Path) -> list[Record]:
    """Return the records in the ledger of ``destination``; none if there is no ledger."""
    with _ledger(destination) as ledger:
        return [] if ledger is None else list(ledger.records())


def finished(destination: Path) -> dict[str, OutputRecord]:
    """Return the outputs that are done according to the ledger, by name."""
    products = [unpack(record.result) for record in records(destination) if record.state is State.DONE]
    return {output.name.decode(errors="surrogateescape"): output for product in products for output in product.outputs}


def failed(destination: Path) -> dict[str, Record]:
    """Return the records of the failed images, by the path of the source."""
    return {os.fsdecode(record.key): record for record in records(destination) if record.state is State.FAILED}


def counts(destination: Path) -> Counts:
    """Return the counts in the ledger; zeros if there is no ledger."""
    with _ledger(destination) as ledger:
        return Counts() if ledger is None else ledger.counts()


def check(destination: Path, expected: dict[str, bytes], *, policy: Policy | None = None) -> None:
    """Check the invariants of ``destination`` after any fault; ``expected`` is the tree that an undisturbed run writes.

    I1: a file under a final name is complete and has the bytes of a clean run. I3: the outputs of done images exist.
    I5: the totals of the ledger add up. I6: nothing was tried more often than ``policy`` allows. I11: every failure records
    the cause, the stage and the number of attempts. ``AssertionError`` names the first file that violates one.
    """
    for name, data in outputs(destination).items():
        assert data == expected[name], f"{name} differs from the output of an undisturbed run"
        with Image.open(destination / name) as image:
            image.load()
    for name, output in finished(destination).items():
        data = (destination / name).read_bytes()
        assert blake2b(data, digest_size=16).digest() == output.digest, f"{name} differs from the digest in the ledger"
    totals, all_records = counts(destination), records(destination)
    assert totals.found == len(all_records) == totals.done + totals.failed + totals.pending, f"the totals do not add up: {totals}"
    for record in all_records:
        check_attempts(record, policy or Policy())
        check_failure(record)


def check_attempts(record: Record, policy: Policy) -> None:
    """I6: the attempts and interruptions of ``record`` do not exceed the limits of ``policy``."""
    assert record.attempts <= policy.attempts, f"{record.key!r} was tried {record.attempts} times"
    assert record.interruptions <= policy.interruptions, f"{record.key!r} was in flight when {record.interruptions} runs died"


def check_failure(record: Record) -> None:
    """I11: a failed ``record`` has a failure with a code and a message; a failure caused by a signal names the signal."""
    if record.state is not State.FAILED:
        return
    failure = record.failure
    assert failure is not None, f"{record.key!r} failed without a failure record"
    assert failure.code, f"{record.key!r} failed without a code"
    assert failure.message, f"{record.key!r} failed without a message"
    assert record.attempts or failure.code == "interrupted", f"{record.key!r} failed without an attempt"
    assert record.finished_at, f"{record.key!r} failed without a time"
    assert failure.signal or failure.code != "timeout", f"{record.key!r} timed out without a signal"


def check_complete(destination: Path, expected: dict[str, bytes]) -> None:
    """Check that a run that ended normally left every output exactly once, and no temporary file (I2, I4)."""
    check(destination, expected)
    assert outputs(destination).keys() == expected.keys(), f"missing: {expected.keys() - outputs(destination).keys()}"
    assert finished(destination).keys() == expected.keys()
    assert temporaries(destination) == []


def check_unlocked(destination: Path) -> None:
    """I12: the lock of ``destination`` was released with the death of its owner, so that the next run can take it."""
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
            continue  # the process has just ended
    return [line for line in lines if str(path) in line]


@contextmanager
def _ledger(destination: Path) -> Iterator[LedgerView | None]:
    """Yield the ledger for reading, ``None`` if there is none."""
    with ExitStack() as stack:
        ledger = None
        with suppress(AddressError):
            ledger = stack.enter_context(status.open_ledgers(str(destination)))
        yield ledger
