"""The messages between the coordinator and the workers that make previews."""

from typing import Any

import msgspec

from pixmill.batch.report.data.statistics import ImageSummary

CPU_TIME = "processor_us"  # measure of a request: microseconds of processor time


class PreviewOptions(msgspec.Struct, frozen=True):
    """The options of all previews. ``source`` and ``destination`` are URLs, ``recipe`` is plain data.

    ``side`` is the longer side of the pictures, in pixels, if the output is not smaller.
    ``prefix`` precedes the paths of this source in the keys of images; those of other sources get no preview. ``nice`` is added to
    the niceness of the worker.
    """

    source: str
    destination: str
    recipe: dict[str, Any]
    max_bytes: int
    side: int
    follow_symlinks: bool
    prefix: bytes = b""
    nice: int = 0


class PreviewRequest(msgspec.Struct, frozen=True, array_like=True):
    """A request for a preview of ``image`` (``show``), its similarity (``compare``), or both."""

    image: ImageSummary
    show: bool
    compare: bool


class Preview(msgspec.Struct, frozen=True, array_like=True):
    """WebP files of an image before and after, in one size, and their similarity, ``None`` if it is unknown.

    ``similarity`` compares the output with the result of the recipe before lossy encoding, so size and crop do not affect it.
    """

    image: ImageSummary
    before: bytes
    after: bytes
    similarity: float | None
