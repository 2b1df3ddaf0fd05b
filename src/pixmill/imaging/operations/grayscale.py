"""``grayscale``: convert to gray."""

from pixmill.imaging.colour.management import to_working_space
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation, Placement


class Grayscale(Operation, frozen=True, kw_only=True, tag="grayscale"):
    """Convert the image to gray by luminance.

    Each gray has the perceived brightness of the original colour: luminance is computed in linear light. The result has one band
    (and alpha if the image had alpha), so files are smaller than those of a gray image in RGB.

    Example: ``--step grayscale``
    """

    @property
    def placement(self) -> Placement:
        """Return that every pixel stays where it is."""
        return "kept"

    def apply(self, image: Image) -> Image:
        """Return the image in ``b-w`` or ``grey16``. A colour profile that was kept is applied and removed."""
        image = to_working_space(image, depth="keep").image
        return image.evolve(pixels=image.pixels.colourspace("grey16" if image.pixels.format == "ushort" else "b-w"))
