"""The composition root: the only module that connects storage, engine and imaging."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pixmill.batch.batch_run import BatchRun
from pixmill.batch.config.models import RunConfig
from pixmill.batch.outputs.named_files import NamedFile, check, states_of
from pixmill.batch.outputs.origins import Origins, origins_of
from pixmill.batch.outputs.repair import Repair
from pixmill.batch.outputs.reuse import with_reusable_outputs
from pixmill.batch.outputs.still_valid import CHANGED, still_valid
from pixmill.batch.planning.empty_source import no_images
from pixmill.batch.planning.late_names import LateNames
from pixmill.batch.planning.plan import Plan, plan
from pixmill.batch.planning.preflight import MAX_CHECKED, is_local, preflight_warnings
from pixmill.batch.planning.sample import Sample, draw_sample
from pixmill.batch.progress.workload import WorkTotal
from pixmill.batch.report.data.run_info import RunInfoFile
from pixmill.batch.report.extrapolation import Extrapolation
from pixmill.batch.report.summary import Report
from pixmill.batch.state.ledger_files import LEDGER
from pixmill.batch.state.location import RUNS
from pixmill.batch.state.open import open_run_state
from pixmill.batch.state.outputs import ConfirmedRecords, output_check
from pixmill.batch.state.remote.holds import HoldsWork, hold
from pixmill.batch.state.stateless import open_without_state
from pixmill.batch.state.status_file import begun_tasks, open_status_file
from pixmill.batch.state.stored_config import stored_config
from pixmill.batch.state.unrecorded import last_commit, unrecorded
from pixmill.batch.worker.claims import REPAIR
from pixmill.batch.worker.confinement import confinement_remark
from pixmill.batch.worker.options import HandlerOptions
from pixmill.batch.worker.reference import handler_ref, shortage_warnings, worker_count
from pixmill.core.events import Observer
from pixmill.core.registry import Registry
from pixmill.core.text import printable
from pixmill.core.waits import OnWait, unannounced
from pixmill.engine.executor import Executor
from pixmill.engine.handler import HandlerRef
from pixmill.engine.ledger import NOT_RECORDED, Ledger, Record
from pixmill.engine.observability.metrics import Metrics
from pixmill.engine.resources.sandbox import gaps
from pixmill.engine.runner import open_run as open_engine
from pixmill.engine.scheduling.next_pass import Renewal
from pixmill.engine.task import State, Task
from pixmill.engine.worker.mark import refuse_in_worker
from pixmill.imaging.version import toolset
from pixmill.storage.retry.outage import OutagePolicy
from pixmill.storage.retry.storage import open_with_retries

if TYPE_CHECKING:
    from pixmill.batch.datasets.sealing.sealing import Sealing

HandlerWrapper = Callable[[HandlerRef], HandlerRef]
Stream = Callable[[Ledger], Iterable[Task | None]]


def executors() -> Registry[Executor]:
    """Return every executor, by its name in ``--executor``."""
    return Registry("pixmill.engine.executors", Executor, "executor")  # type: ignore[type-abstract]  # only subclasses are instantiated


def _run_info_file(plan: Plan, metrics: Metrics, command: Sequence[str]) -> RunInfoFile:
    folder, other_images = plan.locations.state / RUNS, plan.selector.other_images
    return RunInfoFile(folder, metrics, command, makes=plan.makes, other_images=other_images)


@contextmanager
def _closing(tasks: Iterator[Task | None]) -> Iterator[None]:
    """Close ``tasks`` after the block, so that no request for more of them is under way when the process ends."""
    try:
        yield
    finally:
        if isinstance(tasks, Generator):
            tasks.close()


@contextmanager
def open_run(  # noqa: PLR0913  # all options of a caller, each with its default
    config: RunConfig,
    *,
    observers: Sequence[Observer] = (),
    command: Sequence[str] = (),
    wrap_handler: HandlerWrapper | None = None,
    on_wait: OnWait = unannounced,
    only_unfinished: bool = False,
    repair: Repair | None = None,
) -> Iterator[BatchRun]:
    """Start a run of ``config``. Leaving the block, normally or by an exception, stops it and releases all resources.

    ``command`` is the command line, for the report. ``wrap_handler`` may wrap the handler. ``on_wait`` is told what takes long
    before the run starts. ``only_unfinished``: process only the images that the ledger records as failed or pending. With
    ``repair``, only its images are processed, and their outputs are made again if they are missing or their content is not what was
    written. With ``selection.sample``, a sample is processed into a scratch folder.
    ``ConfigError`` when there is nothing to run, ``RunError`` when the environment does not allow it.
    """
    refuse_in_worker()
    on_wait(lambda: f"opening {config.source_text}")
    if config.selection.sample is not None:
        with _open_sample(
            draw_sample(config, config.selection.sample), observers=observers, command=command, wrap_handler=wrap_handler
        ) as batch_run:
            yield batch_run
        return
    run_plan = plan(config, is_run=True)
    on_wait(run_plan.listing_notice)
    tasks: Iterator[Task | None] = _unfinished_tasks(run_plan) if only_unfinished else run_plan.task_stream()
    if repair:
        tasks = repair.select(run_plan.tasks(), is_whole=run_plan.locations.dataset is not None)
    first = list(islice((task for task in tasks if task is not None), MAX_CHECKED if is_local(run_plan.locations) else 1))
    if not first and not run_plan.candidates and not only_unfinished and not config.selection.shard_at:
        raise no_images(run_plan)
    remarks = [] if first else [run_plan.remark_on_shard]
    committed = last_commit(run_plan.locations.state)
    unfinished_count = 0

    def stream(ledger: Ledger) -> Iterator[Task | None]:
        nonlocal unfinished_count
        on_wait(lambda: f"checking {config.destination}")
        if run_plan.spelling and run_plan.spelling.is_used and not config.placement.portable_names:
            remarks.append(
                f"the file system of {config.destination} refuses some names: outputs have _ for what it does not accept"
            )
        remarks.extend(() if repair else preflight_warnings(run_plan, ledger, first, committed=committed))
        if config.placement.index and not repair:
            from pixmill.batch.planning.index_gaps import index_remarks  # noqa: PLC0415  # for runs with an index

            remarks.extend(index_remarks(run_plan, ledger))
        if not only_unfinished:
            return chain(first, tasks)
        counts = ledger.counts()
        unfinished_count = counts.failed + counts.pending
        from pixmill.batch.inspect.retries import unfinished  # noqa: PLC0415  # only a retry needs it

        return unfinished(chain(first, filter(None, tasks)), ledger)

    with (
        _closing(tasks),
        begin(
            run_plan,
            stream,
            observers=observers,
            command=command,
            wrap_handler=wrap_handler,
            on_wait=on_wait,
            repairs=repair is not None,
            renews=repair is None,
        ) as batch_run,
    ):
        if run_plan.source_keys.moved_from:
            former = printable(run_plan.source_keys.moved_from)
            remarks.insert(0, f"{config.source_text} has the images that were in {former}: their records are carried on with")
        batch_run.remarks = (*batch_run.remarks, *remarks)
        if only_unfinished:
            batch_run.work_total = lambda: WorkTotal(count=unfinished_count)
        yield batch_run


def _present_version(plan: Plan, task: Task) -> Task | None:
    from pixmill.batch.planning.unfinished import present_version  # noqa: PLC0415  # few images change during a run

    return present_version(plan, task)


def _unfinished_tasks(plan: Plan) -> Iterator[Task]:
    from pixmill.batch.planning.unfinished import unfinished_tasks  # noqa: PLC0415  # only a retry needs it

    return unfinished_tasks(plan)


@contextmanager
def _open_sample(
    sample: Sample, *, observers: Sequence[Observer], command: Sequence[str], wrap_handler: HandlerWrapper | None
) -> Iterator[BatchRun]:
    extrapolation = Extrapolation(sample.choice.found, sample.choice.source_bytes)
    with begin(
        sample.plan,
        lambda _: sample.tasks,
        observers=(extrapolation, *observers),
        command=command,
        wrap_handler=wrap_handler,
    ) as batch_run:
        batch_run.extrapolate(sample.choice, extrapolation)
        yield batch_run


@contextmanager
def begin(  # noqa: PLR0913  # as above
    plan: Plan,
    stream: Stream,
    *,
    observers: Sequence[Observer] = (),
    command: Sequence[str] = (),
    wrap_handler: HandlerWrapper | None = None,
    on_wait: OnWait = unannounced,
    repairs: bool = False,
    keeps_names: bool = True,
    renews: bool = False,
) -> Iterator[BatchRun]:
    """Start a run of the tasks that ``stream`` returns for the open ledger. Ends like ``open_run``.

    If it ``repairs``, every task is tried, and outputs that are not what was written are replaced. ``keeps_names``: an image with
    the path of an earlier one is the same image, for its late names. ``renews``: images that change during the run are made
    in their new version, after all others.
    """
    config = plan.config
    if config.placement.index:
        files = [NamedFile("--index", Path(config.placement.index), "index")]
        check(files, sources=config.sources, states=states_of(plan.locations.lock_folder, plan.locations.state))
    with ExitStack() as stack:
        metrics = Metrics()
        plan.release()
        on_wait(lambda: f"opening the ledger of {config.destination}")
        committed = last_commit(plan.locations.state)
        status_file = None
        if plan.locations.target is None:
            ledger, state_observers = open_run_state(config, plan.locations, stack)
            state_observers = (_run_info_file(plan, metrics, command), *state_observers)
            status_file = open_status_file(plan.locations.state, stack)
        else:
            ledger, state_observers = open_without_state(plan.locations.destination, plan.tag, stack)
        stack.callback(plan.release)
        _note_sources(plan, ledger)
        if config.placement.index:
            stack.callback(_write_index, plan, ledger, Path(config.placement.index))
        sealing = _sealing(plan, ledger, observers, stack, repairs=repairs)
        spans = unrecorded(ledger.runs(), plan.locations.state, committed=committed)
        origins, handler_options = _origins(plan, ledger)
        handler_options = msgspec.structs.replace(handler_options, unrecorded=spans)
        store_warnings = _store_warnings(plan)
        with_traits = sealing is not None or config.placement.index is not None
        handler_options = msgspec.structs.replace(handler_options, is_conditional=not store_warnings, with_traits=with_traits)
        if repairs:
            handler_options = msgspec.structs.replace(handler_options, existing=REPAIR)
        workers = worker_count(config, handler_options) if plan.locations.target is None else 1
        executor = executors().get(config.executor).connect(workers=workers, address=config.address)
        handler = handler_ref(handler_options, config.recipe)
        store_policy = OutagePolicy(config.policy.store_timeout, is_known=True, reuses=True)  # its lock is ours
        destination = open_with_retries(plan.locations.destination, policy=store_policy)
        confirmed = ConfirmedRecords(ledger)
        stack.callback(confirmed.flush)
        tasks = stream(ledger)
        if executor.has_nodes:
            tasks = _with_node_admission(executor, plan, tasks, stack)
        on_wait(lambda: f"starting {config.executor.capitalize() if executor.has_nodes else 'the workers'}")
        engine = stack.enter_context(
            open_engine(
                tasks,
                wrap_handler(handler) if wrap_handler else handler,
                executor=executor,
                ledger=ledger,
                policy=config.policy,
                observers=(metrics, *state_observers, *observers),
                still_valid=_must_repair
                if repairs and not sealing
                else origins.checked(
                    still_valid(
                        sealing.contents.exists
                        if sealing
                        else output_check(
                            plan.locations.destination,
                            on_confirmed=confirmed.add,
                            policy=store_policy,
                        ),
                        None if sealing else destination,
                        existing=REPAIR if repairs else config.placement.existing,
                    )
                ),
                revise=with_reusable_outputs(
                    force=config.force,
                    contains=sealing.contents.has_outputs if sealing else None,
                    is_outdated=origins.is_outdated,
                    keeps_names=keeps_names,
                ),
                resolve=LateNames(plan, ledger, keeps_names=keeps_names) if plan.late_template else None,
                renewal=Renewal(CHANGED, partial(_present_version, plan)) if renews else None,
                is_same=plan.is_same if handler_options.former_fingerprints else None,
                metadata=stored_config(config),
                force=config.force,
                status_file=status_file,
                begun=begun_tasks(plan.locations.state, ledger.runs()) if status_file else (),
                hold=partial(hold, plan.locations.policy, [each for each in state_observers if isinstance(each, HoldsWork)]),
            )
        )
        batch_run = BatchRun(plan, engine, metrics, origins, sealing.seal if sealing else None)
        remarks = (*store_warnings, *(confinement_remark(gaps()) if handler.confinement else ()))
        batch_run.remarks = (*remarks, *shortage_warnings(workers, executor.workers, config.executor))
        if plan.lists_requests:
            known = ledger.counts().found
            batch_run.work_total = lambda: WorkTotal(count=known) if known else None
        yield batch_run


def _origins(plan: Plan, ledger: Ledger) -> tuple[Origins, HandlerOptions]:
    """Note the present libraries in the ledger; return how outputs compare with them, and the options of the handler."""
    options = msgspec.structs.replace(plan.handler_options, toolset=ledger.add_toolset(toolset()))
    if NOT_RECORDED in ledger.toolsets():
        options = msgspec.structs.replace(options, former_fingerprints=plan.former_rendition_fingerprints)
    return origins_of(ledger, plan.config, has_change_times=plan.has_change_times), options


def _store_warnings(plan: Plan) -> tuple[str, ...]:
    """Return a warning if the outputs go to a store that ignores the conditions of conditional writes."""
    destination = plan.locations.destination
    if destination.local:
        return ()
    from pixmill.batch.state.remote.conditions import WARNING, honours_conditions  # noqa: PLC0415  # most outputs are folders

    return () if honours_conditions(destination, tag=plan.tag) else (WARNING,)


def _must_repair(task: Task, record: Record) -> bool:
    del task
    return record.state is not State.DONE


def _note_sources(plan: Plan, ledger: Ledger) -> None:
    """Note in the ledger which prefixes the keys of its sources have."""
    known = ledger.sources()
    prefixes = plan.source_keys.prefixes
    if prefixes.items() - known.items():
        ledger.add_sources(prefixes)


def _with_node_admission(executor: Executor, plan: Plan, tasks: Iterable[Task | None], stack: ExitStack) -> Iterable[Task | None]:
    from pixmill.batch.node_probe import with_node_admission  # noqa: PLC0415  # most runs have no nodes

    return with_node_admission(executor, plan, tasks, stack)


def _write_index(plan: Plan, ledger: Ledger, path: Path) -> None:
    """Write the index, unless the state was deleted during the run: an index must not list outputs that no longer exist."""
    from pixmill.batch.inspect import output_index  # noqa: PLC0415  # most runs write no index
    from pixmill.batch.inspect.other_recipes import recipe_test  # noqa: PLC0415  # as above

    if (plan.locations.state / LEDGER).exists():
        output_index.write(ledger, path, recipe_test(plan.config, plan.source_keys))


def _sealing(plan: Plan, ledger: Ledger, observers: Sequence[Observer], stack: ExitStack, *, repairs: bool) -> "Sealing | None":
    if plan.locations.dataset is None:
        return None
    from pixmill.batch.datasets.open import open_sealing  # noqa: PLC0415  # 20 modules that no other run needs

    placement, state = plan.config.placement, plan.locations.state
    return open_sealing(plan.locations.dataset, placement, state, ledger, observers, stack, repairs=repairs)


def run(config: RunConfig, *, observers: Sequence[Observer] = ()) -> Report:
    """Run ``config`` to its end and return the report."""
    with open_run(config, observers=observers) as batch_run:
        for _ in batch_run:
            pass
    return batch_run.report()
