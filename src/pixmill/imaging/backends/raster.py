"""Resize eight-bit pixels in memory with the processor's vector instructions: one convolution, from any fractional box.

Source: the Rust crate ``fast_image_resize`` through ``cykooz.resizer``. It reads a Pillow image in place, so pixels of three
channels come with a fourth that is carried along: ``CMYK`` is Pillow's name for four bytes among which none is opacity.
"""

from collections.abc import Mapping
from typing import NamedTuple

import pyvips
from cykooz_resizer import CropBox, FilterType, ResizeAlg, ResizeOptions, Resizer
from PIL import Image as Pillow

from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.image import Image

#: The kernels that mean the same here as they do in libvips.
KERNELS: Mapping[str, FilterType] = {
    "linear": FilterType.bilinear, "cubic": FilterType.catmull_rom,
    "mitchell": FilterType.mitchell, "lanczos3": FilterType.lanczos3,
}  # fmt: skip
GRAY, COLOUR, TRANSPARENT = "L", "CMYK", "RGBA"
TRUE_NAMES = {GRAY: "L", COLOUR: "RGBX"}


class Raster(NamedTuple):
    """Pixels in memory, of which the picture is a box: ``left`` and ``top`` are 0, its sides need not be whole pixels.

    ``pixels`` have the mode ``GRAY``, or ``COLOUR`` for red, green, blue and a byte without meaning, or ``TRANSPARENT`` for red,
    green, blue and opacity, by which colours are weighed.
    """

    pixels: Pillow.Image
    width: float
    height: float

    def resized(self, size: Size, *, kernel: str = "lanczos3") -> "Raster":
        """Return the picture at exactly ``size``; itself when it has that size."""
        if (self.width, self.height) == size:
            return self
        result = Pillow.new(self.pixels.mode, size, None)
        algorithm = ResizeAlg.convolution(KERNELS[kernel])
        box = CropBox(0, 0, self.width, self.height)
        Resizer().resize_pil(self.pixels, result, ResizeOptions(resize_alg=algorithm, crop_box=box))
        return Raster(result, *size)

    def to_image(self) -> Image:
        """Return the pixels under their true names; the picture must be all of them."""
        data, size = self.pixels.tobytes(), self.pixels.size
        if self.pixels.mode == TRANSPARENT:
            return Image(pyvips.Image.new_from_memory(data, *size, 4, "uchar").copy(interpretation="srgb"))
        mode = TRUE_NAMES[self.pixels.mode]
        return Image.from_raster(Pillow.frombuffer(mode, size, data, "raw", mode, 0, 1))
