"""Choose the part of an image to keep: at a fixed position, or the part that attracts attention."""

from typing import ClassVar

from pixmill.imaging.geometry.gravity import POSITIONS, Gravity
from pixmill.imaging.geometry.sizes import Rectangle, Size
from pixmill.imaging.image import Image

RGB_BANDS = 3
SMART = ("attention", "entropy")


class CropGravity(Gravity):
    """A position as in ``Gravity``, or a smart crop.

    ``attention`` looks for edges, strong colours and skin tones; ``entropy`` for the part with the most detail.
    """

    __slots__ = ()
    choices: ClassVar = (*POSITIONS, *SMART)
    expected: ClassVar = f"one of {', '.join(choices)}"

    @property
    def is_smart(self) -> bool:
        """Return whether the part depends on the pixels."""
        return self in SMART

    def offset(self, outer: Size, inner: Size) -> tuple[int, int]:
        """Return left and top; those of the centre for a smart crop."""
        return Gravity("centre").offset(outer, inner) if self.is_smart else super().offset(outer, inner)


def crop_to(image: Image, part: Size, gravity: CropGravity) -> Image:
    """Return each frame cropped to the size ``part``. A smart crop uses the first frame only, so an animation stays still."""
    size = (image.width, image.height)
    if part == size:
        return image
    if gravity.is_smart:
        image = image.evolve(pixels=image.pixels.copy_memory())
        # At eight bits, so that the result does not depend on the depth of the image.
        first = image.frame(0).colourspace("srgb" if image.pixels.bands >= RGB_BANDS else "b-w")
        cropped = first.smartcrop(*part, interesting=str(gravity))
        rectangle = Rectangle(-cropped.xoffset, -cropped.yoffset, *part)
    else:
        rectangle = Rectangle(*gravity.offset(size, part), *part)
    return image.map(lambda pixels: pixels.crop(*rectangle))
