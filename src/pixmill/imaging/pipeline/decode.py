"""From a file to pixels: what it is, whether it may be read, and only then its picture, as small as will do."""

import re
from collections.abc import Sequence

import pyvips
from msgspec import structs

from pixmill.core.errors import DecodeError, ImageError, UnsupportedError
from pixmill.imaging.backends import vector_resize
from pixmill.imaging.backends.vips_load import BITS
from pixmill.imaging.codec import DecodeOptions
from pixmill.imaging.formats import Format, codec_for, other_file, other_image, sniff
from pixmill.imaging.header import SIDEWAYS, Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata import fields
from pixmill.imaging.operation import Operation
from pixmill.imaging.pixels import premultiplied
from pixmill.imaging.recipe import Recipe
from pixmill.imaging.scaling import Scaling, scale

HELD = 128_000_000  # bytes; a larger picture is streamed through the encoder instead of held in memory
# Warnings that say nothing about the pixels: cameras pad the end, Photoshop's marker is of two minds, and libtiff calls private
# tags an error without a word about them.
HARMLESS = re.compile(r"extraneous bytes before marker 0xd9|Unknown Adobe color transform|\A\s*(?:tiffload: load error)?\s*\Z")
PREAMBLE_ENDS = b"\xff\xd8\xff"
SPARE = 2  # pixels a side for one of the result, so that the last resize still has something to weigh


def read_header(source: Input, recipe: Recipe) -> Header:
    """Return what ``source`` says of itself, once it is certain that it may be decoded."""
    codec = codec_for(identify(source, recipe.allow))
    header = codec.header(source)
    if min(header.width, header.height) < 1:
        raise DecodeError(f"the {header.format.label} is damaged: it has no pixels")
    recipe.limits.check(header, frames=wanted_frames(header, recipe))
    return header


def without_preamble(source: Input) -> Input:
    """Return ``source`` from its first JPEG marker on, when it starts with what nothing else does.

    Cameras, scanners and mail gateways put bytes before a JPEG that every browser skips.
    """
    if sniff(source.head) or other_image(source.head) or other_file(source.head):
        return source
    start = source.head.find(PREAMBLE_ENDS)
    return source if start < 0 else Input(source.read()[start:])


def identify(source: Input, allow: Sequence[str] = ()) -> Format:
    """Return the format of ``source`` by its first bytes; the error for what is no image, or is none that may be read."""
    known = sniff(source.head)
    if known is None:
        raise _stranger(source.head)
    if known.opt_in and known.name not in allow:
        raise UnsupportedError(f"{known.label} is not read unless it is allowed", hint=f"--allow {known.name}")
    return known


def _stranger(head: bytes) -> ImageError:
    if not head:
        return DecodeError("the file is empty", code="not-an-image")
    if image := other_image(head):
        return UnsupportedError(f"the file is {image}, which pixmill does not read")
    kind = other_file(head)
    return DecodeError(f"the file is {kind}, not an image" if kind else "the file is not an image", code="not-an-image")


def wanted_frames(header: Header, recipe: Recipe) -> int:
    """Return how many frames are decoded: all of an animation that is kept by some rendition whose format can, else one."""
    if recipe.animated == "first" or not header.format.animation:
        return 1
    writers = (rendition.encode.for_source(header.format) for rendition in recipe.renditions)
    return header.frames if any(writer.format.animation for writer in writers) else 1


def dropped(header: Header, image: Image) -> tuple[str, ...]:
    """Return the note on pictures of the file that were left out."""
    return (f"{header.format.pages}-dropped",) if header.frames > image.frames else ()


def decode(source: Input, header: Header, recipe: Recipe) -> Image:
    """Return the picture of ``source``, still as it is stored, but no larger than ``recipe`` needs it.

    One row of steps: it has the size that their first resize gives it. Several (renditions with steps of their own): one
    decode serves all, at twice the size of the largest.
    """
    ways = rows(recipe)
    shrink = min(_shrink(steps, header) for steps in ways)
    options = DecodeOptions(
        shrink=shrink, frames=wanted_frames(header, recipe), fail_on="none" if recipe.allow_truncated else "warning"
    )

    def decoded(options: DecodeOptions) -> Image:
        image = codec_for(header.format).decode(source, header, options=options)
        if len(ways) == 1:
            return _held(first_scale(image, ways[0], header, recipe))
        left = shrink * image.width / header.width
        return image.evolve(pixels=_boxed(image, int(left / SPARE)).pixels.copy_memory())

    try:
        return decoded(options)
    except pyvips.Error as error:
        if options.fail_on == "none" or not HARMLESS.search(error.detail):
            raise
        return decoded(structs.replace(options, fail_on="error"))


def rows(recipe: Recipe) -> tuple[Sequence[Operation], ...]:
    """Return the rows of steps that begin with the decoded picture: the shared one, or else that of each rendition."""
    return (recipe.shared_steps,) if recipe.shared_steps else tuple(map(recipe.steps_of, recipe.renditions))


def leading(steps: Sequence[Operation]) -> Scaling | None:
    """Return the first of ``steps`` if it begins with a scaling that may come before everything else.

    In linear light it may not: colours come first then.
    """
    return steps[0] if steps and isinstance(steps[0], Scaling) and not steps[0].linear else None


def first_scale(image: Image, steps: Sequence[Operation], header: Header, recipe: Recipe) -> Image:
    """Return ``image``, still as it is stored, in the size to which the first of ``steps`` brings it, if that is what it does."""
    lead = leading(steps)
    if lead is None:
        return image
    size = stored(lead, header)
    if (image.width, image.height) == size:
        return image
    if recipe.engine == "auto" and vector_resize.can(image, size, kernel=lead.kernel, limit=HELD):
        kept = {**fields.collect(image.pixels, recipe.metadata), **fields.profile(image.pixels)}
        small = vector_resize.resized(image, size, kernel=lead.kernel)
        return small.evolve(pixels=fields.attach(small.pixels, kept))
    return scale(image, size, kernel=lead.kernel)


def stored(lead: Scaling, header: Header) -> tuple[int, int]:
    """Return the size to which ``lead`` scales the picture as it is stored, which may be lying on its side."""
    width, height = lead.target(header.upright)
    return (height, width) if header.orientation in SIDEWAYS else (width, height)


def _shrink(steps: Sequence[Operation], header: Header) -> float:
    """Return by how much smaller the picture may be decoded for ``steps``."""
    lead = leading(steps)
    if lead is None or lead.kernel == "nearest":
        return 1.0
    width, height = stored(lead, header)
    return max(1.0, min(header.width / width, header.height / height))


def _boxed(image: Image, factor: int) -> Image:
    """Return ``image`` with each square of ``factor`` pixels averaged."""
    if factor < SPARE:
        return image

    def boxed(pixels: pyvips.Image) -> pyvips.Image:
        return pixels.shrink(factor, factor)

    return image.map(lambda pixels: premultiplied(pixels, boxed))


def _held(image: Image) -> Image:
    """Return ``image`` computed, so that what is wrong with the source shows now; a very large one stays lazy, and streams."""
    pixels = image.pixels
    size = pixels.width * pixels.height * pixels.bands * BITS[pixels.format] // 8
    return image.evolve(pixels=pixels.copy_memory()) if size <= HELD else image
