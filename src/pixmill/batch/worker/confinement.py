"""What the processes that a hostile image may take over are allowed: workers read, and the writer of a run writes for them."""

import os
from collections.abc import Sequence
from typing import Protocol

import msgspec

from pixmill.batch.worker.options import HandlerOptions
from pixmill.engine.broker import BrokerRef
from pixmill.engine.resources.sandbox import Sandbox
from pixmill.imaging.operation import Operation
from pixmill.imaging.recipe import Recipe
from pixmill.storage.address import Address

NETWORK = "network"  # the need of a step that is no folder
_WRITER = "pixmill.batch.worker.writer:serve_workers"
LOCAL_PREFIXES = ("file:", "tar:", "zip:", "multi://local")  # of addresses on this machine


class Endpoints(Protocol):
    """Options with the addresses between which workers work."""

    @property
    def source(self) -> str:
        """Return the URL that images are read from."""

    @property
    def destination(self) -> str:
        """Return the URL of the outputs."""


def is_local(options: Endpoints) -> bool:
    """Tell whether workers can do without the network."""
    return options.source.startswith(LOCAL_PREFIXES) and options.destination.startswith("file:")


def sandbox_for(handler_options: HandlerOptions, recipe: Recipe) -> Sandbox | None:
    """Return the sandbox of workers that make outputs, with what third-party steps of ``recipe`` declare that they need.

    ``None`` if one of them declares nothing: then its needs are unknown.
    """
    declared = [step.resources.needs for step in recipe.all_steps() if is_foreign(step)]
    needs = {need for needs in declared if needs is not None for need in needs}
    if None in declared:
        return None
    sandbox = reading_sandbox(handler_options)
    folders = tuple(os.fsencode(os.path.abspath(need)) for need in sorted(needs - {NETWORK}))  # noqa: PTH100  # bytes
    return msgspec.structs.replace(sandbox, writable=folders, network=sandbox.network or NETWORK in needs)


def writer_for(handler_options: HandlerOptions) -> BrokerRef | None:
    """Return the process that writes the outputs of confined workers and, with ``--preserve mtime``, sets their times.

    If links below the destination are followed, the whole file system is writable, since links may lead anywhere. ``None`` if
    the destination is no folder: workers connect to a store themselves.
    """
    destination = Address.parse(handler_options.destination).local
    if destination is None:
        return None
    writable = b"/" if handler_options.follow_output_links else os.fsencode(destination.absolute())
    sandbox = Sandbox((writable,), times=handler_options.keep_mtime)
    return BrokerRef(_WRITER, msgspec.msgpack.encode(handler_options), confinement=sandbox)


def confinement_remark(gaps: Sequence[str]) -> tuple[str, ...]:
    """Return a sentence about what the kernel cannot refuse to workers; none if it refuses everything."""
    return (f"this system cannot keep a worker that an image takes over from {'; '.join(gaps)}",) if gaps else ()


def reading_sandbox(options: Endpoints) -> Sandbox:
    """Return the sandbox of workers that write no file."""
    return Sandbox((), network=not is_local(options))


def runs_foreign_code(recipe: Recipe) -> bool:
    """Tell whether a step of ``recipe`` runs code of the user's or of a plugin."""
    return any(map(is_foreign, recipe.all_steps()))


def is_foreign(step: Operation) -> bool:
    """Tell whether ``step`` runs code of the user's or of a plugin."""
    return step.runs_foreign_code or not type(step).__module__.startswith("pixmill.")
