"""What the workers of each kind of job may do: those that write outputs, and those that only look at images."""

import os
from collections.abc import Sequence
from typing import Protocol

from pixmill.batch.worker.options import HandlerOptions
from pixmill.engine.resources.sandbox import Sandbox
from pixmill.imaging.recipe import Recipe
from pixmill.storage.address import Address

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
    """Return the sandbox of workers that write outputs and, with ``--preserve mtime``, set their times.

    If links below the destination are followed, the whole file system is writable, since links may lead anywhere.
    ``None`` if the recipe ``runs_foreign_code``, whose needs are unknown.
    """
    if runs_foreign_code(recipe):
        return None
    destination = Address.parse(handler_options.destination).local
    writable = [b"/" if handler_options.follow_output_links else os.fsencode(destination.absolute())] if destination else []
    return Sandbox(tuple(writable), network=not is_local(handler_options), times=handler_options.keep_mtime)


def confinement_remark(gaps: Sequence[str]) -> tuple[str, ...]:
    """Return a sentence about what the kernel cannot refuse to workers; none if it refuses everything."""
    return (f"this system cannot keep a worker that an image takes over from {'; '.join(gaps)}",) if gaps else ()


def reading_sandbox(options: Endpoints) -> Sandbox:
    """Return the sandbox of workers that write no file."""
    return Sandbox((), network=not is_local(options))


def runs_foreign_code(recipe: Recipe) -> bool:
    """Tell whether a step of ``recipe`` runs code of the user's or of a plugin."""
    steps = [*recipe.steps, *(step for rendition in recipe.renditions for step in rendition.steps)]
    return any(step.runs_foreign_code or not type(step).__module__.startswith("pixmill.") for step in steps)
