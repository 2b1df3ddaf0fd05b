"""The handler of preview workers: it makes pictures of an image before and after, and measures their similarity.

It runs on the same kind of pool as a run. A file that crashes a decoder costs only its own preview, not the report.
"""

import math
import os
import time
from collections.abc import Sequence

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

QUALITY = 75
MAX_PICTURE_BYTES = 220_000  # a picture with more bytes is made smaller, so that a page shows several
MARGIN = 0.9  # of the side that the number of bytes suggests: small pictures have more bytes for each pixel


class PreviewHandler:
    """Reads the source and the output of an image and makes its preview."""

    def __init__(self, options: PreviewOptions) -> None:
        """Open source and destination, once in the worker's lifetime."""
        self._source = open_storage(options.source, follow_symlinks=options.follow_symlinks)
        self._destination = open_storage(options.destination)
        self._recipe = Recipe.from_builtins(options.recipe)
        self._prefix = options.prefix
        self._max_bytes = options.max_bytes
        self._side = options.side

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
        pictures = _pictures([before, after], min(self._side, max(image.width, image.height))) if request.show else [b"", b""]
        stages.enter("compare")
        similarity = self._similarity(image, before, after) if request.compare else None
        return msgspec.msgpack.encode(Preview(image, pictures[0], pictures[1], similarity))

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


def _pictures(images: Sequence[bytes], side: int) -> list[bytes]:
    """Return pictures of ``images`` whose longer sides have ``side`` pixels, or fewer if one would have too many bytes."""
    pictures = [_picture(data, side) for data in images]
    largest = max(map(len, pictures))
    if largest > MAX_PICTURE_BYTES:
        side = max(1, int(side * MARGIN * math.sqrt(MAX_PICTURE_BYTES / largest)))
        pictures = [_picture(data, side) for data in images]
    return pictures


def _picture(data: bytes, side: int) -> bytes:
    encoder = Webp(quality=QUALITY, effort="fast")
    recipe = Recipe(steps=(Resize(width=side, height=side),), renditions=(Rendition(encode=encoder),), metadata="strip")
    return process(Input(data), recipe).outputs[0].data
