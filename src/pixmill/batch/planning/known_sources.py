"""Recognise the source of a run among those that the ledgers of its output know."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice

from pixmill.batch.source import Source
from pixmill.batch.state.earlier_ledgers import EarlierLedgers
from pixmill.batch.state.source_keys import FIRST, SourceKeys, combined
from pixmill.core.errors import ConfigError, RunError
from pixmill.core.text import printable
from pixmill.engine.ledger import IsSame, LedgerView
from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.engine.task import Task
from pixmill.storage.address import Address
from pixmill.storage.local.inodes import holder, real

ENOUGH = 100  # images that must be the same for a source to count as moved
#: returns the tasks of a run if its source has this prefix
TasksWith = Callable[[SourceKeys], Iterator[Task]]


def source_keys(source: Source, named: str | None, ledgers: EarlierLedgers, tasks_with: TasksWith, is_same: IsSame) -> SourceKeys:
    """Return the keys of ``source`` and of every source that ``ledgers`` know; ``ConfigError`` when it cannot be told which it is.

    ``named`` is the place that it is to count as. A source whose place is unknown is one that has moved if another is gone and has
    the same images; ``tasks_with`` returns the tasks to compare, by their ids or with ``is_same``.
    """
    places = source.places if named is None else (os.fsencode(named),)
    with ledgers.lock:
        opened = ledgers.opened()
        known = SourceKeys(prefixes=combined(map(prefixes_in, opened)))
        keys = known.adding(places, has_unique_paths=source.has_unique_paths).naming(places[0], source.places)
        if known.prefixes and named is None and len(places) == 1 and places[0] not in known.prefixes:
            gone = [place for place in known.prefixes if place.startswith(b"/") and not os.path.lexists(place)]
            alike = [place for place in gone if _is_same(opened, tasks_with(_moved(known, place, places[0])), is_same)]
            if len({known.prefixes[place] for place in alike}) > 1:
                message = f"the images are those of {' and of '.join(map(printable, alike))}, which are both gone"
                raise ConfigError(message, hint=f"say which: --source-id {printable(alike[0])}")
            if alike:
                keys = _moved(known, alike[0], places[0])
    return keys


def _moved(known: SourceKeys, former: bytes, place: bytes) -> SourceKeys:
    return SourceKeys(prefixes={**known.prefixes, place: known.prefixes[former]}, moved_from=former)


def _is_same(ledgers: Sequence[LedgerView], tasks: Iterator[Task], is_same: IsSame) -> bool:
    """Tell whether the first images are in one of the ledgers, the same as now."""
    left = {task.key: task for task in islice(tasks, ENOUGH)}
    if not left:
        return False
    for ledger in ledgers:
        with suppress(RunError):
            for record in filter(None, ledger.get(list(left))):
                if left[record.key].id == record.id or is_same(left[record.key], record):
                    del left[record.key]
    return not left


def prefixes_in(ledger: SqliteLedger) -> dict[bytes, bytes]:
    """Return the prefixes that ``ledger`` has noted; one of version 1 noted none, and all of its sources count as the first."""
    with suppress(RunError):
        sources = ledger.sources()
        if sources:
            return sources
        texts = {_source(run.metadata) for run in ledger.runs()}
        return {place: FIRST for text in texts if text for place in _possible_places(text)}
    return {}


def _source(metadata: bytes) -> str:
    with suppress(ValueError, AttributeError):
        return str(json.loads(metadata).get("source", ""))
    return ""


def _possible_places(text: str) -> Iterator[bytes]:
    """Yield the places that images of the source ``text`` may have been in."""
    address = Address.parse(text)
    if address.local is None:
        yield address.url.encode("utf-8", "surrogateescape").rstrip(b"/")
        return
    path = real(address.location)
    yield path
    if not address.local.is_dir():
        yield from (holder(path), b"tar://" + path, b"zip://" + path, b"/", b"http://", b"https://", b"s3://", b"gs://", b"az://")
