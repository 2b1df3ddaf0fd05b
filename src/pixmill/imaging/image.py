"""``Image``: the pixels that pass through a recipe."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

import msgspec
import pyvips

from pixmill.imaging.depth import in_bytes

if TYPE_CHECKING:
    import numpy as np
    import PIL.Image

    Raster = PIL.Image.Image
else:
    Raster = Any  # importing Pillow takes longer than processing a small image, and ``help`` evaluates the annotations of fields


class Image(msgspec.Struct, frozen=True):
    """A still image or an animation, immutable and usually lazy: libvips computes pixels when they are written.

    ``pixels``: a ``pyvips.Image`` of ``width`` x (``frames`` x ``height``) pixels: the frames of an animation are stacked
    vertically. The interpretation is ``srgb``, ``b-w``, ``rgb16`` or ``grey16`` (or ``cmyk``, ``lab`` before colour management);
    there are 1 to 4 bands, and the last of 2 or 4 is alpha, not premultiplied. ``delays``: milliseconds per frame, empty for a
    still. ``loop``: repetitions of an animation, 0 for endless. ``raster``: a Pillow image of mode ``L`` or ``RGBX``, present if
    the image is an opaque 8-bit still in sRGB or gray that is in memory and has no metadata. It is converted to libvips only when
    something needs ``pixels``, because the conversion takes longer than processing a small image. ``notes``: stable codes for
    what was ignored or assumed while it was decoded. ``columns``: what steps have found, for indexes and datasets.
    """

    _pixels: pyvips.Image | None
    frames: int = 1
    delays: tuple[int, ...] = ()
    loop: int = 0
    raster: Raster | None = None
    notes: tuple[str, ...] = ()
    columns: Mapping[str, Any] = {}  # a default of a frozen struct

    @property
    def pixels(self) -> pyvips.Image:
        """Return the pixels as a libvips image."""
        if self._pixels is None and self.raster is not None:
            msgspec.structs.force_setattr(self, "_pixels", _to_vips(self.raster))
        return self._pixels

    @property
    def has_raster(self) -> bool:
        """Return whether there is a ``raster``; if so, the image has no alpha, metadata or further frames."""
        return self.raster is not None

    @property
    def width(self) -> int:
        """Return the width in pixels."""
        return self.raster.width if self.raster else int(self.pixels.width)

    @property
    def height(self) -> int:
        """Return the height of one frame in pixels."""
        return self.raster.height if self.raster else int(self.pixels.height) // self.frames

    @property
    def has_alpha(self) -> bool:
        """Return whether the last band is alpha."""
        return not self.has_raster and bool(self.pixels.hasalpha())

    @property
    def max_value(self) -> int:
        """Return the value of white and of full opacity: 255, or 65535 for 16 bits."""
        return 65535 if self.pixels.format == "ushort" else 255

    def evolve(self, **changes: Any) -> Self:  # noqa: ANN401  # the fields' own types
        """Return a copy with some fields changed. New ``pixels`` discard the raster."""
        if "pixels" in changes:
            changes = {"_pixels": changes.pop("pixels"), "raster": None, **changes}
        return msgspec.structs.replace(self, **changes)

    def with_columns(self, **columns: Any) -> Self:  # noqa: ANN401  # text, numbers, and lists and tables of them
        """Return the image with further ``columns``, such as ``caption="a cat"``, which indexes and datasets then have.

        Values are text, numbers, booleans, lists and tables with text as keys; arrays of NumPy become lists.
        """
        return msgspec.structs.replace(self, columns={**self.columns, **columns})

    def map(self, transform: Callable[[pyvips.Image], pyvips.Image]) -> Self:
        """Return the image with ``transform`` applied to each frame separately, as needed near edges of frames."""
        if self.frames == 1:
            return self.evolve(pixels=transform(self.pixels))
        in_memory = self.evolve(
            pixels=self.pixels.copy_memory()
        )  # arrayjoin reads rows out of order, which a sequential source cannot
        frames = [transform(in_memory.frame(index)) for index in range(self.frames)]
        return self.evolve(pixels=pyvips.Image.arrayjoin(frames, across=1))

    def map_colour(self, transform: Callable[[pyvips.Image], pyvips.Image]) -> Self:
        """Return the image with ``transform`` applied to its colour bands; alpha is unchanged."""
        if not self.has_alpha:
            return self.evolve(pixels=transform(self.pixels))
        bands = self.pixels.bands
        colour, alpha = self.pixels.extract_band(0, n=bands - 1), self.pixels.extract_band(bands - 1)
        return self.evolve(pixels=transform(colour).bandjoin(alpha))

    def frame(self, index: int) -> pyvips.Image:
        """Return one frame's pixels."""
        return self.pixels.crop(0, index * self.height, self.width, self.height)

    def to_numpy(self) -> "np.ndarray[Any, Any]":
        """Return the pixels as an array (frames x height, width, bands), ``uint8`` or ``uint16``."""
        array: np.ndarray[Any, Any] = self.pixels.numpy()
        return array.reshape(self.pixels.height, self.pixels.width, self.pixels.bands)

    def to_pil(self) -> "PIL.Image.Image":
        """Return the image (the first frame of an animation) as an 8-bit Pillow image: ``L``, ``LA``, ``RGB`` or ``RGBA``."""
        from PIL import Image as Pillow  # noqa: PLC0415  # most images never become a Pillow image

        pixels = self.frame(0)
        if pixels.format != "uchar":
            pixels = in_bytes(pixels)
        mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[pixels.bands]
        return Pillow.frombytes(mode, (pixels.width, pixels.height), pixels.write_to_memory())

    @classmethod
    def from_raster(cls, raster: "PIL.Image.Image") -> Self:
        """Return a still made from a Pillow image of mode ``L`` or ``RGBX``, which must not be modified afterwards."""
        return cls(None, raster=raster)

    @classmethod
    def from_numpy(cls, array: "np.ndarray[Any, Any]") -> Self:
        """Return a still made from an array (height, width) or (height, width, bands) of ``uint8`` or ``uint16``."""
        pixels = pyvips.Image.new_from_array(array)
        deep = pixels.format == "ushort"
        gray = pixels.bands <= 2  # noqa: PLR2004  # gray and its alpha
        space = ("grey16" if deep else "b-w") if gray else ("rgb16" if deep else "srgb")
        return cls(pixels.copy(interpretation=space))

    @classmethod
    def from_pil(cls, image: "PIL.Image.Image") -> Self:
        """Return a still made from a Pillow image; modes except ``L``, ``LA``, ``RGB``, ``RGBA`` and 16-bit gray are converted."""
        import numpy as np  # noqa: PLC0415  # most images never come from Pillow

        if image.mode.startswith("I;16"):
            return cls.from_numpy(np.asarray(image, dtype=np.uint16))
        if image.mode == "1":
            image = image.convert("L")
        if image.mode not in ("L", "LA", "RGB", "RGBA"):
            image = image.convert("RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB")
        return cls.from_numpy(np.asarray(image))


def _to_vips(raster: "PIL.Image.Image") -> pyvips.Image:
    """Return the pixels of ``raster`` as a libvips image."""
    bands = len(raster.getbands())
    pixels = pyvips.Image.new_from_memory(raster.tobytes(), raster.width, raster.height, bands, "uchar")
    return pixels.copy(interpretation="b-w") if bands == 1 else pixels.extract_band(0, n=3).copy(interpretation="srgb")
