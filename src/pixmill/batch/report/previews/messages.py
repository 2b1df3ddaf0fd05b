"""What the coordinator asks of a worker for the pictures of a report, and what it gets."""

from typing import Any

import msgspec

from pixmill.batch.report.data.statistics import ImageSummary

PROCESSOR_TIME = "processor_us"  # the measure of an errand: microseconds of processor time


class PreviewOptions(msgspec.Struct, frozen=True):
    """What all pictures have in common. ``source`` and ``destination`` are URLs, ``recipe`` is plain data.

    ``nice``: by how much the worker lets others go first.
    """

    source: str
    destination: str
    recipe: dict[str, Any]
    max_bytes: int
    follow_symlinks: bool
    nice: int = 0


class PreviewRequest(msgspec.Struct, frozen=True, array_like=True):
    """What to make: small pictures of ``picture``, or with ``compare`` its similarity, or both."""

    picture: ImageSummary
    show: bool
    compare: bool


class Preview(msgspec.Struct, frozen=True, array_like=True):
    """Small WebP files of an image before and after, and their similarity: ``None`` where it is not known.

    ``similarity`` compares the output with what the recipe makes before it is encoded with loss: size and crop play no part.
    """

    picture: ImageSummary
    before: bytes
    after: bytes
    similarity: float | None
