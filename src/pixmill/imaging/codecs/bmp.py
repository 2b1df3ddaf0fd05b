"""``bmp``: uncompressed images of old Windows programs."""

from typing import ClassVar

import pyvips

from pixmill.imaging.backends import pillow
from pixmill.imaging.codec import Codec, DecodeOptions
from pixmill.imaging.colour.stated import with_stated_colours
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata.containers import bmp as bmp_metadata
from pixmill.imaging.metadata.fields import PROFILE
from pixmill.imaging.parsers import bmp


class Bmp(Codec, frozen=True, kw_only=True, tag="bmp"):
    """BMP: uncompressed, without transparency. Use it only for programs that support nothing else."""

    format: ClassVar = Format(
        name="bmp", label="BMP", extensions=("bmp", "dib"), mime="image/bmp", plugin="PIL.BmpImagePlugin",
        signature=rb"BM.{12}[\x0c-\x7c]\0\0\0", alpha=False, max_side=65_535, profiles=(), decoder_copies=4,
    )  # fmt: skip
    container: ClassVar = bmp_metadata.CONTAINER

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return the header."""
        if fields := bmp.alpha_fields(source.head):
            return Header(format=cls.format, width=fields.width, height=fields.height, bands=4)
        return pillow.header(source, cls.format)

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the image."""
        lenient = options.fail_on == "none"
        fields = bmp.alpha_fields(source.head)
        image = _with_alpha(source.read(), fields, lenient=lenient) if fields else pillow.decode(source, header, lenient=lenient)
        profile = bmp.profile(source.read())
        pixels = image.pixels.copy()
        if profile:
            pixels.set_type(pyvips.GValue.blob_type, PROFILE, profile)
        return with_stated_colours(image.evolve(pixels=pixels), {"ICC": profile})

    def encode(self, image: Image) -> bytes:
        """Return the encoded file."""
        return pillow.encode(image, self.format)


def _with_alpha(data: bytes, fields: bmp.BitFields, *, lenient: bool) -> Image:
    """Return the pixels of ``fields``; without alpha if it is zero everywhere, as in files whose writer did not mean it."""
    import numpy as np  # noqa: PLC0415  # as everywhere in imaging: most images never become an array

    size = fields.row_bytes * fields.height
    rows = data[fields.offset : fields.offset + size]
    if len(rows) < size and not lenient:
        raise EOFError("its pixels are incomplete")
    kind = np.dtype(f"<u{fields.bits // 8}")
    padded = np.frombuffer(rows.ljust(size, b"\0"), kind).reshape(fields.height, -1)[:, : fields.width]
    upright = padded if fields.is_top_down else padded[::-1]
    channels = []
    for mask in fields.masks:
        shift = (mask & -mask).bit_length() - 1
        most = mask >> shift
        values = (upright & kind.type(mask)) >> kind.type(shift)
        channels.append((values * (bmp.MAX_BYTE / most) + 0.5).astype(np.uint8))
    return Image.from_numpy(np.stack(channels if channels[-1].any() else channels[:-1], axis=-1))
