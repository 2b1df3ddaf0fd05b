"""Verify that outputs still have the content that was written."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from hashlib import blake2b

import msgspec

from pixmill.batch.datasets.contents import Outputs
from pixmill.batch.datasets.open import open_outputs
from pixmill.batch.inspect.status import last_config
from pixmill.batch.item import OutputRecord, unpack
from pixmill.batch.state.combined_ledger import CombinedLedger
from pixmill.core.errors import ReadError
from pixmill.core.waits import Tally
from pixmill.engine.task import State
from pixmill.storage.retry.storage import RetryingStorage

MAX_CONCURRENT = 16  # outputs in a store checked at the same time: each takes two requests

RecordedOutput = tuple[bytes, OutputRecord]
Check = Callable[[OutputRecord], str]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One output that differs from its record: ``what`` is ``missing``, ``size`` or ``content``."""

    source: bytes
    output: bytes
    what: str


def verify(ledgers: CombinedLedger, destination: str, checked: Tally | None = None) -> Iterator[Problem]:
    """Read every output of the finished images in ``ledgers``, and yield those whose content is not what was written.

    ``checked`` counts the outputs as they are read.
    """
    tally = checked or Tally()
    former = last_config(ledgers).destination
    with open_outputs(destination, former=former, ledger_files=ledgers.ledger_files) as outputs:
        recorded = ((record.key, output) for record in ledgers.records(State.DONE) for output in unpack(record.result).outputs)
        check_all = _concurrently if isinstance(outputs, RetryingStorage) else _sequentially
        for (source, output), what in check_all(partial(_difference, outputs), recorded):
            tally.count += 1
            if what:
                yield Problem(source=source, output=output.name, what=what)


def _sequentially(check: Check, recorded: Iterable[RecordedOutput]) -> Iterator[tuple[RecordedOutput, str]]:
    for each in recorded:
        yield each, check(each[1])


def _concurrently(check: Check, recorded: Iterable[RecordedOutput]) -> Iterator[tuple[RecordedOutput, str]]:
    """Check several outputs at a time, to hide the latency of a store, and yield the results in order."""
    pending: deque[tuple[RecordedOutput, Future[str]]] = deque()
    with ThreadPoolExecutor(MAX_CONCURRENT) as pool:
        for each in recorded:
            pending.append((each, pool.submit(check, each[1])))
            if len(pending) > MAX_CONCURRENT:
                yield _next_result(pending)
        while pending:
            yield _next_result(pending)


def _next_result(pending: deque[tuple[RecordedOutput, Future[str]]]) -> tuple[RecordedOutput, str]:
    recorded, future = pending.popleft()
    return recorded, future.result()


def _difference(outputs: Outputs, record: OutputRecord) -> str:
    """Return how an output differs from its record, empty if it does not; ``ReadError`` when the store does not respond."""
    entry = outputs.stat(record.name)
    if entry is None:
        return "missing"
    if entry.size != record.size:
        return "size"
    try:
        data = outputs.read(record.name, limit=record.size)
    except ReadError as error:
        if error.retryable:
            raise
        return "content"
    return "" if blake2b(data, digest_size=16).digest() == record.digest else "content"
