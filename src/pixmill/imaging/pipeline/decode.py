"""Decode a file to pixels, no larger than the recipe needs."""

from pixmill.imaging.backends import vector_resize
from pixmill.imaging.backends.vips_load import BITS_PER_VALUE
from pixmill.imaging.codec import DecodeOptions, FailOn
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata import fields
from pixmill.imaging.pipeline.decode_plan import MAX_IN_MEMORY, Chain, DecodePlan
from pixmill.imaging.scaling import scale

MIN_OVERSAMPLE = 2  # decoded pixels per output pixel and side, so that the final resize has enough to interpolate


def decode(source: Input, plan: DecodePlan) -> Image:
    """Return the image of ``source`` in its stored orientation, no larger than ``plan`` needs.

    With one chain of steps, it has the size that the leading resize gives it. With several (renditions without shared steps), a
    single decode serves all of them, at twice the size of the largest.
    """
    fail_on: FailOn = "none" if plan.recipe.allow_truncated else "error" if source.is_checked else "warning"
    options = DecodeOptions(shrink=plan.shrink, frames=plan.frames, fail_on=fail_on)
    image = plan.recipe.reader(plan.header.format).decode(source, plan.header, options=options)
    if len(plan.chains) == 1:
        return _materialised(apply_leading_resize(image, plan.chains[0], plan))
    left = plan.shrink * image.width / plan.header.width
    return image.evolve(pixels=_shrunk(image, int(left / MIN_OVERSAMPLE)).pixels.copy_memory())


def _materialised(image: Image) -> Image:
    """Return ``image`` computed in memory, so that errors in the source surface now; a very large one stays lazy and streams."""
    pixels = image.pixels
    size = pixels.width * pixels.height * pixels.bands * BITS_PER_VALUE[pixels.format] // 8
    return image.evolve(pixels=pixels.copy_memory()) if size <= MAX_IN_MEMORY else image


def apply_leading_resize(image: Image, chain: Chain, plan: DecodePlan) -> Image:
    """Return ``image``, in its stored orientation, scaled by the leading resize of ``chain`` if there is one."""
    if chain.leading is None or (image.width, image.height) == chain.size:
        return image
    kernel = chain.leading.kernel
    if plan.recipe.engine == "auto" and vector_resize.supports(image, chain.size, kernel=kernel, limit=MAX_IN_MEMORY):
        resized = vector_resize.resized(image, chain.size, kernel=kernel)
        return resized.evolve(pixels=fields.attach(resized.pixels, fields.profile(image.pixels)))
    return scale(image, chain.size, kernel=kernel)


def _shrunk(image: Image, factor: int) -> Image:
    """Return ``image`` reduced by about ``factor``: to whole pixels of the whole image.

    Averaging squares of pixels would cut off a rest at two edges, and so shift the image by up to 0.25 pixels of the largest
    rendition. It is no faster.
    """
    if factor < MIN_OVERSAMPLE:
        return image
    return scale(image, (max(1, round(image.width / factor)), max(1, round(image.height / factor))))
