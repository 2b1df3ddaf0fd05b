"""Headers and pixels through libvips, as codecs of its formats share them."""

from typing import Any

import msgspec
import pyvips

from pixmill.imaging import metadata, vips
from pixmill.imaging.codec import DecodeOptions
from pixmill.imaging.descriptor import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.orientation import recorded
from pixmill.imaging.vips import Setting

BITS = {
    "uchar": 8, "char": 8, "ushort": 16, "short": 16, "uint": 32, "int": 32, "float": 32, "double": 64, "complex": 64,
    "dpcomplex": 128,
}  # fmt: skip

COLOURS = {"b-w": 1, "grey16": 1, "srgb": 3, "rgb": 3, "rgb16": 3, "scrgb": 3, "lab": 3, "labs": 3, "cmyk": 4}


def header(source: Input, known: Format, loader: str, **settings: Setting) -> Header:
    """Return what libvips reads of the header of ``source``; the error that its failure means."""
    try:
        pixels = vips.load(source, loader, **settings)
    except pyvips.Error as error:
        raise vips.failure(error, known, source) from error
    return Header(
        format=known,
        width=pixels.width,
        height=pixels.height,
        orientation=recorded(pixels),
        frames=vips.field(pixels, "n-pages", 1),
        depth=BITS[pixels.format],
        bands=pixels.bands,
        metadata_size=metadata.size(pixels),
        metadata=metadata.kinds(pixels),
    )


def image(source: Input, about: Header, loader: str, options: DecodeOptions, **settings: Setting) -> Image:
    """Open ``source`` lazily; the error that its failure means."""
    try:
        pixels = vips.load(source, loader, **{"fail_on": options.fail_on, **settings})
    except pyvips.Error as error:
        raise vips.failure(error, about.format, source) from error
    return Image(_in_range(_known_bands(pixels)))


def animation(source: Input, about: Header, loader: str, options: DecodeOptions, **settings: Setting) -> Image:
    """Open the frames of ``source`` that ``options`` ask for, with their delays and repetitions."""
    if options.frames == 1:
        return image(source, about, loader, options, **settings)
    column = image(source, about, loader, options, **{**settings, "n": options.frames, "access": "random"}).pixels
    delays = tuple(vips.field(column, "delay", ()))[: options.frames]
    return Image(column, frames=options.frames, delays=delays, loop=vips.field(column, "loop", 0))


def _known_bands(pixels: pyvips.Image) -> pyvips.Image:
    """Return ``pixels`` without the bands after alpha, whose meaning no format tells."""
    colours = COLOURS.get(pixels.interpretation, pixels.bands)
    return pixels.extract_band(0, n=colours + 1) if pixels.bands > colours + 1 else pixels


def _in_range(pixels: pyvips.Image) -> pyvips.Image:
    """Return 32-bit integers scaled to 16 bits, which is as deep as colour management goes."""
    if pixels.format != "uint":
        return pixels
    gray = pixels.interpretation in ("b-w", "grey16")
    return (pixels >> 16).cast("ushort").copy(interpretation="grey16" if gray else "rgb16")


def evolve(about: Header, **changes: Any) -> Header:  # noqa: ANN401  # the fields' own types
    """Return a copy of ``about`` with some fields changed."""
    return msgspec.structs.replace(about, **changes)
