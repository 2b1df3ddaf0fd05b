"""From a file to pixels: what it is, whether it may be read, and only then its picture, as small as will do."""

import re

import pyvips
from msgspec import structs

from pixmill.imaging.backends.vips_load import BITS
from pixmill.imaging.codec import DecodeOptions
from pixmill.imaging.formats import codec_for
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.pipeline.identify import wanted_frames
from pixmill.imaging.pipeline.shrink_on_load import (
    MAX_IN_MEMORY,
    MIN_OVERSAMPLE,
    apply_leading_resize,
    box_shrunk,
    shrink_factor,
    step_chains,
)
from pixmill.imaging.recipe import Recipe

# Warnings that say nothing about the pixels: cameras pad the end, Photoshop's marker is of two minds, and libtiff calls private
# tags an error without a word about them.
HARMLESS = re.compile(r"extraneous bytes before marker 0xd9|Unknown Adobe color transform|\A\s*(?:tiffload: load error)?\s*\Z")


def decode(source: Input, header: Header, recipe: Recipe) -> Image:
    """Return the picture of ``source``, still as it is stored, but no larger than ``recipe`` needs it.

    One row of steps: it has the size that their first resize gives it. Several (renditions with steps of their own): one
    decode serves all, at twice the size of the largest.
    """
    ways = step_chains(recipe)
    shrink = min(shrink_factor(steps, header) for steps in ways)
    options = DecodeOptions(
        shrink=shrink, frames=wanted_frames(header, recipe), fail_on="none" if recipe.allow_truncated else "warning"
    )

    def decoded(options: DecodeOptions) -> Image:
        image = codec_for(header.format).decode(source, header, options=options)
        if len(ways) == 1:
            return _materialised(apply_leading_resize(image, ways[0], header, recipe))
        left = shrink * image.width / header.width
        return image.evolve(pixels=box_shrunk(image, int(left / MIN_OVERSAMPLE)).pixels.copy_memory())

    try:
        return decoded(options)
    except pyvips.Error as error:
        if options.fail_on == "none" or not HARMLESS.search(error.detail):
            raise
        return decoded(structs.replace(options, fail_on="error"))


def _materialised(image: Image) -> Image:
    """Return ``image`` computed, so that what is wrong with the source shows now; a very large one stays lazy, and streams."""
    pixels = image.pixels
    size = pixels.width * pixels.height * pixels.bands * BITS[pixels.format] // 8
    return image.evolve(pixels=pixels.copy_memory()) if size <= MAX_IN_MEMORY else image
