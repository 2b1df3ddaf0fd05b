"""Describe the handler to the engine: its module, its options, the resources it needs, and its sandbox."""

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
LOCAL_PREFIXES = ("file:", "tar:", "zip:", "multi://local")  # of addresses on this machine
LOCAL = "local"  # the executor whose workers are processes on this machine
PER_CORE = 6  # workers, if images come from a store or go to one
THREADS = 16  # of libvips and its encoders in one worker: usually 4 to 6, up to 14 observed with AVIF


def handler_ref(handler_options: HandlerOptions, recipe: Recipe) -> HandlerRef:
    """Return the reference to the handler with ``handler_options``, its workers sandboxed as far as ``recipe`` allows."""
    options = msgspec.msgpack.encode(handler_options)
    return HandlerRef(
        HANDLER,
        options,
        preload=PRELOAD,
        threads=THREADS,
        confinement=sandbox_for(handler_options, recipe),
        per_core=1 if is_local(handler_options) else PER_CORE,
    )


def worker_count(config: RunConfig, handler_options: HandlerOptions) -> int | None:
    """Return the number of workers to start, ``None`` to let the executor decide.

    Workers wait for a store while others compute: at a latency of 50 ms, six workers per core keep the cores busy. There are
    fewer if memory is short, since each gets an equal share.
    """
    if config.workers or config.executor != LOCAL or is_local(handler_options):
        return config.workers
    return workers_within_memory(usable_cores(), PER_CORE, int(config.policy.memory or usable_memory()))


def is_local(handler_options: HandlerOptions) -> bool:
    """Tell whether workers can do without the network."""
    return handler_options.source.startswith(LOCAL_PREFIXES) and handler_options.destination.startswith("file:")


def sandbox_for(handler_options: HandlerOptions, recipe: Recipe) -> Sandbox | None:
    """Return the sandbox of the workers: they may write outputs, and the temporary files in which libvips stores large images.

    If links below the destination are followed, the whole file system is writable, since links may lead anywhere.
    ``None`` if a step runs user-defined or plugin code, whose needs are unknown.
    """
    steps = [*recipe.steps, *(step for rendition in recipe.renditions for step in rendition.steps)]
    if any(step.runs_foreign_code or not type(step).__module__.startswith("pixmill.") for step in steps):
        return None
    destination = Address.parse(handler_options.destination).local
    writable = [b"/" if handler_options.follow_output_links else os.fsencode(destination.absolute())] if destination else []
    with suppress(FileNotFoundError):  # no folder for temporary files exists, so there will be none
        writable.append(tempfile.gettempdirb())
    return Sandbox(tuple(writable), network=not is_local(handler_options))
