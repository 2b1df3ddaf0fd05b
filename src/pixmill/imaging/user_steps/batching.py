"""Give a step several images at once, where the process that runs it handles several."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import msgspec

from pixmill.core.humanize import plural
from pixmill.imaging.image import Image
from pixmill.imaging.user_steps.step import Step

Gather = Callable[[Image, Callable[[Sequence[Image]], Sequence[Image]]], Image]

_gather: ContextVar[Gather | None] = ContextVar("gather", default=None)


@contextmanager
def gathering(gather: Gather) -> Iterator[None]:
    """Have steps that this thread runs get their images from ``gather(image, function)``, as ``engine.Stages`` has it."""
    token = _gather.set(gather)
    try:
        yield
    finally:
        _gather.reset(token)


def batched(image: Image, step: Step) -> object:
    """Return what ``step`` makes of ``image``, perhaps together with others."""
    gather, batches = _gather.get(), _Batches(step)
    if gather is not None:
        return gather(image, batches)
    return batches([image])[0]


class _Batches(msgspec.Struct, frozen=True):
    """The method ``batch`` of ``step``, for any number of images. Those of equal steps are equal, since they are one instance."""

    step: Step

    def __call__(self, images: Sequence[Image]) -> list[Image]:
        """Return the transformed images, in order."""
        size, results = self.step.batch_size, list[Image]()
        for first in range(0, len(images), size):
            some = images[first : first + size]
            made = list(self.step.batch(some))
            if len(made) != len(some):
                raise TypeError(f"expected {plural(len(some), 'image')}, received {len(made)}")
            results += made
        return results
