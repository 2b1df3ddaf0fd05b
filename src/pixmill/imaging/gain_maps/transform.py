"""Move the pixels of a gain map as the steps of a recipe move those of the picture."""

from collections.abc import Sequence
from typing import NamedTuple

import pyvips

from pixmill.imaging.gain_maps.reading import GainMap
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.metadata.orientation import CORRECTIONS
from pixmill.imaging.operation import Operation
from pixmill.imaging.scaling import Scaling

QUALITY = 90


class _Map(NamedTuple):
    """The map, at whatever scale, of a picture of ``size``."""

    image: Image
    size: Size

    def at(self, size: Size) -> Image:
        """Return the map scaled to ``size``."""
        pixels = self.image.pixels
        if (pixels.width, pixels.height) == size:
            return self.image
        scaled = pixels.resize(size[0] / pixels.width, vscale=size[1] / pixels.height, kernel="linear")
        return self.image.evolve(pixels=scaled.copy_memory())


def transformed(gain_map: GainMap, header: Header, steps: Sequence[Operation], size: Size) -> bytes | None:
    """Return the map as a JPEG for a picture of ``size``, made by ``steps`` from one with this ``header``, at the same proportion.

    ``None`` if it does not follow from the size of the picture alone where its pixels go.
    """
    if any(step.placement == "other" for step in steps):
        return None
    pixels = pyvips.Image.jpegload_buffer(gain_map.picture, fail_on="error")
    if pixels.width * pixels.height > header.pixels:  # no map is larger than its picture, whose limits it would pass by
        return None
    pixels = pixels.copy_memory()
    turn, mirror = CORRECTIONS.get(header.orientation, (None, None))
    pixels = pixels if turn is None else pixels.rot(turn)
    pixels = pixels if mirror is None else pixels.flip(mirror)
    moved = _Map(Image(pixels), header.upright)
    scale = pixels.width / header.upright[0]
    for step in steps:
        moved = _after(moved, step) if step.placement == "by-size" else moved
    if moved.size != size:
        return None
    sides = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    data: bytes = moved.at(sides).pixels.jpegsave_buffer(Q=QUALITY, keep="none", subsample_mode="off", optimize_coding=True)
    return data


def _after(moved: _Map, step: Operation) -> _Map:
    if isinstance(step, Scaling):
        image = step.finish(moved.at(step.target(moved.size)))
    elif step.sets_size:  # its parameters are in pixels of the picture
        image = step.apply(moved.at(moved.size))
    else:
        turned = step.size_after(moved.size)
        return moved if turned is None else _Map(step.apply(moved.image), turned)
    return _Map(image, (image.width, image.height))
