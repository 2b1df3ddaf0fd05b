"""Score how much the files of an image look like it: as a viewer shows them, in sRGB, on two backgrounds if there is alpha."""

from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import numpy as np
import pyvips

from pixmill.imaging.codec import Codec, DecodeOptions
from pixmill.imaging.colour.management import to_working_space
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.ssimulacra2.comparison import MIN_SIDE, Original

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

MAX_FRAMES = 5  # of an animation that are scored, from the first to the last
DARK, LIGHT = 26, 230  # a tenth and nine tenths of white: the backgrounds of the reference implementation


class Appearance:
    """How ``image`` looks, in the form in which it is encoded."""

    def __init__(self, image: Image) -> None:
        """Prepare what all comparisons need."""
        count = min(image.frames, MAX_FRAMES)
        frames = [round(index * (image.frames - 1) / max(1, count - 1)) for index in range(count)]
        starts = _starts(image)
        self._moments = [starts[frame] for frame in frames]
        self._backgrounds = (DARK, LIGHT) if image.has_alpha else (DARK,)
        self._originals = [Original(pixels) for pixels in self._views(image)]

    def score(self, data: bytes, codec: Codec) -> float:
        """Return the score of the file ``data``, which ``codec`` has made: the worst of all frames and backgrounds."""
        source = Input(data)
        header = codec.header(source)
        decoded = codec.decode(source, header, options=DecodeOptions(frames=header.frames))
        return min(original.score(pixels) for original, pixels in zip(self._originals, self._views(decoded), strict=True))

    def _views(self, image: Image) -> Iterator[Pixels]:
        """Yield the pixels (rows, columns, 3) of the frames that are scored, on each background."""
        image = image.evolve(pixels=image.pixels.copy_memory())
        starts = _starts(image)
        for moment in self._moments:
            # An encoder may have made one frame of several that are equal.
            frame = max(index for index, start in enumerate(starts) if start <= moment)
            for background in self._backgrounds:
                yield _as_seen(image.frame(frame), background)


def _starts(image: Image) -> list[int]:
    """Return when each frame begins, in milliseconds."""
    return [0, *accumulate(image.delays)][: image.frames] if len(image.delays) >= image.frames else list(range(image.frames))


def _as_seen(pixels: pyvips.Image, background: int) -> Pixels:
    managed = to_working_space(Image(pixels)).image.pixels
    opaque = managed.flatten(background=background) if managed.hasalpha() else managed
    colours = opaque if opaque.interpretation == "srgb" else opaque.colourspace("srgb")
    factor = -(-MIN_SIDE // min(colours.width, colours.height))
    enlarged = colours.zoom(factor, factor) if factor > 1 else colours
    array: Pixels = enlarged.numpy()
    return array
