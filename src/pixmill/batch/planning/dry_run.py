"""``DryRun``: count what a run would do, without writing anything."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from itertools import islice
from pathlib import Path

import msgspec

from pixmill.batch.config.pattern import PatternCount
from pixmill.batch.config.prevention import is_preventable
from pixmill.batch.item import REJECTED, Item
from pixmill.batch.naming.template import own_extension
from pixmill.batch.outputs.name_conflicts import ConflictCounter, conflict_warnings
from pixmill.batch.outputs.origins import origins_of
from pixmill.batch.outputs.still_valid import still_valid
from pixmill.batch.planning import size_checks
from pixmill.batch.planning.estimate import WorkerSeconds, run_seconds
from pixmill.batch.planning.ignored import pattern_warnings
from pixmill.batch.planning.locations import Locations
from pixmill.batch.planning.plan import Plan
from pixmill.batch.state import state_folder
from pixmill.batch.state.ledger_files import LEDGER
from pixmill.batch.state.outputs import OUTPUT_CHANGED, output_check
from pixmill.batch.state.resharding import import_from_other_split, newer_ledgers, overlapping_ledgers
from pixmill.batch.state.stored_config import codes_preventable_since
from pixmill.batch.state.unrecorded import last_commit, unrecorded
from pixmill.core.temporary_folder import temporary_folder
from pixmill.engine.ledger import Ledger, Record
from pixmill.engine.ledgers.memory import MemoryLedger
from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.engine.observability.metrics import FailureKind
from pixmill.engine.scheduling.admission import StillValid
from pixmill.engine.task import State, Task
from pixmill.imaging.formats import Format, formats
from pixmill.imaging.recipe import Recipe
from pixmill.imaging.step_order import order_warnings
from pixmill.storage.open import open_storage

CHUNK_SIZE = 1000
MAX_EXAMPLES = 10
TO_COMPARE = "compare"  # whether a record holds: the content of the source decides


class DryRun(msgspec.Struct, kw_only=True):
    """The result of a dry run. ``examples`` pairs the first sources with the names of their outputs.

    ``rejected`` counts images that an earlier run has rejected by the same filters and steps.

    ``makes`` describes in words what is made from each image, ``patterns`` tells how often each pattern was used. ``occupied``
    counts images whose output name is taken by a file that pixmill did not write, or that was changed since, ``linked`` those whose
    output lies behind a symbolic link in DST. ``missing_extras`` counts images, by the package extra that they need and that is not
    installed here.

    ``output_changed`` counts images that are done and have nothing new to write, but whose output was changed since: it stays.
    ``changed_examples`` are the first of them.

    ``to_compare`` counts images that are done, and whose content has to be compared to tell whether they have changed. ``older``
    counts those that other versions of libraries made, by the versions that differ: they are kept, or are among those to do.

    ``late_names`` counts the outputs whose names are known only when the image is read; ``examples`` show the template for them.

    ``seconds`` is the estimated duration, judged by the images that are done, ``None`` when there is none.
    """

    to_do: int = 0
    unchanged: int = 0
    to_compare: int = 0
    older: dict[str, int] = {}
    output_changed: int = 0
    failed_before: int = 0
    rejected: int = 0
    renamed: int = 0
    occupied: int = 0
    linked: int = 0
    outputs: int = 0
    bytes_in: int = 0
    ignored: dict[str, int] = {}
    other_images: dict[str, FailureKind] = {}
    patterns: tuple[PatternCount, ...] = ()
    missing_extras: dict[str, int] = {}
    makes: tuple[str, ...] = ()
    examples: list[tuple[bytes, tuple[bytes, ...]]] = []
    changed_examples: list[bytes] = []
    warnings: list[str] = []
    seconds: float | None = None
    late_names: int = 0

    @property
    def found(self) -> int:
        """Return the total number of images."""
        return self.to_do + self.unchanged + self.to_compare + self.output_changed + self.failed_before + self.rejected


def dry_run(plan: Plan) -> DryRun:
    """Walk the whole source and count what a run of ``plan`` would do. Writes nothing."""
    result = DryRun(makes=plan.makes, warnings=_warnings(plan))
    sample: list[Item] = []
    sample_size = size_checks.sample_size(plan)
    placement = plan.config.placement
    items = ((item, bool(item.names) and plan.namer.is_renamed(item.entry.path, item.names)) for item in plan.items())
    is_dataset = plan.locations.dataset is not None
    committed = last_commit(plan.locations.state)
    with _ledger(plan) as ledger, _validity_check(plan.locations, placement.existing) as are_outputs_valid:
        follow = placement.follow_output_links
        runs = list(ledger.runs())
        spans = unrecorded(runs, plan.locations.state, committed=committed)
        codes = codes_preventable_since(runs, plan.config)
        conflict_counter = (
            None if is_dataset else ConflictCounter(plan.locations.destination, follow_links=follow, unrecorded=spans)
        )
        origins = origins_of(ledger, plan.config, has_change_times=plan.has_change_times)
        is_valid = origins.checked(are_outputs_valid, compared=TO_COMPARE)
        known = WorkerSeconds()
        while chunk := list(islice(items, CHUNK_SIZE)):
            tasks = [plan.task(item) for item, _ in chunk]
            records = ledger.get([task.key for task in tasks])
            for (item, is_renamed), task, record in zip(chunk, tasks, records, strict=True):
                if record and record.state is State.DONE:
                    known.add(record.seconds, item.entry.size)
                current = record if record and _is_current(plan, task, record) and not plan.config.force else None
                is_failed = current is not None and current.state is not State.DONE
                holds = current is not None and not (is_failed and not _stays_failed(current, codes)) and is_valid(task, current)
                if holds and not is_failed:
                    _count_done(result, item, holds)
                elif holds:
                    result.failed_before += 1
                else:
                    _count_work(result, item, plan)
                    sample += [item] if len(sample) < sample_size and not item.source_error else []
                    result.renamed += is_renamed
                    if conflict_counter:
                        conflict_counter.count(item, record)
        result.older = origins.older
        result.seconds = run_seconds(
            known, result.to_do, result.bytes_in, config=plan.config, handler_options=plan.handler_options, runs=runs
        )
    result.ignored, result.patterns = dict(plan.selector.ignored), plan.selector.patterns
    result.other_images = dict(plan.selector.other_images)
    result.warnings += pattern_warnings(result.patterns)
    if not result.found and plan.candidates:
        result.warnings.append(plan.remark_on_shard)
    result.warnings += size_checks.warnings(plan, sample)
    if conflict_counter:
        conflicts = conflict_counter.conflicts
        result.occupied, result.linked = conflicts.occupied, conflicts.linked
        result.warnings += conflict_warnings(conflicts, placement.existing, is_all=True)
    return result


def _is_current(plan: Plan, task: Task, record: Record) -> bool:
    """Tell whether ``record`` is of ``task``, or may turn out to be once the content is compared."""
    is_compared = plan.config.selection.checksum and record.state is State.DONE
    return record.id == task.id or plan.is_same(task, record) or (is_compared and plan.is_same_but_for_time(task, record))


def _stays_failed(record: Record, preventable: frozenset[str]) -> bool:
    return record.failure is not None and not is_preventable(record.failure, preventable)


@contextmanager
def _validity_check(locations: Locations, existing: str) -> Iterator[StillValid]:
    """Yield the function that tells whether a ledger record is still valid, without starting a run."""
    if locations.dataset is None:
        check = output_check(locations.destination)
        yield still_valid(check, open_storage(locations.destination), existing=existing)
        return
    from pixmill.batch.datasets.open import open_contents  # noqa: PLC0415  # 20 modules that no other run needs

    with open_contents(locations.dataset, locations.state) as contents:
        yield still_valid(contents.exists, None, existing=existing)


def _count_done(result: DryRun, item: Item, holds: bool | str) -> None:  # noqa: FBT001  # what ``StillValid`` returns
    if isinstance(holds, str) and holds.startswith(REJECTED):
        result.rejected += 1
        return
    if holds != OUTPUT_CHANGED:
        result.to_compare += holds == TO_COMPARE
        result.unchanged += holds != TO_COMPARE
        return
    result.output_changed += 1
    if len(result.changed_examples) < MAX_EXAMPLES:
        result.changed_examples.append(item.entry.path)


def _count_work(result: DryRun, item: Item, plan: Plan) -> None:
    recipe = plan.config.recipe
    names = (plan.late_template.encode(),) * len(recipe.renditions) if item.is_unnamed else item.names
    result.to_do += 1
    result.outputs += len(names)
    result.late_names += len(names) if item.is_unnamed else 0
    result.bytes_in += item.entry.size
    if extra := _missing_extra(item, recipe):
        result.missing_extras[extra] = result.missing_extras.get(extra, 0) + 1
    if len(result.examples) < MAX_EXAMPLES:
        result.examples.append((item.entry.path, tuple(dict.fromkeys(names))))


@cache
def _formats_with_extras() -> dict[str, Format]:
    return {extension: known for known in formats() if known.extra for extension in known.extensions}


def _missing_extra(item: Item, recipe: Recipe) -> str:
    """Return the extra that ``item`` needs, going by its extension, and that is not installed; empty if there is none."""
    source = _formats_with_extras().get(own_extension(item.entry.path).lower())
    if source is None:
        return ""
    is_written = any(rendition.encode.follows_source for rendition in recipe.renditions)
    return source.missing_extra("read") or (is_written and source.missing_extra("write")) or ""


def _warnings(plan: Plan) -> list[str]:
    recipe = plan.config.recipe
    warnings = (warning for rendition in recipe.renditions for warning in order_warnings((*recipe.steps, *rendition.steps)))
    return list(dict.fromkeys(warnings))


@contextmanager
def _ledger(plan: Plan) -> Iterator[Ledger]:
    """Yield the ledger as a run would find it: a copy, with the records that it would take from another split, if there are any."""
    state, shard = plan.locations.state, plan.config.selection.part
    state_folder.check(state)
    path = state / LEDGER
    is_recorded = plan.locations.target is None and path.exists()
    own: Ledger = SqliteLedger(path, read_only=True) if is_recorded else MemoryLedger()
    with closing(own):
        others = [] if plan.locations.target else newer_ledgers(own, overlapping_ledgers(shard, state))
        if not others:
            yield own
            return
        with temporary_folder() as folder:
            copy = Path(folder) / LEDGER
            if isinstance(own, SqliteLedger):
                own.copy_to(copy)
            with closing(SqliteLedger(copy, is_durable=False)) as ledger:
                import_from_other_split(ledger, shard, others)
                yield ledger
