"""Read JPEG: shrink in the DCT, then one convolution from the exact box, both with vector instructions.

The same picture as libvips makes, in less time and as faithful; ``tests/golden/test_turbo.py`` holds the two together. What
this path cannot do exactly is left to libvips, and so is every file with which something is wrong: libvips says what.

Measured on 18 photographs of 3 to 22 megapixels, milliseconds a decode: 30 at 1/8 of the size, 33 at 2/8, 37 at 3/8, 36 at
4/8, 46 in full. Huffman codes are most of it, so that more pixels than needed cost little, and they buy fidelity.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import simplejpeg
from PIL import Image as Pillow

from pixmill.imaging.backends.vector_resize import COLOUR, GRAY, KERNELS, Raster
from pixmill.imaging.backends.vips_load import load
from pixmill.imaging.codecs.jpeg import Jpeg
from pixmill.imaging.colour.icc_read import is_srgb
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata import fields as metadata
from pixmill.imaging.pipeline.shrink_on_load import MAX_IN_MEMORY, leading_resize, step_chains, stored_size
from pixmill.imaging.recipe import Recipe
from pixmill.imaging.scaling import Scaling

FULL = 8
#: Sizes of a decode, in eighths, whose inverse DCT has vector instructions; 3 has them too, and is slower than 4.
EIGHTHS = (1, 2, 4)
#: Pixels a side that a decode must have for one of the result. Measured against a full decode of 174 pictures: 45 dB and more
#: with 2, which is what libvips allows itself; 33 dB with 1.
MIN_OVERSAMPLE = 2.0
#: Half the size may have fewer where there are pixels in plenty, since the finest detail of those is mostly noise: with 1.5 the
#: worst of 16 photographs is 46 dB from a full decode, but a sharp picture of 320x240 32.
SPARE_OF_HALF, PLENTY = 1.5, 6_000_000
#: By bands: how the decoder names the pixels that it writes, how ``Raster`` does, and the bytes of one.
LAYOUTS: Mapping[int, tuple[str, str, int]] = {1: ("GRAY", GRAY, 1), 3: ("RGBX", COLOUR, 4)}
DISTINCT = 8  # pixels of the longest side, from which on a size in eighths is no other's


#: A size, and the kernel by which it is reached; none for the whole picture.
Wanted = tuple[Size, str]


class Plan(NamedTuple):
    """What is made of a picture: of each row of steps the first size, from a decode at ``eighths`` of the picture's."""

    wanted: tuple[Wanted, ...]
    eighths: int


class Unsure(Exception):
    """The decoder had something to say about the file: ask libvips."""


def plan_decode(source: Input, header: Header, recipe: Recipe) -> Plan | None:
    """Return how to make exactly what ``recipe`` asks of ``source``; ``None`` where the header tells that it cannot be done."""
    if recipe.engine != "auto" or header.format != Jpeg.format or source.data is None or header.bands not in LAYOUTS:
        return None
    leads = tuple(map(leading_resize, step_chains(recipe)))
    wanted = tuple(_wanted(lead, header) for lead in leads)
    if not any(leads) or not all(lead is None or _is_made(each, header) for lead, each in zip(leads, wanted, strict=True)):
        return None
    eighths = _eighths(header, [size for size, _ in wanted])
    _, _, bytes_of_one = LAYOUTS[header.bands]
    width, height = _reduced(header, eighths)
    return Plan(wanted, eighths) if width * height * bytes_of_one <= MAX_IN_MEMORY else None


def _wanted(lead: Scaling | None, header: Header) -> Wanted:
    """Return what a row of steps begins with: all of the picture where it does not begin with a scaling."""
    return (stored_size(lead, header), lead.kernel) if lead else ((header.width, header.height), "")


def _is_made(wanted: Wanted, header: Header) -> bool:
    """Tell whether ``wanted`` is no larger than the picture, by a kernel that is the same here as in libvips."""
    (width, height), kernel = wanted
    return kernel in KERNELS and width <= header.width and height <= header.height


def decode(source: Input, header: Header, recipe: Recipe, plan: Plan) -> tuple[Image, ...]:
    """Return the picture of ``source`` as it is stored, once for each row of steps, in the size that the row begins with.

    ``Unsure`` when the decoder has found anything to complain of.
    """
    raster = _shrunk(source.read(), header, plan.eighths)
    fields = _fields(source, recipe) if header.metadata else {}
    scaled = _resize_pyramid(raster, plan.wanted)
    return tuple(_marked(scaled[each].to_image(), fields) for each in plan.wanted)


def _resize_pyramid(raster: Raster, wanted: Sequence[Wanted]) -> Mapping[Wanted, Raster]:
    """Return the picture in each size that is ``wanted``, by the kernel that goes with it.

    A size is made from the least before it that has pixels to spare: a resize costs what it reads.
    """
    made: dict[Wanted, Raster] = {}
    for size, kernel in sorted(wanted, reverse=True):
        roomy = (
            each for each in made.values() if each.width >= MIN_OVERSAMPLE * size[0] and each.height >= MIN_OVERSAMPLE * size[1]
        )
        source = min(roomy, key=lambda each: each.width * each.height, default=raster)
        made[size, kernel] = source.resized(size, kernel=kernel) if kernel else raster
    return made


def _fields(source: Input, recipe: Recipe) -> metadata.Kept:
    """Return the metadata that ``recipe`` keeps, and the profile if anything has to be done about it."""
    opened = load(source, "jpegload")
    profile = metadata.profile(opened)
    plain = recipe.color == "srgb" and any(is_srgb(data) for data in profile.values() if isinstance(data, bytes))
    return {**metadata.collect(opened, recipe.metadata), **({} if plain else profile)}


def _marked(image: Image, fields: metadata.Kept) -> Image:
    """Return ``image`` with ``fields`` as its metadata."""
    return image.evolve(pixels=metadata.attach(image.pixels, fields)) if fields else image


def _eighths(header: Header, sizes: Sequence[Size]) -> int:
    """Return the size to decode at: the least that has pixels to spare for every one of ``sizes``."""
    if max(header.width, header.height) < DISTINCT:
        return FULL
    room = min(min(header.width / width, header.height / height) for width, height in sizes)
    return next((eighths for eighths in EIGHTHS if room * eighths >= _spare(header, eighths) * FULL), FULL)


def _spare(header: Header, eighths: int) -> float:
    return SPARE_OF_HALF if eighths * 2 == FULL and header.pixels >= PLENTY else MIN_OVERSAMPLE


def _reduced(header: Header, eighths: int) -> Size:
    """Return the size of the decoded pixels: a part of one at the edge is decoded whole."""
    return -(-header.width * eighths // FULL), -(-header.height * eighths // FULL)


def _shrunk(data: bytes, header: Header, eighths: int) -> Raster:
    """Return the picture decoded at ``eighths`` of its size, with its exact box."""
    space, mode, _ = LAYOUTS[header.bands]
    width, height = _reduced(header, eighths)
    # The decoder takes the least size that is not below these; without them it decodes in full.
    wanted = {} if eighths == FULL else {"min_width": width, "min_height": height}
    try:
        pixels = simplejpeg.decode_jpeg(data, space, **wanted)
    except ValueError as error:
        raise Unsure from error
    view = Pillow.frombuffer(mode, (width, height), pixels, "raw", mode, 0, 1)
    return Raster(view, header.width * eighths / FULL, header.height * eighths / FULL)
