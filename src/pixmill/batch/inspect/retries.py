"""Find what a retry repeats: for each ledger of an output, the last run of each source that has images left, and these images."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain, islice

from pixmill.batch.config.models import RunConfig
from pixmill.batch.state.combined_ledger import CombinedLedger, LedgerSummary
from pixmill.batch.state.ledger_files import LedgerFile
from pixmill.batch.state.source_keys import SourceKeys
from pixmill.batch.state.stored_config import config_of
from pixmill.core.errors import ConfigError
from pixmill.engine.ledger import FINISHED, LedgerView
from pixmill.engine.task import State, Task

#: returns the prefixes of the keys of a configuration's source; ``ConfigError`` when it is gone
PrefixesOf = Callable[[RunConfig], Collection[bytes]]
Retry = tuple[LedgerFile, RunConfig]
CHUNK_SIZE = 1000  # tasks that are looked up at once


def last_runs(ledgers: CombinedLedger) -> list[Retry]:
    """Return the last configuration of each source in each ledger; ``ConfigError`` when there was no run."""
    runs = [(each.file, config) for each in ledgers.summaries() for config in _configs(each)]
    if not runs:
        raise ConfigError("the ledger contains no run that can be repeated")
    return runs


def unfinished(tasks: Iterable[Task], ledger: LedgerView) -> Iterator[Task]:
    """Yield those of ``tasks`` that ``ledger`` records as failed or pending; not those that are new or done."""
    stream = iter(tasks)
    while chunk := list(islice(stream, CHUNK_SIZE)):
        records = ledger.get([task.key for task in chunk])
        yield from (task for task, record in zip(chunk, records, strict=True) if record and record.state is not State.DONE)


def unfinished_runs(
    ledgers: CombinedLedger, runs: Sequence[Retry], prefixes_of: PrefixesOf, *, code: str | None = None
) -> list[Retry]:
    """Return those of ``runs`` whose source has images that are pending or failed, all or with ``code``, or that did not end.

    A source that is gone matters only if such images of it are left: then ``ConfigError``.
    """
    return [
        retry
        for each in ledgers.summaries()
        for retry in _unfinished(each, [run for run in runs if run[0] == each.file], prefixes_of, code)
    ]


def _unfinished(summary: LedgerSummary, runs: Sequence[Retry], prefixes_of: PrefixesOf, code: str | None) -> Iterator[Retry]:
    left = _prefixes_left(summary.file, code)
    has_ended = summary.runs[-1].reason == FINISHED if summary.runs else True
    gone: ConfigError | None = None
    for run in runs:
        is_cut_short = run is runs[-1] and not has_ended
        if not left and not is_cut_short:
            continue
        try:
            prefixes = prefixes_of(run[1])
        except ConfigError as error:
            gone = error
            continue
        if left.intersection(prefixes) or is_cut_short:
            yield run
        left.difference_update(prefixes)
    if left and gone:
        raise gone


def _prefixes_left(file: LedgerFile, code: str | None) -> set[bytes]:
    """Return the prefixes of the sources that have images to retry."""
    ledger = CombinedLedger([file])
    keys = SourceKeys(prefixes=ledger.sources())
    failed = (record for record in ledger.records(State.FAILED) if code in (None, record.failure and record.failure.code))
    return {keys.prefix(record.key) for record in chain(ledger.records(State.PENDING), failed)}


def _configs(summary: LedgerSummary) -> list[RunConfig]:
    """Return the last configuration of each source, that of the last run at the end."""
    configs: dict[tuple[str | tuple[str, ...], str | None], RunConfig] = {}
    for run in summary.runs:
        if run.metadata:
            config = config_of(run)
            source = (config.source, config.selection.source_id)
            configs.pop(source, None)
            configs[source] = config
    return list(configs.values())
