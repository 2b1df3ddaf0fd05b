"""What the engine is told about the work: where the handler is, what it needs, and what it may do."""

import os
import tempfile
from contextlib import suppress

import msgspec

from pixmill.batch.config.models import RunConfig
from pixmill.batch.worker.options import HandlerOptions
from pixmill.batch.worker.preload import PRELOAD
from pixmill.engine.handler import HandlerRef
from pixmill.engine.resources.cpu import usable_cores
from pixmill.engine.resources.memory import usable_memory, workers_within_memory
from pixmill.engine.resources.sandbox import Sandbox
from pixmill.imaging.recipe import Recipe
from pixmill.storage.address import Address

HANDLER = "pixmill.batch.worker.handler:image_handler"
LOCAL_PREFIXES = ("file:", "tar:", "zip:", "multi://local")  # where the addresses of this machine begin
LOCAL = "local"  # the executor whose workers are processes of this machine
PER_CORE = 6  # workers where images come from a store or go to one
THREADS = 16  # of libvips and its encoders in one worker: 4 to 6 as a rule, 14 were seen with AVIF


def handler_ref(assignment: HandlerOptions, recipe: Recipe) -> HandlerRef:
    """Return the reference to the handler of ``assignment``, its workers confined as far as ``recipe`` allows."""
    options = msgspec.msgpack.encode(assignment)
    return HandlerRef(
        HANDLER,
        options,
        preload=PRELOAD,
        threads=THREADS,
        confinement=sandbox_for(assignment, recipe),
        per_core=1 if is_local(assignment) else PER_CORE,
    )


def worker_count(config: RunConfig, assignment: HandlerOptions) -> int | None:
    """Return how many workers to ask for, ``None`` for as many as the executor thinks right.

    A worker waits for a store while others compute: with 50 ms to an answer and six workers to a core, cores stay
    busy. Where memory is short there are fewer of them, since each gets an equal share.
    """
    if config.workers or config.executor != LOCAL or is_local(assignment):
        return config.workers
    return workers_within_memory(usable_cores(), PER_CORE, int(config.policy.memory or usable_memory()))


def is_local(assignment: HandlerOptions) -> bool:
    """Tell whether no worker needs the network."""
    return assignment.source.startswith(LOCAL_PREFIXES) and assignment.destination.startswith("file:")


def sandbox_for(assignment: HandlerOptions, recipe: Recipe) -> Sandbox | None:
    """Return what the workers may do: write outputs, and the temporary files that libvips puts large pictures into.

    Where links below the destination are followed, nobody knows where they lead, so anywhere.
    ``None`` where a step runs code of the user's own, or of a plugin: nobody knows what it needs.
    """
    steps = [*recipe.steps, *(step for rendition in recipe.renditions for step in rendition.steps)]
    if any(step.runs_foreign_code or not type(step).__module__.startswith("pixmill.") for step in steps):
        return None
    destination = Address.parse(assignment.destination).local
    writable = [b"/" if assignment.follow_output_links else os.fsencode(destination.absolute())] if destination else []
    with suppress(FileNotFoundError):  # there is no place for temporary files, so there will be none
        writable.append(tempfile.gettempdirb())
    return Sandbox(tuple(writable), network=not is_local(assignment))
