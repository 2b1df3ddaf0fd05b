"""Prune an output: list what can be removed, or remove it under the locks of a run."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress

from pixmill.batch.config.max_delete import MaxDelete
from pixmill.batch.config.models import MAX_SHOWN, Placement, RunConfig, Selection
from pixmill.batch.datasets.dataset import dataset_at, home, with_former_packing
from pixmill.batch.inspect.status import find_state_folder, last_config
from pixmill.batch.naming.reserved import name_key
from pixmill.batch.planning.known_sources import prefixes_in
from pixmill.batch.planning.plan import Plan, plan
from pixmill.batch.pruning.origins import Origins, find_origins, with_list
from pixmill.batch.pruning.past_runs import PastRuns
from pixmill.batch.pruning.removal import Remover
from pixmill.batch.pruning.result import PruneResult
from pixmill.batch.pruning.search import Compare, Search
from pixmill.batch.sources.manifest import Manifest
from pixmill.batch.state.combined_ledger import CombinedLedger
from pixmill.batch.state.earlier_ledgers import MAX_OPEN
from pixmill.batch.state.ledger_files import LEDGER, LedgerFile, find_ledger_files
from pixmill.batch.state.open_all import open_all
from pixmill.batch.state.source_keys import combined
from pixmill.batch.state.stored_config import STANDARD_INPUT
from pixmill.core.errors import AddressError, ConfigError, RunError
from pixmill.core.humanize import plural
from pixmill.core.text import printable
from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.storage.address import Address
from pixmill.storage.local.case import ignores_case
from pixmill.storage.retry.storage import open_with_retries

_DEFAULT = MaxDelete()


class _Output:
    """The output to prune: its ``address``, its ledgers, and those of other shards, which are only read."""

    def __init__(self, destination: str, files: Sequence[LedgerFile], others: Sequence[LedgerFile] = ()) -> None:
        ledgers = CombinedLedger(files)
        self.others = tuple(others)
        self.config = last_config(ledgers)
        self.address = Address.parse(with_former_packing(destination, self.config.destination))
        self.is_dataset = dataset_at(self.address) is not None
        self.home = home(self.address)
        # a store has no lock for a run and its shards together, so ledgers of an earlier split are left as they are there
        self.files = tuple(files) if self.home.local else ledgers.ledger_files


def prune(
    destination: str,
    source: str | None = None,
    *,
    yes: bool = False,
    max_delete: MaxDelete = _DEFAULT,
    state: str | None = None,
) -> PruneResult:
    """Find the outputs in ``destination`` that can be removed, all or those of ``source``; with ``yes`` remove them.

    ``source``: a source of earlier runs, or a list whose rows are all that is wanted. ``ConfigError`` if these are more than
    ``max_delete`` allows; then nothing is removed. ``RunError`` while a run is working on the output.
    """
    output = _Output(destination, find_ledger_files(find_state_folder(destination, state)))
    named = _plan_of(source, destination, state, output) if source is not None else None
    return _prune(output, named, yes=yes, max_delete=max_delete)


def mirror(run_plan: Plan, *, max_delete: MaxDelete = _DEFAULT) -> PruneResult:
    """Remove the outputs of the images that are gone from the source of a run that has finished; like ``prune`` with its source.

    Of a split run only those of its own shard.
    """
    locations, shard = run_plan.locations, run_plan.config.selection.shard
    own = LedgerFile(shard, locations.state)
    others = find_ledger_files(locations.state.parent) if shard.count > 1 else ()
    output = _Output(run_plan.config.destination, [own], [each for each in others if each.shard != shard])
    return _prune(output, run_plan, yes=True, max_delete=max_delete, is_mirror=True)


def _plan_of(source: str, destination: str, state: str | None, output: _Output) -> Plan:
    """Return the plan of a run of ``source``, for its keys; ``ConfigError`` if it cannot be read."""
    column = output.config.selection.column
    config = RunConfig(source=source, destination=destination, selection=Selection(column=column), placement=Placement(state=state))
    return plan(config)


def _prune(output: _Output, named: Plan | None, *, yes: bool, max_delete: MaxDelete, is_mirror: bool = False) -> PruneResult:
    with ExitStack() as stack:
        if named is not None:
            named.source_keys  # noqa: B018  # read while its ledgers may be open
            named.release()
        check: Callable[[], None] = lambda: None  # noqa: E731
        if yes:
            ledgers, check = open_all(output.files, output.home, stack, beside_shards=bool(output.others))
        else:
            ledgers = [file.open() for file in output.files]
            for ledger in ledgers:
                stack.callback(ledger.close)
        others = []
        for file in output.others[:MAX_OPEN]:
            with suppress(RunError):  # one that is only just being created
                others.append(file.open(is_checked=False))
                stack.callback(others[-1].close)
        order = sorted(range(len(ledgers)), key=lambda number: -_last_start(ledgers[number]))
        ledgers = [ledgers[number] for number in order]
        files = [output.files[number] for number in order]
        search = _search(output, files, ledgers, others, named, is_mirror=is_mirror)
        result = search.result
        if not yes:
            return result
        if not max_delete.allows(result.files, of=result.outputs):
            raise _too_many(result, max_delete)
        folds = ignores_case(files[0].folder)
        Remover(ledgers, None if output.is_dataset else output.home, folds=folds, check=check).remove(search.removals())
        if output.is_dataset:
            _reseal(output, files, ledgers, stack)
        result.is_removed = True
        return result


def _reseal(output: _Output, files: Sequence[LedgerFile], ledgers: Sequence[SqliteLedger], stack: ExitStack) -> None:
    """Write the shards of a dataset again that contain what has been removed; also after a prune that was killed before that."""
    from pixmill.batch.datasets.open import open_sealing  # noqa: PLC0415  # most outputs are folders

    for file, ledger in zip(files, ledgers, strict=True):
        dataset = dataset_at(output.address, file.shard)
        if dataset is not None:
            placement = last_config(CombinedLedger([file])).placement
            open_sealing(dataset, placement, file.folder, ledger, (), stack).seal(lambda: True)


def _search(
    output: _Output,
    files: Sequence[LedgerFile],
    ledgers: Sequence[SqliteLedger],
    others: Sequence[SqliteLedger],
    named: Plan | None,
    *,
    is_mirror: bool,
) -> Search:
    prefixes = combined(map(prefixes_in, [*ledgers, *others]))
    past = PastRuns(ledgers, prefixes)
    was_shared = any(not ledger.sources() for ledger in ledgers) or any(
        (file.folder / f"{LEDGER}.version-1").exists() for file in files
    )
    origins = find_origins(past, prefixes, was_shared=was_shared)
    selected = None
    if named is not None:
        origins, selected = _named_origins(origins, past, prefixes, named, is_mirror=is_mirror)
    folds = ignores_case(files[0].folder)

    def owners(name: bytes) -> set[bytes]:
        noted = name_key(name, folds=folds)
        return {owner for ledger in (*ledgers, *others) for _, owner in ledger.owners(noted, noted + b"\0")}

    storage = None if output.is_dataset else open_with_retries(output.home)
    compare = Compare(storage, output.home, follow_links=output.config.placement.follow_output_links)
    search = Search(ledgers, origins, past.whole)
    search.read(storage, owners, selected=selected, compare=compare)
    if named is not None and origins.has_foreign_list:
        message = f"none of the images in {named.config.source_text} has an output in {output.address}"
        raise ConfigError(message, hint="name the list that was run into it")
    return search


def _named_origins(
    origins: Origins, past: PastRuns, prefixes: dict[bytes, bytes], named: Plan, *, is_mirror: bool
) -> tuple[Origins, set[bytes]]:
    """Return the origins when a source is named, and the prefixes of that; ``ConfigError`` if none of the runs had it."""
    source, keys = named.locations.source, named.source_keys
    if isinstance(source, Manifest):
        text = named.config.sources[0]
        is_only_list = all(_absolute(each.text) == _absolute(text) or not each.is_list for each in past.sources)
        is_list = Address.parse(text).scheme == "file"
        if not is_list and not is_mirror:
            raise AddressError(f"{printable(text)} is a single image, not a list", hint="name a list, or omit it")
        if is_list and (is_only_list or not is_mirror):
            origins = with_list(origins, named, past)
    elif not any(place in prefixes for place in source.places) and not keys.moved_from:
        texts = sorted({printable(each.text) for each in past.sources})
        known = ", ".join(texts[:MAX_SHOWN]) + (f" and {len(texts) - MAX_SHOWN:,} more" if len(texts) > MAX_SHOWN else "")
        message = f"{named.config.source_text} is not a source of {printable(named.config.destination)}"
        raise ConfigError(message, hint=f"its runs read {known}")
    return origins, {keys.prefixes[place] for place in source.places}


def _absolute(source: str) -> str:
    path = Address.parse(source).local
    return source if path is None or source == STANDARD_INPUT else str(path.absolute())


def _too_many(result: PruneResult, max_delete: MaxDelete) -> ConfigError:
    share = result.files / result.outputs if result.outputs else 1.0
    return ConfigError(
        f"{plural(result.files, 'file')} would be removed, {share:.0%} of the recorded outputs, which is more than {max_delete}: "
        "nothing was removed",
        hint=f"if that is right, say so: --max-delete {result.files}",
    )


def _last_start(ledger: SqliteLedger) -> float:
    return max((run.started_at for run in ledger.runs()), default=0.0)
