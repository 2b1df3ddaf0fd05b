"""``psd``: documents of Photoshop, as the flattened image that is stored in them."""

import struct
from typing import TYPE_CHECKING, Any, ClassVar

import pyvips

from pixmill.imaging.backends import psd_sections as psd
from pixmill.imaging.codec import Codec, DecodeOptions
from pixmill.imaging.colour.stated import with_stated_colours
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata import iptc
from pixmill.imaging.metadata.blocks import Blocks
from pixmill.imaging.metadata.fields import PROFILE

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

RAW, RUN_LENGTHS = 0, 1  # compressions
ROWS = 256  # that are computed at a time
WHITE = {8: 255, 16: 65_535}


class Psd(Codec, frozen=True, kw_only=True, tag="psd"):
    """PSD and PSB: documents of Photoshop, as the flattened image that Photoshop stores beside the layers. Input only.

    A document that was saved without it (Maximize Compatibility) is ``unsupported``, and so are 32 bits per channel.
    """

    format: ClassVar = Format(
        library="numpy and Pillow",
        name="psd", label="PSD", extensions=("psd", "psb"), mime="image/vnd.adobe.photoshop",
        signature=rb"8BPS\0[\x01\x02]", opt_in=True, writable=False, decoder_copies=5,
    )  # fmt: skip

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return the header."""
        stated = psd.read(source.mapped())
        found = {"icc": stated.resource(psd.PROFILE), "exif": stated.resource(psd.EXIF), "xmp": stated.resource(psd.XMP)}
        return Header(
            format=cls.format,
            width=stated.width,
            height=stated.height,
            depth=max(8, stated.depth),
            bands=3 if stated.mode == psd.INDEXED else stated.colours + stated.has_opacity,
            metadata=frozenset(kind for kind, block in found.items() if block),
            metadata_size=sum(map(len, found.values())),
        )

    @classmethod
    def exif(cls, source: Input) -> bytes:
        """Return the EXIF block."""
        return psd.read(source.mapped()).resource(psd.EXIF)

    @classmethod
    def metadata(cls, source: Input) -> Blocks:
        """Return the metadata, which are image resources."""
        stated = psd.read(source.mapped())
        block, named = iptc.split_resources(stated.resources)
        return Blocks(exif=stated.resource(psd.EXIF), xmp=stated.resource(psd.XMP), iptc=block, resources=named)

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the flattened image."""
        data = source.read()
        stated = psd.read(data)
        channels = _channels(data, stated, count=stated.colours + stated.has_opacity, lenient=options.fail_on == "none")
        image = _image(channels, stated)
        profile = stated.resource(psd.PROFILE)
        if not profile or stated.mode in (psd.BITMAP, psd.LAB, psd.DUOTONE):
            return image
        pixels = image.pixels.copy()
        pixels.set_type(pyvips.GValue.blob_type, PROFILE, profile)
        return with_stated_colours(image.evolve(pixels=pixels), {"ICC": profile})


def _channels(data: bytes, stated: psd.Psd, *, count: int, lenient: bool) -> "Array":
    """Return the first ``count`` channels as rows of samples (channel, height, width)."""
    import numpy as np  # noqa: PLC0415  # as everywhere in imaging: most images never become an array

    row = (stated.width * stated.depth + 7) // 8
    size = row * stated.height
    compression = int.from_bytes(data[stated.start : stated.start + 2])
    if compression == RAW:
        planes = [data[stated.start + 2 + index * size :][:size] for index in range(count)]
    elif compression == RUN_LENGTHS:
        planes = list(_unpacked(data, stated, row, count=count))
    else:
        raise ValueError(f"not supported: compression {compression}")
    if any(len(plane) < size for plane in planes) and not lenient:
        raise EOFError("its flattened image is incomplete")
    rows = np.frombuffer(b"".join(plane.ljust(size, b"\0") for plane in planes), np.uint8).reshape(count, stated.height, row)
    if stated.depth == 1:
        return np.unpackbits(rows, axis=2, count=stated.width)
    return rows.view(">u2").astype(np.uint16) if stated.depth > 8 else rows  # noqa: PLR2004  # bits of a byte


def _unpacked(data: bytes, stated: psd.Psd, row: int, *, count: int) -> "list[bytes]":
    """Return the planes, each unpacked from its run lengths. The sizes of all packed rows come first."""
    from PIL import Image as Pillow  # noqa: PLC0415  # takes 20 ms, and most runs never need it

    wide = "I" if stated.is_large else "H"
    rows = stated.channels * stated.height
    table = struct.Struct(f">{rows}{wide}")
    start = stated.start + 2
    if start + table.size > len(data):
        raise EOFError("its flattened image is incomplete")
    sizes = table.unpack_from(data, start)
    start += table.size
    planes = []
    for index in range(count):
        size = sum(sizes[index * stated.height : (index + 1) * stated.height])
        packed = data[start : start + size]
        if len(packed) < size:
            raise EOFError("its flattened image is incomplete")
        planes.append(Pillow.frombytes("L", (row, stated.height), packed, "packbits", "L").tobytes())
        start += size
    return planes


def _image(channels: "Array", stated: psd.Psd) -> Image:
    """Return the image of ``channels``, which are the colours and perhaps the opacity."""
    import numpy as np  # noqa: PLC0415  # as above

    if stated.mode == psd.BITMAP:
        return Image.from_numpy((1 - channels[0]) * np.uint8(WHITE[8]))
    if stated.mode == psd.INDEXED:
        palette = np.frombuffer(stated.palette[: psd.PALETTE_BYTES].ljust(psd.PALETTE_BYTES, b"\0"), np.uint8).reshape(3, -1)
        return Image.from_numpy(np.stack([colours[channels[0]] for colours in palette], axis=-1))
    array = np.stack(list(channels), axis=-1)
    if stated.has_opacity:
        _remove_matte(array, WHITE[stated.depth])
    if stated.mode == psd.CMYK:
        array[..., : psd.COLOURS[psd.CMYK]] ^= WHITE[stated.depth]  # Photoshop stores the absence of ink
        return Image(pyvips.Image.new_from_array(array).copy(interpretation="cmyk"))
    if stated.mode == psd.LAB:
        return Image(_lab(array, WHITE[stated.depth]))
    return Image.from_numpy(array)


def _remove_matte(array: "Array", white: int) -> None:
    """Give ``array`` its own colours: Photoshop stores them blended with white, by the opacity. In place, a few rows at a time."""
    import numpy as np  # noqa: PLC0415  # as above

    for start in range(0, len(array), ROWS):
        rows = array[start : start + ROWS]
        opacity = np.maximum(rows[..., -1:], 1) / np.float32(white)
        rows[..., :-1] = np.clip(white - (white - rows[..., :-1].astype(np.float32)) / opacity + 0.5, 0, white)


def _lab(array: "Array", white: int) -> pyvips.Image:
    """Return the pixels for lightness and two colours whose zero is in the middle."""
    samples = pyvips.Image.new_from_array(array).cast("float")
    step = white / 255
    lab = samples.extract_band(0, n=3).linear([100 / white, 1 / step, 1 / step], [0, -128, -128]).cast("float")
    pixels = lab.copy(interpretation="lab").colourspace("rgb16" if white > WHITE[8] else "srgb")
    return pixels.bandjoin(samples[3].cast(pixels.format)) if samples.bands > psd.COLOURS[psd.LAB] else pixels
