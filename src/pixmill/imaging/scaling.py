"""``Scaling``: a step that begins by making the picture smaller or larger, and how that is done well."""

from collections.abc import Callable
from typing import Annotated, ClassVar, Literal

import pyvips
from msgspec import Meta

from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation
from pixmill.imaging.pixels import premultiplied

Kernel = Annotated[
    Literal["nearest", "linear", "cubic", "mitchell", "lanczos2", "lanczos3"],
    Meta(description="how pixels are weighed; nearest keeps the hard edges of pixel art"),
]


class Scaling(Operation, frozen=True, kw_only=True):
    """A step in two halves: it scales the picture to ``target``, then does the rest in ``finish``.

    As the first step of a recipe its first half is done on the decoder's own picture (shrunk on load, not yet upright, in its
    own colours), because every other thing is cheaper on the smaller one.
    """

    rescales: ClassVar = True
    sets_size: ClassVar = True

    kernel: Kernel = "lanczos3"
    linear: Annotated[bool, Meta(description="weigh pixels in linear light, as lenses do")] = False

    def target(self, size: Size) -> Size:
        """Return the size to which a picture of ``size`` is scaled."""
        raise NotImplementedError

    def finish(self, image: Image) -> Image:
        """Return what becomes of the scaled picture: cut, padded, or as it is."""
        return image

    def size_after(self, size: Size) -> Size | None:
        """Return the size to which a picture of ``size`` is scaled."""
        return self.target(size)

    def apply(self, image: Image) -> Image:
        """Return the picture scaled and finished."""
        return self.finish(scale(image, self.target((image.width, image.height)), kernel=self.kernel, linear=self.linear))


def scale(image: Image, size: Size, *, kernel: str = "lanczos3", linear: bool = False) -> Image:
    """Return ``image`` with frames of exactly ``size``, colours weighted by their opacity; unchanged when it has that size."""
    if (image.width, image.height) == size:
        return image

    def resized(pixels: pyvips.Image) -> pyvips.Image:
        return pixels.resize(size[0] / pixels.width, vscale=size[1] / pixels.height, kernel=kernel)

    if linear:
        return image.map(lambda pixels: _in_linear_light(pixels, resized))
    return image.map(lambda pixels: premultiplied(pixels, resized))


def _in_linear_light(pixels: pyvips.Image, resized: Callable[[pyvips.Image], pyvips.Image]) -> pyvips.Image:
    light = pixels.colourspace("scrgb")
    light = resized(light.premultiply()).unpremultiply() if pixels.hasalpha() else resized(light)
    return light.colourspace(pixels.interpretation)
