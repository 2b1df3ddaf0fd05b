"""``Scaling``: a step that begins by scaling the image, and the scaling itself."""

from collections.abc import Callable
from typing import Annotated, ClassVar, Literal

import pyvips
from msgspec import Meta

from pixmill.imaging.enlarging import enlarge
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation
from pixmill.imaging.pixels import premultiplied

Kernel = Annotated[
    Literal["nearest", "linear", "cubic", "mitchell", "lanczos2", "lanczos3"],
    Meta(description="resampling kernel; nearest keeps the hard edges of pixel art"),
]


class Scaling(Operation, frozen=True, kw_only=True):
    """A step in two phases: it scales the image to ``target``, then completes the work in ``finish``.

    As the first step of a recipe, its first phase runs on the decoder's output (shrunk on load, not yet upright, in the source's
    colour space), because everything else is cheaper on the smaller image.
    """

    rescales: ClassVar = True
    sets_size: ClassVar = True

    kernel: Kernel = "lanczos3"
    linear: Annotated[bool, Meta(description="resample in linear light, as lenses do")] = False

    def target(self, size: Size) -> Size:
        """Return the size to which an image of ``size`` is scaled."""
        raise NotImplementedError

    def finish(self, image: Image) -> Image:
        """Return the scaled image after cropping or padding, or unchanged."""
        return image

    def size_after(self, size: Size) -> Size | None:
        """Return the size to which an image of ``size`` is scaled."""
        return self.target(size)

    def apply(self, image: Image) -> Image:
        """Return the image scaled and finished."""
        return self.finish(scale(image, self.target((image.width, image.height)), kernel=self.kernel, linear=self.linear))


def scale(image: Image, size: Size, *, kernel: str = "lanczos3", linear: bool = False) -> Image:
    """Return ``image`` with frames of exactly ``size``, resampled with premultiplied alpha; unchanged if it has that size."""
    if (image.width, image.height) == size:
        return image

    def resized(pixels: pyvips.Image) -> pyvips.Image:
        if size[0] > pixels.width or size[1] > pixels.height:
            return enlarge(pixels, size, kernel)
        return pixels.resize(size[0] / pixels.width, vscale=size[1] / pixels.height, kernel=kernel)

    if linear:
        return image.map(lambda pixels: _in_linear_light(pixels, resized))
    return image.map(lambda pixels: premultiplied(pixels, resized))


def _in_linear_light(pixels: pyvips.Image, resized: Callable[[pyvips.Image], pyvips.Image]) -> pyvips.Image:
    light = pixels.colourspace("scrgb")
    light = resized(light.premultiply()).unpremultiply() if pixels.hasalpha() else resized(light)
    return light.colourspace(pixels.interpretation)
