"""Whether outputs are still the bytes that were written."""

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
from pixmill.engine.task import State
from pixmill.storage.retry.storage import RetryingStorage

MAX_CONCURRENT = 16  # outputs of a store that are looked at together: each takes two answers

RecordedOutput = tuple[bytes, OutputRecord]
Check = Callable[[OutputRecord], str]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One output that is not what the ledger says: ``what`` is ``missing``, ``size`` or ``content``."""

    source: bytes
    output: bytes
    what: str


def verify(ledgers: CombinedLedger, destination: str) -> Iterator[Problem]:
    """Read every output that the ledgers hold as done, and yield those that are not the bytes that were written."""
    former = last_config(ledgers).destination
    with open_outputs(destination, former=former, ledger_files=ledgers.ledger_files) as outputs:
        made = ((record.key, output) for record in ledgers.records(State.DONE) for output in unpack(record.result).outputs)
        look = _concurrently if isinstance(outputs, RetryingStorage) else _sequentially
        for (source, output), what in look(partial(_difference, outputs), made):
            if what:
                yield Problem(source=source, output=output.name, what=what)


def _sequentially(check: Check, made: Iterable[RecordedOutput]) -> Iterator[tuple[RecordedOutput, str]]:
    for each in made:
        yield each, check(each[1])


def _concurrently(check: Check, made: Iterable[RecordedOutput]) -> Iterator[tuple[RecordedOutput, str]]:
    """Check several at a time and answer in order, since a store takes its time for each."""
    waiting: deque[tuple[RecordedOutput, Future[str]]] = deque()
    with ThreadPoolExecutor(MAX_CONCURRENT) as pool:
        for each in made:
            waiting.append((each, pool.submit(check, each[1])))
            if len(waiting) > MAX_CONCURRENT:
                yield _answered(waiting)
        while waiting:
            yield _answered(waiting)


def _answered(waiting: deque[tuple[RecordedOutput, Future[str]]]) -> tuple[RecordedOutput, str]:
    each, answer = waiting.popleft()
    return each, answer.result()


def _difference(outputs: Outputs, written: OutputRecord) -> str:
    """Return what is wrong with an output, nothing when it is what was written; ``ReadError`` when the store has no answer."""
    entry = outputs.stat(written.name)
    if entry is None:
        return "missing"
    if entry.size != written.size:
        return "size"
    try:
        data = outputs.read(written.name, limit=written.size)
    except ReadError as error:
        if error.retryable:
            raise
        return "content"
    return "" if blake2b(data, digest_size=16).digest() == written.digest else "content"
