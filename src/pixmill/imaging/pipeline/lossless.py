"""``Recipe.lossless``: make a file smaller without changing a pixel. Nothing is written that does not decode to the same pixels."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

import pyvips

from pixmill.core.errors import EncodeError, UnsupportedError
from pixmill.imaging.codec import Codec, DecodeOptions, FailOn
from pixmill.imaging.colour.icc_read import is_srgb
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata.blocks import Blocks
from pixmill.imaging.metadata.fields import PROFILE, field
from pixmill.imaging.metadata.selection import OutputFacts
from pixmill.imaging.pipeline import output_metadata, traits
from pixmill.imaging.pipeline.accept import REFUSALS
from pixmill.imaging.pipeline.encode import EncodedOutput
from pixmill.imaging.pipeline.identify import wanted_frames
from pixmill.imaging.recipe import Recipe

BASE_BYTES = 16_000_000  # for an image of any size
#: Coefficients or filtered rows, and two decoded images; libwebp compares several ways to describe the pixels.
COPIES_OF_PIXELS, COPIES_OF_WEBP = 6, 13
COPIES_OF_FILE = 6  # the source, and the files that are compared
ADOBE_RGB, COPIED, LARGER = "adobe-rgb-by-exif", "copied", "larger-than-source"
BYTE_TO_SHORT = 257  # the factor that maps 255 to 65535


class Optimised(NamedTuple):
    """The smallest file, and notes as in ``Result``."""

    output: EncodedOutput
    notes: tuple[str, ...]


class _Candidate(NamedTuple):
    data: bytes
    notes: tuple[str, ...]


def memory_estimate(header: Header, file_bytes: int) -> int:
    """Return an upper bound, in bytes, on the memory to optimise a file of this size with this ``header``."""
    pixels = header.pixels * header.frames * header.bands * max(8, header.depth) // 8
    copies = COPIES_OF_WEBP if header.lossless else COPIES_OF_PIXELS
    return BASE_BYTES + copies * pixels + COPIES_OF_FILE * file_bytes


def optimised(
    source: Input, header: Header, recipe: Recipe, begin: Callable[[str], None], *, with_traits: bool = False
) -> Optimised:
    """Return the smallest file with the pixels, colours and orientation of ``source``, and what the policy keeps of its metadata.

    Raise ``UnsupportedError`` for a file that holds more than is understood, of which the policy may not keep everything.
    """
    rendition = recipe.renditions[0]
    codec = rendition.encode.for_source(header.format)
    begin("decode")
    data = source.read()
    original = _decoded(source, header, recipe)
    blocks = output_metadata.read(source, header)
    begin("encode")
    facts = _facts(header, original)
    candidates = sorted(_candidates(data, codec, blocks, facts, recipe), key=lambda each: len(each.data))
    for candidate in candidates:
        if _shows_the_same(candidate.data, header, original, recipe):
            output = EncodedOutput(
                rendition=rendition.name, data=candidate.data, width=header.width, height=header.height, format=header.format.name
            )
            if with_traits:
                taken = traits.captured_at(source, header, blocks)
                output = traits.described(output, original, taken, orientation=header.orientation)
            larger = (LARGER,) if len(candidate.data) > len(data) else ()
            return Optimised(output, (*output_metadata.notes_on(blocks), *candidate.notes, *larger))
    raise EncodeError(f"this {header.format.label} cannot be written again without a change of its pixels or colours")


def _facts(header: Header, original: Image) -> OutputFacts:
    profile = field(original.pixels, PROFILE)
    return OutputFacts(
        width=header.width,
        height=header.height,
        is_srgb=profile is None or is_srgb(profile),
        is_gray=original.pixels.bands <= output_metadata.GRAY_BANDS,
        is_resampled=False,
        is_same_grid=True,
        orientation=header.orientation,
        is_adobe_rgb=ADOBE_RGB in original.notes,
    )


def _candidates(data: bytes, codec: Codec, blocks: Blocks, facts: OutputFacts, recipe: Recipe) -> Iterator[_Candidate]:
    """Yield the files that the output may be: made smaller, and copied."""
    bare = codec.container.bare(data) if codec.container is not None else None
    if bare is not None:
        for file in dict.fromkeys((bare, _smaller(bare, codec))):
            written = output_metadata.write(file, codec, blocks, facts, recipe)
            yield _Candidate(written.data, (*written.notes, *((COPIED,) if file is bare else ())))
    elif recipe.metadata == "keep":
        yield _Candidate(data, (COPIED,))
    else:
        message = f"this {codec.format.label} cannot be made smaller without loss, nor copied without its metadata"
        raise UnsupportedError(message, hint="to copy it as it is", options={"metadata": "keep"})


def _smaller(bare: bytes, codec: Codec) -> bytes:
    """Return ``bare`` in fewer bytes; ``bare`` if the optimiser refuses it, such as a JPEG with arithmetic coding."""
    with suppress(Exception):  # each optimiser raises errors of its own
        return codec.without_loss(bare)
    return bare


def _decoded(source: Input, header: Header, recipe: Recipe) -> Image:
    fail_on: FailOn = "none" if recipe.allow_truncated else "error" if source.is_checked else "warning"
    options = DecodeOptions(frames=wanted_frames(header, recipe), fail_on=fail_on)
    image = recipe.reader(header.format).decode(source, header, options=options)
    return image.evolve(pixels=image.pixels.copy_memory())


def _shows_the_same(data: bytes, header: Header, original: Image, recipe: Recipe) -> bool:
    """Return whether the file ``data`` has the pixels, colours, frames and orientation of ``original``, by decoding it."""
    source = Input(data)
    try:
        found = recipe.reader(header.format).header(source)
        image = _decoded(source, found, recipe)
    except REFUSALS:
        return False
    if (found.width, found.height, found.orientation) != (header.width, header.height, header.orientation):
        return False
    are_alike = (image.frames, image.delays, image.loop) == (original.frames, original.delays, original.loop)
    same_colours = field(image.pixels, PROFILE) == field(original.pixels, PROFILE)
    return are_alike and same_colours and are_equal(image.pixels, original.pixels)


def are_equal(first: pyvips.Image, second: pyvips.Image) -> bool:
    """Return whether two images have the same pixels, also where one has fewer bits or bands because it needs no more."""
    one, other = _comparable([first, second])
    return bool((one == other).min() == 255)  # noqa: PLR2004  # true, in libvips


def _comparable(images: Sequence[pyvips.Image]) -> list[pyvips.Image]:
    """Return ``images`` as CMYK, or with red, green, blue and alpha, in the same number of bits."""
    is_deep = any(image.format == "ushort" for image in images)
    return [_widened(_deepened(image) if is_deep else image) for image in images]


def _deepened(image: pyvips.Image) -> pyvips.Image:
    return image if image.format != "uchar" else (image * BYTE_TO_SHORT).cast("ushort")


def _widened(image: pyvips.Image) -> pyvips.Image:
    if image.interpretation == "cmyk":
        return image
    opaque = 65535 if image.format == "ushort" else 255
    if image.bands in (1, 3):  # no alpha
        image = image.bandjoin(opaque)
    return image[0].bandjoin([image[0], image[0], image[1]]) if image.bands == output_metadata.GRAY_BANDS else image
