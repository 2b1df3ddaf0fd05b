"""What a worker process makes for a report: small pictures of an image before and after, and how alike the two look.

It runs on the same pool as a run. A file that crashes a decoder costs its own picture, not the report.
"""

import os
import time

import msgspec

from pixmill.batch.report.data.statistics import ImageSummary
from pixmill.batch.report.previews.messages import PROCESSOR_TIME, Preview, PreviewOptions, PreviewRequest
from pixmill.core.errors import PixmillError
from pixmill.engine.handler import Stages
from pixmill.imaging.codecs.png import Png
from pixmill.imaging.codecs.webp import Webp
from pixmill.imaging.input import Input
from pixmill.imaging.operations.resize import Resize
from pixmill.imaging.process import configure, process
from pixmill.imaging.recipe import Recipe, Rendition
from pixmill.storage.open import open_storage

SIDE = 400  # pixels of the longer side of a small picture
QUALITY = 72
SMALL = Recipe(
    steps=(Resize(width=SIDE, height=SIDE),), renditions=(Rendition(encode=Webp(quality=QUALITY, effort="fast")),), metadata="strip"
)


class PreviewHandler:
    """Reads both ends of an image and makes its picture."""

    def __init__(self, options: PreviewOptions) -> None:
        """Open both places, once for the worker's life."""
        self._source = open_storage(options.source, follow_symlinks=options.follow_symlinks)
        self._destination = open_storage(options.destination)
        self._recipe = Recipe.from_builtins(options.recipe)
        self._max_bytes = options.max_bytes

    def __call__(self, payload: bytes, stages: Stages) -> bytes:
        """Do one errand."""
        began = time.process_time()
        try:
            return self._do(msgspec.msgpack.decode(payload, type=PreviewRequest), stages)
        finally:
            stages.count(PROCESSOR_TIME, int((time.process_time() - began) * 1e6))

    def _do(self, errand: PreviewRequest, stages: Stages) -> bytes:
        picture = errand.picture
        stages.enter("read")
        before = self._source.read(picture.key, limit=self._max_bytes)
        after = self._destination.read(picture.output, limit=self._max_bytes)
        stages.enter("show")
        small = [_small(data) if errand.show else b"" for data in (before, after)]
        stages.enter("compare")
        similarity = self._similarity(picture, before, after) if errand.compare else None
        return msgspec.msgpack.encode(Preview(picture, small[0], small[1], similarity))

    def _similarity(self, picture: ImageSummary, before: bytes, after: bytes) -> float | None:
        from pixmill.imaging.similarity import luma, ssim  # noqa: PLC0415  # numpy, which only this needs

        wanted = [
            each for each in self._recipe.renditions if (each.name, each.encode.format.name) == (picture.rendition, picture.format)
        ]
        renditions = tuple(each.evolve(encode=Png(compression=0)) for each in wanted[:1] or self._recipe.renditions[:1])
        try:
            unspoilt = process(Input(before), self._recipe.evolve(renditions=renditions, never_bigger=False)).outputs[0].data
            return ssim(luma(unspoilt), luma(after))
        except (PixmillError, ValueError):
            return None


def picture_handler(options: bytes) -> PreviewHandler:
    """Build the handler from packed ``PictureOptions``: what a ``HandlerRef`` names."""
    configure()
    asked = msgspec.msgpack.decode(options, type=PreviewOptions)
    os.nice(asked.nice)
    return PreviewHandler(asked)


def _small(data: bytes) -> bytes:
    return process(Input(data), SMALL).outputs[0].data
