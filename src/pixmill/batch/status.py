"""What the ledger of an output holds: its state, its failures, and whether its outputs are still what they were."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

import msgspec

from pixmill.batch.config import RunConfig
from pixmill.batch.item import Written, unpack
from pixmill.batch.state import LEDGER
from pixmill.batch.statehome import default_state
from pixmill.core.errors import AddressError, ConfigError
from pixmill.core.text import printable
from pixmill.engine.ledger import Ledger, RunRecord
from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.engine.task import Counts, Failure, State
from pixmill.storage.address import Address
from pixmill.storage.open import open_storage


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger holds, and its last run (``None`` when there was none)."""

    counts: Counts
    last: RunRecord | None


class FailedImage(msgspec.Struct, frozen=True, kw_only=True):
    """One image that failed. ``path`` is relative to SRC."""

    path: bytes
    failure: Failure
    attempts: int
    seconds: float


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One output that is not what the ledger says: ``what`` is ``missing``, ``size`` or ``content``."""

    source: bytes
    output: bytes
    what: str


def state_folder(destination: str, state: str | None = None) -> Path:
    """Return where the state of ``destination`` is; ``AddressError`` when no run has been there."""
    folder = Path(state) if state else default_state(Address.parse(destination))
    if not (folder / LEDGER).exists():
        raise AddressError(
            f"{printable(destination)} holds no run of pixmill", hint="name the DST of an earlier run, or its --state folder"
        )
    return folder


@contextmanager
def open_state(destination: str, state: str | None = None, *, write: bool = False) -> Iterator[Ledger]:
    """Open the ledger of ``destination``, to read unless ``write``; a run may be going on meanwhile."""
    path = state_folder(destination, state) / LEDGER
    ledger = SqliteLedger(path) if write else SqliteLedger(path, read_only=True)
    try:
        yield ledger
    finally:
        ledger.close()


def status(ledger: Ledger) -> Status:
    """Return the counts and the last run."""
    last = None
    for last in ledger.runs():  # noqa: B007  # the last one is wanted
        pass
    return Status(counts=ledger.counts(), last=last)


def failures(ledger: Ledger, *, code: str | None = None) -> Iterator[FailedImage]:
    """Yield the failed images in order of path, all or those with ``code``."""
    for record in ledger.records(State.FAILED):
        failure = record.failure
        if failure is not None and code in (None, failure.code):
            yield FailedImage(path=record.key, failure=failure, attempts=record.attempts, seconds=record.seconds)


def forget_failures(ledger: Ledger, *, code: str | None = None) -> int:
    """Make failed images pending again, all or those with ``code``; return how many."""
    return ledger.forget([failed.path for failed in failures(ledger, code=code)])


def last_config(ledger: Ledger) -> RunConfig:
    """Return the configuration of the last run; ``ConfigError`` when there was none."""
    last = status(ledger).last
    if last is None or not last.about:
        raise ConfigError("the ledger holds no run that could be repeated")
    return RunConfig.from_builtins(json.loads(last.about))


def verify(ledger: Ledger, destination: str) -> Iterator[Problem]:
    """Read every output that the ledger holds as done, and yield those that are not the bytes that were written."""
    storage = open_storage(destination)
    for record in ledger.records(State.DONE):
        for output in unpack(record.result).outputs:
            entry = storage.stat(output.name)
            what = "missing" if entry is None else "size" if entry.size != output.size else ""
            if not what and not _same_content(storage.read(output.name, limit=output.size), output):
                what = "content"
            if what:
                yield Problem(source=record.key, output=output.name, what=what)


def _same_content(data: bytes, output: Written) -> bool:
    return blake2b(data, digest_size=16).digest() == output.digest
