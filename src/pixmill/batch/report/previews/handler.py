"""The handler of preview workers: it makes small versions of an image before and after, and measures their similarity.

It runs on the same kind of pool as a run. A file that crashes a decoder costs only its own preview, not the report.
"""

import os
import time

import msgspec

from pixmill.batch.report.data.statistics import ImageSummary
from pixmill.batch.report.previews.messages import CPU_TIME, Preview, PreviewOptions, PreviewRequest
from pixmill.core.errors import PixmillError, ReadError
from pixmill.engine.handler import Stages
from pixmill.imaging.codecs.png import Png
from pixmill.imaging.codecs.webp import Webp
from pixmill.imaging.input import Input
from pixmill.imaging.operations.resize import Resize
from pixmill.imaging.process import configure, process
from pixmill.imaging.recipe import Recipe, Rendition
from pixmill.storage.open import open_storage

SIDE = 400  # pixels of the longer side of a preview
QUALITY = 72
SMALL = Recipe(
    steps=(Resize(width=SIDE, height=SIDE),), renditions=(Rendition(encode=Webp(quality=QUALITY, effort="fast")),), metadata="strip"
)


class PreviewHandler:
    """Reads the source and the output of an image and makes its preview."""

    def __init__(self, options: PreviewOptions) -> None:
        """Open source and destination, once in the worker's lifetime."""
        self._source = open_storage(options.source, follow_symlinks=options.follow_symlinks)
        self._destination = open_storage(options.destination)
        self._recipe = Recipe.from_builtins(options.recipe)
        self._prefix = options.prefix
        self._max_bytes = options.max_bytes

    def __call__(self, payload: bytes, stages: Stages) -> bytes:
        """Handle one request."""
        began = time.process_time()
        try:
            return self._handle(msgspec.msgpack.decode(payload, type=PreviewRequest), stages)
        finally:
            stages.count(CPU_TIME, int((time.process_time() - began) * 1e6))

    def _handle(self, request: PreviewRequest, stages: Stages) -> bytes:
        image = request.image
        stages.enter("read")
        if not image.key.startswith(self._prefix):
            raise ReadError("it is from another source")
        before = self._source.read(image.key.removeprefix(self._prefix), limit=self._max_bytes)
        after = self._destination.read(image.output, limit=self._max_bytes)
        stages.enter("show")
        small = [_small(data) if request.show else b"" for data in (before, after)]
        stages.enter("compare")
        similarity = self._similarity(image, before, after) if request.compare else None
        return msgspec.msgpack.encode(Preview(image, small[0], small[1], similarity))

    def _similarity(self, image: ImageSummary, before: bytes, after: bytes) -> float | None:
        from pixmill.imaging.similarity import luma, ssim  # noqa: PLC0415  # imports numpy, which only this needs

        matching = [
            each for each in self._recipe.renditions if (each.name, each.encode.format.name) == (image.rendition, image.format)
        ]
        renditions = tuple(each.evolve(encode=Png(compression=0)) for each in matching[:1] or self._recipe.renditions[:1])
        try:
            lossless = process(Input(before), self._recipe.evolve(renditions=renditions, never_bigger=False)).outputs[0].data
            return ssim(luma(lossless), luma(after))
        except (PixmillError, ValueError):
            return None


def preview_handler(options: bytes) -> PreviewHandler:
    """Build the handler from packed ``PreviewOptions``; a ``HandlerRef`` refers to this function."""
    configure()
    preview_options = msgspec.msgpack.decode(options, type=PreviewOptions)
    os.nice(preview_options.nice)
    return PreviewHandler(preview_options)


def _small(data: bytes) -> bytes:
    return process(Input(data), SMALL).outputs[0].data
