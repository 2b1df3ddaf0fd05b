"""Read headers and pixels with libvips.

The caller always names the loader, chosen by our own sniffing of the first bytes. libvips never chooses one, so no file reaches
an unintended loader.
"""

from typing import Any

import msgspec
import pyvips

from pixmill.core.errors import UnsupportedError
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


BITS_PER_VALUE = {
    "uchar": 8, "char": 8, "ushort": 16, "short": 16, "uint": 32, "int": 32, "float": 32, "double": 64, "complex": 64,
    "dpcomplex": 128,
}  # fmt: skip

COLOURS = {"b-w": 1, "grey16": 1, "srgb": 3, "rgb": 3, "rgb16": 3, "scrgb": 3, "lab": 3, "labs": 3, "cmyk": 4}

#: The offset that maps the lowest signed integer to zero, and the colour spaces where zero is black.
SIGNED_OFFSETS = {"char": 2**7, "short": 2**15}
INTEGER_SPACES = ("b-w", "grey16", "srgb", "rgb16")
MAX_UINT16 = 2**16 - 1


def read_header(source: Input, file_format: Format, loader: str, **settings: Setting) -> Header:
    """Return the header of ``source`` as libvips reads it."""
    pixels = load(source, loader, **settings)
    if pixels.interpretation == "multiband":
        raise UnsupportedError(f"this kind of {file_format.label} is not supported: {pixels.bands} channels of unknown meaning")
    return Header(
        format=file_format,
        width=pixels.width,
        height=pixels.height,
        orientation=recorded_orientation(pixels),
        frames=field(pixels, "n-pages", 1),
        depth=BITS_PER_VALUE[pixels.format],
        bands=pixels.bands,
        metadata_size=fields.size(pixels),
        metadata=fields.kinds(pixels),
    )


def exif(source: Input, loader: str) -> bytes:
    """Return the EXIF block of ``source``, empty if it has none."""
    block: bytes = field(load(source, loader), "exif-data", b"")
    return block


def open_image(source: Input, loader: str, options: DecodeOptions, *, alpha_index: int | None = 0, **settings: Setting) -> Image:
    """Open ``source`` lazily.

    ``alpha_index`` says which of the bands after the colours is alpha; ``None`` if none is.
    """
    pixels = load(source, loader, **{"fail_on": options.fail_on, **settings})
    return Image(_in_supported_range(_colour_and_alpha(pixels, alpha_index)))


def open_animation(source: Input, loader: str, options: DecodeOptions, **settings: Setting) -> Image:
    """Open the first ``options.frames`` frames of ``source``, with their delays and number of repetitions."""
    if options.frames == 1:
        return open_image(source, loader, options, alpha_index=0, **settings)
    column = open_image(source, loader, options, alpha_index=0, **{**settings, "n": options.frames, "access": "random"}).pixels
    delays = tuple(field(column, "delay", ()))[: options.frames]
    return Image(column, frames=options.frames, delays=delays, loop=field(column, "loop", 0))


def _colour_and_alpha(pixels: pyvips.Image, alpha_index: int | None) -> pyvips.Image:
    """Return the colour bands of ``pixels`` and their alpha, without bands of unknown meaning."""
    colours = COLOURS.get(pixels.interpretation, pixels.bands)
    extra = pixels.bands - colours
    if extra < 1 or (extra == 1 and alpha_index == 0):
        return pixels
    colour_bands = pixels.extract_band(0, n=colours)
    return (
        colour_bands
        if alpha_index is None or alpha_index >= extra
        else colour_bands.bandjoin(pixels.extract_band(colours + alpha_index))
    )


def _in_supported_range(pixels: pyvips.Image) -> pyvips.Image:
    """Return ``pixels`` with unusual value formats converted to those that colour management accepts, at most 16 bits.

    For signed integers, the lowest value is black. Fractional gray values are linear light, as libvips assumes for colours.
    """
    kind, space = pixels.format, pixels.interpretation
    gray = space in ("b-w", "grey16")
    if kind == "uint":
        return (pixels >> 16).cast("ushort").copy(interpretation="grey16" if gray else "rgb16")
    if kind in SIGNED_OFFSETS and space in INTEGER_SPACES:
        return (pixels.cast("int") + SIGNED_OFFSETS[kind]).cast(f"u{kind}").copy(interpretation=space)
    if kind == "float" and gray and pixels.bands == 1:
        return pixels.bandjoin([pixels, pixels]).copy(interpretation="scrgb").colourspace("grey16")
    if kind == "float" and space == "cmyk":
        return (pixels * MAX_UINT16).cast("ushort").copy(interpretation="cmyk")
    return pixels


def evolve(header: Header, **changes: Any) -> Header:  # noqa: ANN401  # the fields' own types
    """Return a copy of ``header`` with some fields changed."""
    return msgspec.structs.replace(header, **changes)


def load(source: Input, loader: str, **settings: Setting) -> pyvips.Image:
    """Open ``source`` with the libvips ``loader``, to be read once from top to bottom. Raise ``pyvips.Error`` if that fails."""
    pyvips.vips_lib.vips_error_clear()  # otherwise an unreported error of the previous image would be blamed on this one
    settings = {"access": "sequential", **settings}
    if source.data is None:
        return pyvips.Operation.call(loader, source.name, **settings)
    return pyvips.Operation.call(f"{loader}_buffer", source.data, **settings)
