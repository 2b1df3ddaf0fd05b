"""Apply the leading resize of a chain of steps to the decoded image."""

from pixmill.imaging.backends import vector_resize
from pixmill.imaging.image import Image
from pixmill.imaging.metadata import fields
from pixmill.imaging.pipeline.decode_plan import MAX_IN_MEMORY, Chain, DecodePlan
from pixmill.imaging.scaling import scale

MIN_OVERSAMPLE = 2  # decoded pixels per output pixel and side, so that the final resize has enough to interpolate


def apply_leading_resize(image: Image, chain: Chain, plan: DecodePlan) -> Image:
    """Return ``image``, in its stored orientation, scaled by the leading resize of ``chain`` if there is one."""
    if chain.leading is None or (image.width, image.height) == chain.size:
        return image
    kernel = chain.leading.kernel
    if plan.recipe.engine == "auto" and vector_resize.supports(image, chain.size, kernel=kernel, limit=MAX_IN_MEMORY):
        resized = vector_resize.resized(image, chain.size, kernel=kernel)
        return resized.evolve(pixels=fields.attach(resized.pixels, fields.profile(image.pixels)))
    return scale(image, chain.size, kernel=kernel)


def shrunk(image: Image, factor: int) -> Image:
    """Return ``image`` reduced by about ``factor``: to whole pixels of the whole image.

    Averaging squares of pixels would cut off a rest at two edges, and so shift the image by up to 0.25 pixels of the largest
    rendition. It is no faster.
    """
    if factor < MIN_OVERSAMPLE:
        return image
    return scale(image, (max(1, round(image.width / factor)), max(1, round(image.height / factor))))
