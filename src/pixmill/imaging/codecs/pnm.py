"""``pnm``: the simplest images, which programs hand to each other."""

import warnings
from typing import TYPE_CHECKING, Any, ClassVar

import pyvips

from pixmill.imaging.codec import Codec, DecodeOptions
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.parsers import pnm

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

BLACK = 1  # in a bitmap
COMMENT = b"#"


class Pnm(Codec, frozen=True, kw_only=True, tag="pnm"):
    """PNM: PBM, PGM, PPM, PAM and PFM, the uncompressed images of scientific programs and scanners. Input only.

    Up to 16 bits per channel are read in full. Numbers with a fraction (PFM) are linear light. Of several images in a file, the
    first is read.
    """

    format: ClassVar = Format(
        library="numpy",
        name="pnm", label="PNM", extensions=("pnm", "pbm", "pgm", "ppm", "pam", "pfm"), mime="image/x-portable-anymap",
        signature=rb"P[1-6fF][\s#]|P7\n", opt_in=True, writable=False, decoder_copies=9,
    )  # fmt: skip

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return the header."""
        stated = pnm.read(source.head)
        depth = 16 if stated.maximum > pnm.MAX_BYTE else 8
        return Header(format=cls.format, width=stated.width, height=stated.height, bands=stated.bands, depth=depth)

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the image."""
        stated = pnm.read(source.head)
        samples = _samples(source.read(), stated, lenient=options.fail_on == "none")
        array = samples.reshape(stated.height, stated.width, stated.bands)
        return _linear(array[::-1]) if stated.kind in pnm.FLOATS else _in_full_range(array, stated.maximum)


def _samples(data: bytes, stated: pnm.Pnm, *, lenient: bool) -> "Array":
    """Return all samples, in one dimension. Raise ``EOFError`` if there are too few, unless ``lenient``."""
    import numpy as np  # noqa: PLC0415  # as everywhere in imaging: most images never become an array

    count = stated.width * stated.height * stated.bands
    if stated.kind in pnm.PLAIN:
        found = _plain(data[stated.start :], stated, count)
    elif stated.kind in pnm.BITMAPS:
        row = (stated.width + 7) // 8
        packed = np.frombuffer(data, np.uint8, min(len(data) - stated.start, row * stated.height), stated.start)
        whole = packed[: packed.size // row * row].reshape(-1, row)
        found = (np.unpackbits(whole, axis=1, count=stated.width) ^ BLACK).ravel()
    else:
        order = "<" if stated.is_little else ">"
        kind = np.dtype(f"{order}{'f' if stated.kind in pnm.FLOATS else 'u'}{stated.sample_bytes}")
        found = np.frombuffer(data, kind, min((len(data) - stated.start) // kind.itemsize, count), stated.start)
    if found.size < count and not lenient:
        raise EOFError("its pixels are incomplete")
    return found if found.size == count else np.concatenate([found, np.zeros(count - found.size, found.dtype)])


def _plain(text: bytes, stated: pnm.Pnm, count: int) -> "Array":
    """Return up to ``count`` samples that are written as decimal numbers; those of a bitmap need nothing between them."""
    import numpy as np  # noqa: PLC0415  # as above

    if COMMENT in text:
        text = b"\n".join(line.partition(COMMENT)[0] for line in text.splitlines())
    if stated.kind in pnm.BITMAPS:
        digits = np.frombuffer(text, np.uint8)
        bits: Array = (digits[(digits == ord("0")) | (digits == ord("1"))][:count] - ord("0")) ^ BLACK
        return bits
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # numpy warns of anything that is not a number
        try:
            numbers: Array = np.fromstring(text, np.uint16, sep=" ")
        except DeprecationWarning:
            raise ValueError("its pixels are not all numbers") from None
    return np.minimum(numbers[:count], stated.maximum)


def _in_full_range(array: "Array", maximum: int) -> Image:
    """Return the image of ``array`` with ``maximum`` as white: 255, or 65535 if it does not fit into 8 bits."""
    import numpy as np  # noqa: PLC0415  # as above

    kind, white = (np.uint8, pnm.MAX_BYTE) if maximum <= pnm.MAX_BYTE else (np.uint16, pnm.MAX_VALUE)
    image = Image.from_numpy(array.astype(kind, copy=False))
    if maximum == white:
        return image
    table = (np.minimum(np.arange(white + 1), maximum) * (white / maximum) + 0.5).astype(kind)
    scaled = image.pixels.maplut(pyvips.Image.new_from_array(table[None]))
    return image.evolve(pixels=scaled.copy(interpretation=image.pixels.interpretation))


def _linear(array: "Array") -> Image:
    """Return the image for numbers from 0 to 1 of linear light, with 16 bits per channel."""
    import numpy as np  # noqa: PLC0415  # as above

    is_gray = array.shape[2] == pnm.GRAY
    light = np.nan_to_num(array.astype(np.float32), copy=False, nan=0.0, posinf=1.0, neginf=0.0)
    colours = pyvips.Image.new_from_array(np.repeat(light, pnm.RGB, axis=2) if is_gray else light)
    encoded = colours.copy(interpretation="scrgb").colourspace("rgb16")
    return Image(encoded[0].copy(interpretation="grey16") if is_gray else encoded)
