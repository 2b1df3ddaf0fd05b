"""``watermark``: another picture laid over this one."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated

import pyvips
from msgspec import Meta

from pixmill.core.errors import TransformError
from pixmill.imaging.geometry.gravity import Gravity
from pixmill.imaging.geometry.sizes import Distance, Size, target
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation
from pixmill.imaging.pixels import premultiplied

CLEAR = [0, 0, 0, 0]
RGB_BANDS = 3
Part = Annotated[float, Meta(gt=0, le=1)]
DEEPER = 257  # from 8 bits to 16: 255 becomes 65535


class Watermark(Operation, frozen=True, kw_only=True, tag="watermark"):
    """Lay a picture over the picture: a logo in a corner, or a pattern all over.

    Use it after the resize, so that the mark comes out in its own size. With ``scale`` it is as large as that part of the
    picture, in its own proportions; without, it keeps its size and is made smaller only where it would not fit. Its
    transparency is honoured. A PNG is best.

    Example: ``--step watermark:image=logo.png,position=south-east,margin=16,opacity=0.6``
    """

    wants_final_scale = True

    image: Annotated[str, Meta(min_length=1, description="path of the mark, a local image file")]
    position: Annotated[Gravity, Meta(description="where in the picture the mark lies")] = Gravity("south-east")
    margin: Annotated[Distance, Meta(description="pixels between the mark and the edges, or between marks when tiled")] = 0
    opacity: Annotated[float, Meta(ge=0, le=1, description="0 is invisible, 1 is as opaque as the mark itself")] = 1.0
    scale: Annotated[Part | None, Meta(description="size of the mark, as a part of the picture's")] = None
    tile: Annotated[bool, Meta(description="repeat the mark all over the picture")] = False

    @property
    def files(self) -> tuple[str, ...]:
        """Return the mark's file: a changed mark is a changed recipe."""
        return (self.image,)

    def apply(self, image: Image) -> Image:
        """Return each frame below the mark; opaque pictures stay opaque, gray ones become RGB for a mark in colour."""
        size = (image.width, image.height)
        layer = self._layer(self._fitted(_mark(self.image), size), size).replicate(1, image.frames)
        below = image.pixels
        if below.bands < RGB_BANDS <= layer.bands:
            below = below.colourspace("rgb16" if image.max_value > DEEPER else "srgb")
        elif layer.bands < RGB_BANDS <= below.bands:
            layer = layer.colourspace("srgb")
        if below.format == "ushort":
            layer = (layer * DEEPER).cast("ushort").copy(interpretation=below.interpretation)
        laid = below.composite2(layer, "over", compositing_space=below.interpretation)
        return image.evolve(pixels=laid if image.has_alpha else laid.extract_band(0, n=laid.bands - 1))

    def _fitted(self, mark: pyvips.Image, room: Size) -> pyvips.Image:
        """Return ``mark`` in the size it is to have in a picture of size ``room``, with its final opacity."""
        size = (mark.width, mark.height)
        if self.scale is not None:
            wanted = target(size, max(1, round(room[0] * self.scale)), max(1, round(room[1] * self.scale)), enlarge=True)
        else:
            wanted = target(size, *self._within_margins(room))
        if wanted != size:
            mark = premultiplied(mark, lambda pixels: pixels.resize(wanted[0] / size[0], vscale=wanted[1] / size[1]))
        if self.opacity == 1:
            return mark
        colour, alpha = mark.extract_band(0, n=mark.bands - 1), mark.extract_band(mark.bands - 1)
        return colour.bandjoin((alpha * self.opacity).rint().cast("uchar"))

    def _layer(self, mark: pyvips.Image, canvas: Size) -> pyvips.Image:
        """Return the mark at its place, or many of them, on a clear layer of the size ``canvas``."""
        clear = CLEAR[: mark.bands]
        if self.tile:
            spaced = mark.embed(0, 0, mark.width + self.margin, mark.height + self.margin, background=clear)
            across, down = -(-canvas[0] // spaced.width), -(-canvas[1] // spaced.height)
            return spaced.replicate(across, down).crop(0, 0, *canvas)
        inner = self._within_margins(canvas)
        left, top = self.position.place(inner, (mark.width, mark.height))
        x, y = left + (canvas[0] - inner[0]) // 2, top + (canvas[1] - inner[1]) // 2
        return mark.embed(x, y, *canvas, extend="background", background=clear)

    def _within_margins(self, canvas: Size) -> Size:
        """Return the size of the part in which the mark lies: at least a pixel, whatever the margin."""
        return max(1, canvas[0] - 2 * self.margin), max(1, canvas[1] - 2 * self.margin)


def _mark(path: str) -> pyvips.Image:
    """Return the pixels of the mark, upright, 8 bits, sRGB or gray, with alpha."""
    try:
        state = Path(path).stat()
        return _decoded(path, state.st_mtime_ns, state.st_size)
    except (OSError, pyvips.Error) as error:
        raise TransformError(f"watermark: cannot read {path}", hint=str(error).strip()) from error


@lru_cache(maxsize=8)
def _decoded(path: str, modified: int, size: int) -> pyvips.Image:  # noqa: ARG001  # a changed file is another one
    """Decode the mark once in a process, not once a picture."""
    # From bytes: libvips remembers by file name what it has opened, changed or not.
    pixels = pyvips.Image.new_from_buffer(Path(path).read_bytes(), "").autorot()
    if pixels.get_typeof("icc-profile-data"):
        pixels = pixels.icc_transform("srgb", embedded=True)
    space = "b-w" if pixels.interpretation in ("b-w", "grey16") else "srgb"
    pixels = pixels.colourspace(space).cast("uchar")
    return (pixels if pixels.hasalpha() else pixels.addalpha()).copy_memory()
