"""Which part of a picture to keep: one held at a place, or the one that the eye would look at."""

from typing import ClassVar

from pixmill.imaging.geometry.gravity import PLACES, Gravity
from pixmill.imaging.geometry.sizes import Rectangle, Size
from pixmill.imaging.image import Image

RGB_BANDS = 3
SMART = ("attention", "entropy")


class CropGravity(Gravity):
    """A place as ``Gravity`` has them, or a search.

    ``attention``: edges, strong colours and tones of skin. ``entropy``: the part with the most detail.
    """

    __slots__ = ()
    choices: ClassVar = (*PLACES, *SMART)
    expected: ClassVar = f"one of {', '.join(choices)}"

    @property
    def is_smart(self) -> bool:
        """Tell whether the picture must be seen to know the part."""
        return self in SMART

    def place(self, outer: Size, inner: Size) -> tuple[int, int]:
        """Return left and top; of the middle where a search has nothing to search."""
        return Gravity("centre").place(outer, inner) if self.is_smart else super().place(outer, inner)


def crop_to(image: Image, part: Size, focus: CropGravity) -> Image:
    """Return the ``part`` of each frame at the ``focus``; it is found in the first frame, so that an animation stays still."""
    size = (image.width, image.height)
    if part == size:
        return image
    if focus.is_smart:
        image = image.evolve(pixels=image.pixels.copy_memory())
        # At eight bits, so that the depth of a picture does not decide what is worth looking at.
        first = image.frame(0).colourspace("srgb" if image.pixels.bands >= RGB_BANDS else "b-w")
        found = first.smartcrop(*part, interesting=str(focus))
        rectangle = Rectangle(-found.xoffset, -found.yoffset, *part)
    else:
        rectangle = Rectangle(*focus.place(size, part), *part)
    return image.map(lambda pixels: pixels.crop(*rectangle))
