"""Verify that outputs still have the content that was written."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import blake2b
from typing import TypeVar

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

T = TypeVar("T")
R = TypeVar("R")


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
        concurrency = MAX_CONCURRENT if isinstance(outputs, RetryingStorage) else 1
        for (source, output), what in in_order(lambda each: difference(outputs, each[1]), recorded, concurrency=concurrency):
            tally.count += 1
            if what:
                yield Problem(source=source, output=output.name, what=what)


def in_order(function: Callable[[T], R], items: Iterable[T], *, concurrency: int) -> Iterator[tuple[T, R]]:
    """Yield each item with the result of ``function``, in order; several at a time hide the latency of a store."""
    if concurrency == 1:
        yield from ((item, function(item)) for item in items)
        return
    pending: deque[tuple[T, Future[R]]] = deque()
    with ThreadPoolExecutor(concurrency) as pool:
        for item in items:
            pending.append((item, pool.submit(function, item)))
            if len(pending) > concurrency:
                first, future = pending.popleft()
                yield first, future.result()
        yield from ((item, future.result()) for item, future in pending)


def difference(outputs: Outputs, record: OutputRecord) -> str:
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
