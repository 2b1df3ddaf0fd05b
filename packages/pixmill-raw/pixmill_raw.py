"""``raw`` for pixmill: photographs as the sensor of a camera saw them, read by LibRaw."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from mmap import mmap
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta, structs

from pixmill.core.errors import UnsupportedError
from pixmill.imaging.backends import vips_load
from pixmill.imaging.codec import Codec, DecodeOptions
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata.blocks import Blocks
from pixmill.imaging.metadata.containers import tiff

if TYPE_CHECKING:
    import rawpy

#: By the way that LibRaw says a picture has to be turned: the orientation of EXIF.
ORIENTATIONS = {3: 3, 5: 8, 6: 6}
#: Raw photographs that are TIFF files say so in an entry for DNG, or by a further directory and the name of a maker.
TIFF = rb"II\*\0(?=.{4,4000}?\x12\xc6\x01\0\x04\0\0\0)|MM\0\*(?=.{4,4000}?\xc6\x12\0\x01\0\0\0\x04)"
MAKERS = rb"(?:NIKON|SONY|PENTAX|RICOH|SAMSUNG|HASSELBLAD|Hasselblad|Leaf|Mamiya|EPSON|KODAK|Kodak)"
MADE = rb"(?:II\*\0(?=.{4,4000}?\x4a\x01[\4\x0d]\0)|MM\0\*(?=.{4,4000}?\x01\x4a\0[\4\x0d]))(?=.{4,4000}?" + MAKERS + rb")"
OTHERS = rb"(?:II\*\0|MM\0\*).{4}CR|.{4}ftypcrx|IIU\0|II(?:RO|RS|US)|MMOR|FUJIFILMCCD-RAW|II\x1a\0\0\0HEAPCCDR|\0MR[MI]"


class Raw(Codec, frozen=True, kw_only=True, tag="raw"):
    """Raw photographs: DNG, CR2, CR3, NEF, ARW, RW2 and others. Input only, and only with ``--allow raw``.

    The preview that the camera stored is read, which is what the camera showed and takes as long as a JPEG; the output is noted as
    ``preview-used``. ``develop`` computes the picture from the data of the sensor instead, with the white balance of the camera, in
    up to 16 bits per channel and some seconds.

    Example: ``--allow raw:develop=true``
    """

    format: ClassVar = Format(
        name="raw", label="raw photograph", mime="image/x-dcraw",
        extensions=("dng", "cr2", "cr3", "crw", "nef", "nrw", "arw", "srf", "sr2", "rw2", "raf", "orf", "pef", "srw", "3fr", "mrw"),
        signature=b"|".join([TIFF, MADE, OTHERS]), opt_in=True, writable=False, decoder_copies=6,
    )  # fmt: skip

    develop: Annotated[bool, Meta(description="compute the picture from the sensor's data instead of taking the preview")] = False

    def header(self, source: Input) -> Header:
        """Return the header of the preview, or of the picture that would be developed."""
        with _opened(source) as raw:
            orientation = ORIENTATIONS.get(raw.sizes.flip, 1)
            if not self.develop:
                return structs.replace(_preview_header(_preview(raw)), orientation=orientation)
            size = raw.sizes
            return Header(format=self.format, width=size.width, height=size.height, orientation=orientation, depth=16)

    @classmethod
    def exif(cls, source: Input) -> bytes | mmap:
        """Return the file, whose directories are those of EXIF if it is a TIFF."""
        return source.mapped()

    @classmethod
    def metadata(cls, source: Input) -> Blocks:
        """Return the metadata of a file that is a TIFF."""
        return tiff.read(source.mapped())

    def decode(self, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the picture in its stored orientation."""
        with _opened(source) as raw:
            if self.develop:
                return _developed(raw, half_size=options.shrink >= 4)  # noqa: PLR2004  # half the size is twice what is needed
            preview = _preview(raw)
        image = vips_load.open_image(Input(preview), "jpegload", options) if isinstance(preview, bytes) else preview
        return image.evolve(notes=(*image.notes, "preview-used"))


@contextmanager
def _opened(source: Input) -> "Iterator[rawpy.RawPy]":
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # a worker processes one image in one thread
    import rawpy  # noqa: PLC0415  # takes a third of a second, and few runs see a raw photograph

    try:
        raw = rawpy.imread(io.BytesIO(source.data) if source.data is not None else source.name)
    except rawpy.LibRawFileUnsupportedError:
        raise UnsupportedError("this kind of raw photograph is not supported by LibRaw") from None
    with raw:
        yield raw


def _preview(raw: "rawpy.RawPy") -> bytes | Image:
    """Return the preview: a JPEG, or pixels. Raise ``UnsupportedError`` if there is none."""
    import rawpy  # noqa: PLC0415  # as above

    try:
        found = raw.extract_thumb()
    except (rawpy.LibRawNoThumbnailError, rawpy.LibRawUnsupportedThumbnailError):
        message = "the raw photograph has no preview"
        raise UnsupportedError(message, hint="to develop it", options={"allow": "raw:develop=true"}) from None
    return found.data if found.format == rawpy.ThumbFormat.JPEG else Image.from_numpy(found.data)


def _preview_header(preview: bytes | Image) -> Header:
    if isinstance(preview, bytes):
        return vips_load.read_header(Input(preview), Raw.format, "jpegload")
    return Header(format=Raw.format, width=preview.width, height=preview.height)


def _developed(raw: "rawpy.RawPy", *, half_size: bool) -> Image:
    """Return the picture in sRGB with 16 bits per channel, as the camera would show it."""
    import rawpy  # noqa: PLC0415  # as above

    array = raw.postprocess(
        use_camera_wb=True, output_color=rawpy.ColorSpace.sRGB, gamma=(2.4, 12.92), output_bps=16, user_flip=0, half_size=half_size
    )
    return Image.from_numpy(array)
