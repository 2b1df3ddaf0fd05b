"""``heif``: photographs from phones; writing requires the extra ``heif``."""

from typing import Annotated, ClassVar

from msgspec import Meta

from pixmill.core.errors import UnsupportedError
from pixmill.imaging.backends import heif_load, pillow
from pixmill.imaging.codec import Codec, DecodeOptions
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata.containers import heif as heif_metadata
from pixmill.imaging.parsers.boxes import is_cut_off
from pixmill.imaging.parsers.heif.items import coding, read_directory
from pixmill.imaging.parsers.heif.sequence import frame_count

ONE_THREAD = {"x265:pools": "1", "x265:frame-threads": "1"}  # options of the encoder: a worker encodes in its own thread

#: Brands of files that hold images, whatever these are coded with.
BRANDS = rb"hei[csxm]|hev[cmsx]|mif[123]|msf1|miaf|unif|vvi[cs]|evb[is]|j2ki|j2is|avc[is]|jpeg|jpgs"


class Heif(Codec, frozen=True, kw_only=True, tag="heif"):
    """HEIF (HEIC): lossy, the format of iPhone photographs. Writing requires the extra ``heif``.

    Use it as input; for output, ``avif`` is as small and browsers support it.

    Example: ``--format heif:quality=60``
    """

    format: ClassVar = Format(
        library="libheif",
        name="heif", label="HEIF", lossy=True, extensions=("heic", "heif", "hif", "heics", "heifs"), mime="image/heic",
        extra="heif", plugin="pillow_heif",
        reads_without_extra=True, pages="pages",
        signature=rb".{4}ftyp(?!.{0,60}avi[fs])(?:.{4}){0,15}?(?:" + BRANDS + rb")", max_side=16_384,
        decoder_copies=5, encoder_copies=10,
    )  # fmt: skip
    container: ClassVar = heif_metadata.CONTAINER

    quality: Annotated[int, Meta(ge=0, le=100, description="quality")] = 60

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return the header; the decoder applies the container's rotations and mirrors."""
        data = source.mapped()
        directory = read_directory(data)
        if directory is None and frame_count(data):
            message = f"this kind of {cls.format.label} is not supported: frames of an animation without a still image"
            raise UnsupportedError(message, kind="HEIF without a still image")
        try:
            return heif_load.read_header(source, cls.format)
        except Exception as error:
            if name := coding(directory):
                message = f"this kind of {cls.format.label} is not supported: an image is coded as {name}"
                raise UnsupportedError(message, kind=f"HEIF ({name})") from error
            raise

    @classmethod
    def exif(cls, source: Input) -> bytes:
        """Return the EXIF block."""
        return heif_load.exif(source, cls.format)

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the primary image. The frames of an animation are not decoded, which is noted."""
        data = source.mapped()
        if options.fail_on != "none" and is_cut_off(data):
            raise EOFError("its last box is incomplete")
        image = heif_load.decode(source, header.format)
        return image.evolve(notes=(*image.notes, "frames-dropped")) if frame_count(data) > 1 else image

    def encode(self, image: Image) -> bytes:
        """Return the encoded file."""
        return pillow.encode(image, self.format, quality=self.quality, enc_params=ONE_THREAD)
