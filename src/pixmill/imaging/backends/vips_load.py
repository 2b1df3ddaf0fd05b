"""Headers and pixels through libvips.

The loader is always named, after our own look at the first bytes: libvips never chooses one, so no file reaches a loader that it
was not meant for.
"""

from typing import Any

import msgspec
import pyvips

from pixmill.core.errors import UnsupportedError
from pixmill.imaging.backends.errors import failure
from pixmill.imaging.codec import DecodeOptions
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata import fields
from pixmill.imaging.metadata.fields import field
from pixmill.imaging.metadata.orientation import recorded_orientation

#: The value of an option of a libvips operation.
Setting = str | int | float


BITS = {
    "uchar": 8, "char": 8, "ushort": 16, "short": 16, "uint": 32, "int": 32, "float": 32, "double": 64, "complex": 64,
    "dpcomplex": 128,
}  # fmt: skip

COLOURS = {"b-w": 1, "grey16": 1, "srgb": 3, "rgb": 3, "rgb16": 3, "scrgb": 3, "lab": 3, "labs": 3, "cmyk": 4}

#: What makes the lowest signed integer zero, and the spaces where that is black.
SIGNED = {"char": 2**7, "short": 2**15}
COUNTED = ("b-w", "grey16", "srgb", "rgb16")
WHITE = 2**16 - 1


def read_header(source: Input, known: Format, loader: str, **settings: Setting) -> Header:
    """Return what libvips reads of the header of ``source``; the error that its failure means."""
    try:
        pixels = load(source, loader, **settings)
    except pyvips.Error as error:
        raise failure(error, known, source) from error
    if pixels.interpretation == "multiband":
        raise UnsupportedError(f"this kind of {known.label} is not supported: {pixels.bands} channels of unknown meaning")
    return Header(
        format=known,
        width=pixels.width,
        height=pixels.height,
        orientation=recorded_orientation(pixels),
        frames=field(pixels, "n-pages", 1),
        depth=BITS[pixels.format],
        bands=pixels.bands,
        metadata_size=fields.size(pixels),
        metadata=fields.kinds(pixels),
    )


def open_image(
    source: Input, about: Header, loader: str, options: DecodeOptions, *, opacity: int | None = 0, **settings: Setting
) -> Image:
    """Open ``source`` lazily; the error that its failure means.

    ``opacity`` says which of the bands after the colours is alpha, ``None`` that none is.
    """
    try:
        pixels = load(source, loader, **{"fail_on": options.fail_on, **settings})
    except pyvips.Error as error:
        raise failure(error, about.format, source) from error
    return Image(_in_range(_known_bands(pixels, opacity)))


def open_animation(source: Input, about: Header, loader: str, options: DecodeOptions, **settings: Setting) -> Image:
    """Open the frames of ``source`` that ``options`` ask for, with their delays and repetitions."""
    if options.frames == 1:
        return open_image(source, about, loader, options, opacity=0, **settings)
    column = open_image(source, about, loader, options, opacity=0, **{**settings, "n": options.frames, "access": "random"}).pixels
    delays = tuple(field(column, "delay", ()))[: options.frames]
    return Image(column, frames=options.frames, delays=delays, loop=field(column, "loop", 0))


def _known_bands(pixels: pyvips.Image, opacity: int | None) -> pyvips.Image:
    """Return the colours of ``pixels`` and their alpha, without the bands whose meaning no format tells."""
    colours = COLOURS.get(pixels.interpretation, pixels.bands)
    extra = pixels.bands - colours
    if extra < 1 or (extra == 1 and opacity == 0):
        return pixels
    known = pixels.extract_band(0, n=colours)
    return known if opacity is None or opacity >= extra else known.bandjoin(pixels.extract_band(colours + opacity))


def _in_range(pixels: pyvips.Image) -> pyvips.Image:
    """Return numbers that pictures are rarely made of as such that colour management takes, which ends at 16 bits.

    The lowest of signed integers is black; gray fractions are linear light, as libvips takes those of colours.
    """
    kind, space = pixels.format, pixels.interpretation
    gray = space in ("b-w", "grey16")
    if kind == "uint":
        return (pixels >> 16).cast("ushort").copy(interpretation="grey16" if gray else "rgb16")
    if kind in SIGNED and space in COUNTED:
        return (pixels.cast("int") + SIGNED[kind]).cast(f"u{kind}").copy(interpretation=space)
    if kind == "float" and gray and pixels.bands == 1:
        return pixels.bandjoin([pixels, pixels]).copy(interpretation="scrgb").colourspace("grey16")
    if kind == "float" and space == "cmyk":
        return (pixels * WHITE).cast("ushort").copy(interpretation="cmyk")
    return pixels


def evolve(about: Header, **changes: Any) -> Header:  # noqa: ANN401  # the fields' own types
    """Return a copy of ``about`` with some fields changed."""
    return msgspec.structs.replace(about, **changes)


def load(source: Input, loader: str, **settings: Setting) -> pyvips.Image:
    """Open ``source`` with the libvips ``loader``, to be read once from top to bottom; ``pyvips.Error`` when it cannot be."""
    pyvips.vips_lib.vips_error_clear()  # what the picture before left unsaid would be told of this one
    settings = {"access": "sequential", **settings}
    if source.data is None:
        return pyvips.Operation.call(loader, source.name, **settings)
    return pyvips.Operation.call(f"{loader}_buffer", source.data, **settings)
