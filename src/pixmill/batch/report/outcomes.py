"""The outcome of one image, in plain words: for programs that follow a run."""

import os
from typing import Literal

import msgspec

from pixmill.batch.config.hints import arguments_of, with_arguments
from pixmill.batch.config.models import RunConfig
from pixmill.batch.item import OutputRecord, unpack
from pixmill.engine.task import Done, Failed, Outcome


class OutputFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was written: ``path`` below the destination, ``width`` and ``height`` in pixels, ``size`` in bytes."""

    path: str
    width: int
    height: int
    size: int
    format: str
    rendition: str = ""


class ImageOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one image of a run. ``source`` is its path below the source folder, or its URL.

    ``done``: ``outputs`` are its files, ``notes`` codes for content that was dropped or ignored. ``failed``: ``code`` is stable,
    ``message`` is the cause, ``hint`` the remedy, if there is one. ``skipped``: ``code`` is the reason, ``unchanged`` if an earlier
    run has made the outputs. ``seconds`` is the time that it took.
    """

    source: str
    state: Literal["done", "failed", "skipped"]
    outputs: tuple[OutputFile, ...] = ()
    notes: tuple[str, ...] = ()
    code: str = ""
    message: str = ""
    hint: str = ""
    seconds: float = 0.0


def image_outcome(outcome: Outcome, config: RunConfig) -> ImageOutcome:
    """Return ``outcome`` of a run of ``config`` in plain words."""
    source = os.fsdecode(outcome.task.key)
    if isinstance(outcome, Done):
        result = unpack(outcome.result)
        outputs = tuple(map(_output_file, result.outputs))
        return ImageOutcome(source=source, state="done", outputs=outputs, notes=result.notes, seconds=outcome.seconds)
    if isinstance(outcome, Failed):
        failure = outcome.failure
        return ImageOutcome(
            source=source,
            state="failed",
            code=failure.code,
            message=failure.message,
            hint=with_arguments(failure.hint, arguments_of(config)),
            seconds=outcome.seconds,
        )
    return ImageOutcome(source=source, state="skipped", code=outcome.reason)


def _output_file(record: OutputRecord) -> OutputFile:
    return OutputFile(
        path=os.fsdecode(record.name),
        width=record.width,
        height=record.height,
        size=record.size,
        format=record.format,
        rendition=record.rendition,
    )
