"""``Step``: the base of a user's own step that loads something once in each worker, such as a model."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from pixmill.imaging.image import Image


class Step(msgspec.Struct, dict=True, forbid_unknown_fields=True):
    """A step with settings of its own, which loads what it needs once in each worker. Use it as ``python:function=FILE:NAME``.

    Annotated attributes are settings: they are checked before a run, and ``--step python:function=steps.py:Upscale,scale=4`` sets
    them. ``open`` may store anything else in the instance. The other attributes of a class describe it to pixmill.
    """

    #: Changes when results change for another reason than the code in the file, such as another model: outputs are made again.
    version: ClassVar[str] = ""
    #: Memory that each worker holds from ``open`` on, such as ``800MB``. Fewer workers start if there is not enough for all.
    memory: ClassVar[str | None] = None
    #: How long ``open`` may take. The time counts for no image.
    open_timeout: ClassVar[str] = "10m"
    #: What it needs besides computing and reading files: ``network``, and folders in which it writes. With ``()`` its workers are
    #: confined like those of pixmill's own steps; ``None`` confines nothing.
    needs: ClassVar[tuple[str, ...] | None] = None
    #: GPUs of each worker on a cluster: ``1``, or ``0.25`` for four workers that share one. Nodes without them are left out.
    num_gpus: ClassVar[float] = 0
    #: Other resources of each worker on a cluster, by the names that the nodes give them (``ray start --resources``).
    resources: ClassVar[Mapping[str, float]] = {}
    #: How many images ``batch`` takes at once, at most 32.
    batch_size: ClassVar[int] = 1

    def open(self) -> None:
        """Load what the step needs. Called once in each worker, before its first image; an error ends the run."""

    def __call__(self, image: Image) -> Image:
        """Return the transformed image. An exception fails that image; ``pixmill.Skip`` rejects it."""
        raise NotImplementedError

    def batch(self, images: Sequence[Image]) -> Sequence[Image]:
        """Return the transformed images, in order: up to ``batch_size`` of them. By default, ``__call__`` gets one after the other.

        If it raises an exception, or the worker dies, each image is tried alone, so that only the one at fault fails.
        """
        return [self(image) for image in images]

    def close(self) -> None:
        """Release what ``open`` has loaded. Called when a worker ends in good order, which a worker that is killed does not."""
