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
from pixmill.batch.item import Written, unpack
from pixmill.batch.state.combined_ledger import Ledgers
from pixmill.core.errors import ReadError
from pixmill.engine.task import State
from pixmill.storage.retry.storage import RetryingStorage

AT_ONCE = 16  # outputs of a store that are looked at together: each takes two answers

Made = tuple[bytes, Written]
Check = Callable[[Written], str]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One output that is not what the ledger says: ``what`` is ``missing``, ``size`` or ``content``."""

    source: bytes
    output: bytes
    what: str


def verify(ledgers: Ledgers, destination: str) -> Iterator[Problem]:
    """Read every output that the ledgers hold as done, and yield those that are not the bytes that were written."""
    former = last_config(ledgers).destination
    with open_outputs(destination, former=former, held=ledgers.held) as outputs:
        made = ((record.key, output) for record in ledgers.records(State.DONE) for output in unpack(record.result).outputs)
        look = _together if isinstance(outputs, RetryingStorage) else _in_turn
        for (source, output), what in look(partial(_difference, outputs), made):
            if what:
                yield Problem(source=source, output=output.name, what=what)


def _in_turn(check: Check, made: Iterable[Made]) -> Iterator[tuple[Made, str]]:
    for each in made:
        yield each, check(each[1])


def _together(check: Check, made: Iterable[Made]) -> Iterator[tuple[Made, str]]:
    """Check several at a time and answer in order, since a store takes its time for each."""
    waiting: deque[tuple[Made, Future[str]]] = deque()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for each in made:
            waiting.append((each, pool.submit(check, each[1])))
            if len(waiting) > AT_ONCE:
                yield _answered(waiting)
        while waiting:
            yield _answered(waiting)


def _answered(waiting: deque[tuple[Made, Future[str]]]) -> tuple[Made, str]:
    each, answer = waiting.popleft()
    return each, answer.result()


def _difference(outputs: Outputs, written: Written) -> str:
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
