"""``tiff``: masters for print and archives."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from msgspec import Meta, structs

from pixmill.core.errors import UnsupportedError
from pixmill.imaging.backends import pillow, vips_load, vips_save
from pixmill.imaging.backends.vips_load import Setting
from pixmill.imaging.codec import Codec, DecodeOptions
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Data, Input
from pixmill.imaging.metadata.containers import tiff as tiff_metadata
from pixmill.imaging.metadata.orientation import CORRECTIONS
from pixmill.imaging.parsers import tiff, tiff_kinds, tiff_rewriting
from pixmill.imaging.pixels import ycbcr_to_rgb

MAX_CLASSIC_BYTES = 2**32 - 2**24  # of pixels; a larger file becomes a BigTIFF, because 32-bit offsets might not reach
LOSSY = ("jpeg",)
CODED_BITS = (2, 3, 4, 5)  # compressions whose codes are not aligned to bytes: fax and LZW


class Tiff(Codec, frozen=True, kw_only=True, tag="tiff"):
    """TIFF: lossless, up to 16 bits per channel, supported by print and archive software.

    Use it for masters. ``tiled`` files open faster in viewers for very large images.

    Example: ``--format tiff:compression=deflate``
    """

    format: ClassVar = Format(
        library="libtiff by libvips; by Pillow for LZMA, Zstandard and 8-bit Lab", plugin="PIL.TiffImagePlugin",
        name="tiff", label="TIFF", extensions=("tif", "tiff", "btf", "tf8"), mime="image/tiff", pages="pages", depths=(8, 16),
        signature=rb"II\*\0|MM\0\*|II\x2b\0\x08\0|MM\0\x2b\0\x08", streams=True,
        profiles=(b"RGB ", b"GRAY", b"CMYK", b"Lab "),
    )  # fmt: skip
    container: ClassVar = tiff_metadata.CONTAINER

    compression: Annotated[
        Literal["none", "lzw", "deflate", "jpeg"], Meta(description="compression of the pixels; jpeg is lossy")
    ] = "deflate"
    quality: Annotated[int, Meta(ge=1, le=100, description="quality if the compression is jpeg")] = 85
    tiled: Annotated[bool, Meta(description="write tiles instead of strips")] = False

    @property
    def lossy_quality(self) -> int | None:
        """Return the quality if the compression is lossy, otherwise ``None``."""
        return self.quality if self.compression in LOSSY else None

    @property
    def keeps_alpha(self) -> bool:
        """Return whether the compression has a channel for alpha, which JPEG lacks."""
        return self.compression not in LOSSY

    @classmethod
    def stated_header(cls, source: Input) -> Header:
        """Return the size of the directories, which libtiff reads when it opens the file."""
        return Header(format=cls.format, width=0, height=0, metadata_size=tiff.directory_bytes(source))

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return the header of the picture: the first page, unless that is a thumbnail."""
        directories = tiff.read(source)
        picture = tiff_kinds.picture_of(directories)
        tiff_kinds.check(picture.tags)
        if tiff_kinds.needs_pillow(picture.tags):
            return _header_by_pillow(source, picture)
        header = vips_load.read_header(source, cls.format, "tiffload", **_place(picture))
        header = vips_load.evolve(header, tile_row_pixels=tiff.tile_row_pixels(picture.tags))
        if picture is directories[0]:
            return header
        # DNG states the orientation of all its images in the first directory.
        orientation = picture.tags.get(tiff.ORIENTATION, directories[0].tags.get(tiff.ORIENTATION, (1,)))[0]
        return vips_load.evolve(header, orientation=orientation if orientation in CORRECTIONS else 1)

    @classmethod
    def exif(cls, source: Input) -> Data:
        """Return the file, whose directories are those of EXIF."""
        return source.mapped()

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the picture. The largest preview of a raw photograph is noted."""
        picture = tiff_kinds.picture_of(tiff.read(source))
        if tiff_kinds.needs_pillow(picture.tags):
            return pillow.decode(source, header, lenient=options.fail_on == "none")
        alpha_index = tiff.alpha_index(picture.tags)
        image = vips_load.open_image(source, "tiffload", options, alpha_index=alpha_index, **_place(picture))
        if tiff_kinds.is_bare_ycbcr(picture.tags):
            image = image.evolve(pixels=ycbcr_to_rgb(image.pixels))
        return image.evolve(notes=("preview-used",)) if picture.is_reduced else image

    @classmethod
    def equivalents(cls, source: Input) -> Iterator[Input]:
        """Yield the file without fields that cannot be read, and without what follows its whole pages.

        Where its directories are in order, libtiff still warns about rows of fax codes of another length, which it fills, and about
        LZW codes of some writers; unreadable strips are errors. Of other compressions, a warning may mean a black picture.
        """
        if plain := tiff_rewriting.rewritten(source.read()):
            yield Input(plain)
            if tiff.read(Input(plain))[0].tags.get(tiff.COMPRESSION, (1,))[0] in CODED_BITS:
                yield Input(plain, is_checked=True)

    def encode(self, image: Image) -> bytes:
        """Return the encoded file."""
        pixels = image.pixels
        size = pixels.width * pixels.height * pixels.bands * (2 if image.max_value > 255 else 1)  # noqa: PLR2004  # 16 bits
        return vips_save.save(
            image,
            "tiffsave",
            compression=self.compression,
            predictor="none" if self.compression in (*LOSSY, "none") else "horizontal",
            Q=self.quality,
            tile=self.tiled,
            bigtiff=size > MAX_CLASSIC_BYTES,
        )


def _header_by_pillow(source: Input, picture: tiff.Directory) -> Header:
    """Return the header of a picture that libvips does not read, upright: Pillow turns it.

    ``UnsupportedError`` if it is not the first page.
    """
    if _place(picture):
        raise UnsupportedError("this kind of TIFF is not supported: a thumbnail before a picture that libvips cannot read")
    header, bits = pillow.header(source, Tiff.format), max(picture.tags.get(tiff.BITS, (1,)))
    return structs.replace(header, depth=16 if bits == 16 else 8)  # noqa: PLR2004


def _place(picture: tiff.Directory) -> dict[str, Setting]:
    """Return the settings by which libvips opens ``picture``; none for the first page."""
    settings: dict[str, Setting] = {"page": picture.page, "subifd": picture.below}
    return {} if (picture.page, picture.below) == (0, -1) else settings
