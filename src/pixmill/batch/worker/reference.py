"""Describe the handler to the engine: its module, its options, the resources it needs, and its sandbox."""

from collections.abc import Iterator

import msgspec

from pixmill.batch.config.models import RunConfig
from pixmill.batch.worker.confinement import LOCAL_PREFIXES, is_local, sandbox_for, writer_for
from pixmill.batch.worker.options import MAX_AHEAD_BYTES, READ_AHEAD, HandlerOptions
from pixmill.batch.worker.preload import PRELOAD
from pixmill.core.humanize import plural
from pixmill.engine.handler import HandlerRef
from pixmill.engine.resources.cpu import usable_cores
from pixmill.engine.resources.memory import usable_memory, workers_within_memory
from pixmill.imaging.recipe import Recipe

HANDLER = "pixmill.batch.worker.handler:image_handler"
LOCAL = "local"  # the executor whose workers are processes on this machine
PER_CORE = 6  # workers, if images come from a store or go to one
CLOSE_TIMEOUT = 5.0  # seconds for the steps of workers to close what they have opened
THREADS = 16  # of libvips and its encoders in one worker: usually 4 to 6, up to 14 observed with AVIF


def handler_ref(handler_options: HandlerOptions, recipe: Recipe) -> HandlerRef:
    """Return the reference to the handler with ``handler_options``, its workers sandboxed as far as ``recipe`` allows."""
    options = msgspec.msgpack.encode(handler_options)
    confinement = sandbox_for(handler_options, recipe)
    load_timeout = sum(step.resources.open_timeout for step in recipe.all_steps())
    together, ahead = batch_size(recipe), reads_ahead(handler_options, recipe)
    return HandlerRef(
        HANDLER,
        options,
        preload=PRELOAD,
        threads=THREADS + together - 1 + ahead,
        confinement=confinement,
        broker=writer_for(handler_options) if confinement else None,
        per_core=1 if is_local(handler_options) else PER_CORE,
        held_memory=held_memory(recipe) + ahead * MAX_AHEAD_BYTES,
        load_timeout=load_timeout,
        batch_size=together,
        resources=tuple(node_resources(recipe).items()),
        close_timeout=CLOSE_TIMEOUT if load_timeout else 0.0,
        read_ahead=ahead,
    )


def reads_ahead(handler_options: HandlerOptions, recipe: Recipe) -> int:
    """Return how many images of the web a worker reads while it makes another; 0 if there are none."""
    may_read_the_web = handler_options.source.startswith("multi:") and not handler_options.source.startswith(LOCAL_PREFIXES)
    return READ_AHEAD if may_read_the_web and batch_size(recipe) == 1 else 0


def batch_size(recipe: Recipe) -> int:
    """Return how many images a worker should handle together."""
    return max((step.resources.batch_size for step in recipe.all_steps()), default=1)


def node_resources(recipe: Recipe) -> dict[str, float]:
    """Return what the steps of ``recipe`` need of a node of a cluster, for each worker."""
    total: dict[str, float] = {}
    for name, amount in (need for step in recipe.all_steps() for need in step.resources.cluster):
        total[name] = total.get(name, 0.0) + amount
    return total


def held_memory(recipe: Recipe) -> int:
    """Return the bytes that the steps of ``recipe`` hold in each worker."""
    return sum(step.resources.memory for step in recipe.all_steps())


def worker_count(config: RunConfig, handler_options: HandlerOptions) -> int | None:
    """Return the number of workers to start, ``None`` to let the executor decide.

    Workers wait for a store while others compute: at a latency of 50 ms, six workers per core keep the cores busy. There are
    fewer if memory is short, since each gets an equal share.
    """
    if config.workers or config.executor != LOCAL or is_local(handler_options):
        return config.workers
    memory = int(config.policy.memory or usable_memory())
    held = held_memory(config.recipe) + reads_ahead(handler_options, config.recipe) * MAX_AHEAD_BYTES
    return workers_within_memory(usable_cores(), PER_CORE, memory, held=held)


def shortage_warnings(wanted: int | None, started: int, executor: str) -> Iterator[str]:
    """Yield a warning if ``executor`` has ``started`` fewer workers than ``wanted`` on this machine."""
    if executor == LOCAL and wanted and started < wanted:
        yield f"{plural(started, 'worker')} instead of {wanted:,}: memory or the limit on processes allows no more"
