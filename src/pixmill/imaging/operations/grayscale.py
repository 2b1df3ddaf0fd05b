"""``grayscale``: the picture without its colours."""

from pixmill.imaging.colour.management import to_working_space
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation


class Grayscale(Operation, frozen=True, kw_only=True, tag="grayscale"):
    """Take the colours away and keep the luminance.

    The gray of a pixel is as bright as its colour was to the eye: luminance is computed in linear light. The result has
    one band (and alpha where there was alpha), which makes smaller files than a gray picture in RGB.

    Example: ``--step grayscale``
    """

    def apply(self, image: Image) -> Image:
        """Return the picture in ``b-w`` or ``grey16``; a profile that was kept is honoured and goes, as it is one of colours."""
        image = to_working_space(image, depth="keep").image
        return image.evolve(pixels=image.pixels.colourspace("grey16" if image.pixels.format == "ushort" else "b-w"))
