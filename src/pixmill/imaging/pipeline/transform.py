"""``Intermediate``: an image between decoding and encoding, and the steps applied to it."""

from collections.abc import Sequence
from typing import NamedTuple

from pixmill.imaging.codec import Codec
from pixmill.imaging.colour.icc_read import SPACE
from pixmill.imaging.colour.management import to_srgb, to_working_space
from pixmill.imaging.colour.value import Colour
from pixmill.imaging.compositing import flattened
from pixmill.imaging.depth import WIDE_FORMATS
from pixmill.imaging.image import Image
from pixmill.imaging.metadata.fields import PROFILE, field
from pixmill.imaging.metadata.orientation import CORRECTIONS
from pixmill.imaging.operation import Operation
from pixmill.imaging.pipeline.decode import apply_leading_resize
from pixmill.imaging.pipeline.decode_plan import Chain, DecodePlan

BYTE_BITS, HIGH_BITS = 8, 16


class Intermediate(NamedTuple):
    """An image upright and in the working colour space. ``notes`` as in ``Result``."""

    image: Image
    notes: tuple[str, ...] = ()

    def after(self, steps: Sequence[Operation]) -> "Intermediate":
        """Return the image after ``steps``."""
        return self._replace(image=_apply_all(self.image, steps))


def apply_chain(image: Image, chain: Chain, plan: DecodePlan) -> Intermediate:
    """Return the decoded ``image`` upright and colour-managed, after the steps of ``chain``.

    A leading resize scales the image as decoded, which is the least work, and finishes (crops, pads) after colour management.
    """
    image = _upright(apply_leading_resize(image, chain, plan), plan.header.orientation)
    image, notes = to_working_space(image, space=plan.recipe.color, depth=plan.recipe.depth)
    notes = (*image.notes, *notes)
    if plan.recipe.depth == "keep" and plan.header.depth > BYTE_BITS and image.max_value < 2**HIGH_BITS - 1:
        notes = (*notes, "depth-reduced")
    if chain.leading:
        image = chain.leading.finish(image)
    return Intermediate(_apply_all(image, chain.steps[1:] if chain.leading else chain.steps), notes)


def fit_codec(intermediate: Intermediate, codec: Codec, background: Colour) -> Intermediate:
    """Return ``intermediate`` without alpha, and in sRGB with a note, if the file of ``codec`` cannot carry its alpha or profile.

    CMYK stays: only the formats of print have it, and the others refuse it.
    """
    image, notes = intermediate
    if image.has_alpha and not codec.keeps_alpha:
        image = flattened(image, background)
    profile = None if image.has_raster else field(image.pixels, PROFILE)
    if profile is None or image.pixels.interpretation == "cmyk" or profile[SPACE] in codec.profiles:
        return Intermediate(image, notes)
    managed = to_srgb(image, HIGH_BITS if image.pixels.format in WIDE_FORMATS else BYTE_BITS)
    return Intermediate(managed.image, (*notes, *managed.notes, "converted-to-srgb"))


def _apply_all(image: Image, steps: Sequence[Operation]) -> Image:
    for step in steps:
        columns, image = image.columns, step.apply(image)
        if columns:
            image = image.evolve(columns={**columns, **image.columns})
    return image


def _upright(image: Image, orientation: int) -> Image:
    """Return ``image`` rotated upright from ``orientation`` (1 to 8, as in EXIF)."""
    if orientation not in CORRECTIONS:
        return image
    turn, mirror = CORRECTIONS[orientation]
    upright = image.evolve(pixels=image.pixels.copy_memory())
    if turn is not None:
        upright = upright.map(lambda pixels: pixels.rot(turn))
    return upright if mirror is None else upright.map(lambda pixels: pixels.flip(mirror))
