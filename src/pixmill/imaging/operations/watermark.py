"""``watermark``: overlay another image."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated

import pyvips
from msgspec import Meta

from pixmill.core.errors import TransformError
from pixmill.imaging.compositing import CLEAR, layered, overlaid, within_margins
from pixmill.imaging.geometry.gravity import Gravity
from pixmill.imaging.geometry.sizes import Distance, Size, target
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation
from pixmill.imaging.pixels import premultiplied

Fraction = Annotated[float, Meta(gt=0, le=1)]


class Watermark(Operation, frozen=True, kw_only=True, tag="watermark"):
    """Overlay another image: a logo in a corner, or a repeated pattern.

    Use it after the resize, so that the watermark is not scaled with the image. With ``scale``, the watermark is that fraction of
    the image's size and keeps its aspect ratio; without, it keeps its original size and is reduced only if it does not fit. Its
    transparency is preserved. PNG works best.

    Example: ``--step watermark:image=logo.png,position=south-east,margin=16,opacity=0.6``
    """

    wants_final_scale = True

    image: Annotated[str, Meta(min_length=1, description="path of the watermark, a local image file", extra={"value": "FILE"})]
    position: Annotated[Gravity, Meta(description="position of the watermark in the image")] = Gravity("south-east")
    margin: Annotated[Distance, Meta(description="pixels between the watermark and the edges, or between tiles")] = 0
    opacity: Annotated[float, Meta(ge=0, le=1, description="0 is invisible, 1 keeps the opacity of the watermark")] = 1.0
    scale: Annotated[Fraction | None, Meta(description="size of the watermark, as a fraction of the image's size")] = None
    tile: Annotated[bool, Meta(description="repeat the watermark across the whole image")] = False

    @property
    def files(self) -> tuple[str, ...]:
        """Return the watermark's file: a changed watermark changes the recipe."""
        return (self.image,)

    def apply(self, image: Image) -> Image:
        """Return each frame with the watermark on it. Opaque images stay opaque; gray ones become RGB for a coloured mark."""
        size = (image.width, image.height)
        mark = self._fitted(_mark(self.image), size)
        if self.tile:
            return layered(image, self._tiles(mark, size))
        return overlaid(image, mark, position=self.position, margin=self.margin)

    def _fitted(self, mark: pyvips.Image, canvas: Size) -> pyvips.Image:
        """Return ``mark`` at its final size for an image of size ``canvas``, and with its final opacity."""
        size = (mark.width, mark.height)
        if self.scale is not None:
            mark_size = target(size, max(1, round(canvas[0] * self.scale)), max(1, round(canvas[1] * self.scale)), enlarge=True)
        else:
            mark_size = target(size, *within_margins(canvas, self.margin))
        if mark_size != size:
            mark = premultiplied(mark, lambda pixels: pixels.resize(mark_size[0] / size[0], vscale=mark_size[1] / size[1]))
        if self.opacity == 1:
            return mark
        colour, alpha = mark.extract_band(0, n=mark.bands - 1), mark.extract_band(mark.bands - 1)
        return colour.bandjoin((alpha * self.opacity).rint().cast("uchar"))

    def _tiles(self, mark: pyvips.Image, canvas: Size) -> pyvips.Image:
        """Return a transparent layer of size ``canvas`` covered with the mark."""
        spaced = mark.embed(0, 0, mark.width + self.margin, mark.height + self.margin, background=CLEAR[: mark.bands])
        across, down = -(-canvas[0] // spaced.width), -(-canvas[1] // spaced.height)
        return spaced.replicate(across, down).crop(0, 0, *canvas)


def _mark(path: str) -> pyvips.Image:
    """Return the pixels of the watermark: upright, 8 bits, sRGB or gray, with alpha."""
    try:
        state = Path(path).stat()
        return _decoded(path, state.st_mtime_ns, state.st_size)
    except (OSError, pyvips.Error) as error:
        raise TransformError(f"watermark: cannot read {path}", hint=str(error).strip()) from error


@lru_cache(maxsize=8)
def _decoded(path: str, modified: int, size: int) -> pyvips.Image:  # noqa: ARG001  # part of the cache key, so that a changed file is decoded again
    """Decode the watermark once per process instead of once per image."""
    # From bytes, because libvips caches opened files by name even if they have changed.
    pixels = pyvips.Image.new_from_buffer(Path(path).read_bytes(), "").autorot()
    if pixels.get_typeof("icc-profile-data"):
        pixels = pixels.icc_transform("srgb", embedded=True)
    space = "b-w" if pixels.interpretation in ("b-w", "grey16") else "srgb"
    pixels = pixels.colourspace(space).cast("uchar")
    return (pixels if pixels.hasalpha() else pixels.addalpha()).copy_memory()
