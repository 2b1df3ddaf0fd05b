"""The Pillow backend, for formats that the libvips wheel does not support. Only the plugin of the identified format is tried."""

import importlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyvips

from pixmill.core.errors import MissingExtra
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata.fields import field
from pixmill.imaging.metadata.orientation import orientation_in

if TYPE_CHECKING:
    import PIL.Image

NAMES = {
    "avif": "AVIF", "bmp": "BMP", "heif": "HEIF", "jpeg2000": "JPEG2000", "jxl": "JXL", "png": "PNG",
    "qoi": "QOI", "tga": "TGA", "tiff": "TIFF",
}  # fmt: skip
KINDS = {"icc_profile": "icc", "xmp": "xmp", "exif": "exif"}
#: Where plugins that decode with every core have the number of their threads, by format, and the one that means no other thread
#: than the worker's own.
THREADS = {"avif": ("PIL.AvifImagePlugin", "DEFAULT_MAX_THREADS", 1), "jxl": ("pillow_jxl.JpegXLImagePlugin", "DECODE_THREADS", 0)}
BLOCKS = {"icc_profile": "icc-profile-data", "xmp": "xmp-data", "exif": "exif-data"}


def header(source: Input, file_format: Format) -> Header:
    """Return the header of ``source`` as Pillow reads it.

    The plugin of JPEG XL applies the orientation itself, unless it restores a JPEG.
    """
    with open_picture(source, file_format) as picture:
        return Header(
            format=file_format,
            width=picture.width,
            height=picture.height,
            orientation=orientation_in(picture.info.get("exif") or b"") if getattr(picture, "jpeg", True) else 1,
            frames=getattr(picture, "n_frames", 1),
            bands=len(picture.getbands()),
            metadata=frozenset(kind for name, kind in KINDS.items() if picture.info.get(name)),
            metadata_size=sum(len(picture.info.get(name) or b"") for name in BLOCKS),
        )


def exif(source: Input, file_format: Format) -> bytes:
    """Return the EXIF block of ``source``, empty if it has none."""
    with open_picture(source, file_format) as picture:
        return picture.info.get("exif") or b""


def compressed_metadata(source: Input, file_format: Format) -> tuple[bytes, bytes]:
    """Return EXIF, from its TIFF header on, and XMP of ``source``, also those that the file holds in compressed form."""
    with open_picture(source, file_format) as picture:
        found = (picture.info.get("exif") or b"", picture.info.get("xmp") or b"")
    return found[0].removeprefix(b"Exif\0\0"), found[1]


def decode(source: Input, header: Header, *, lenient: bool) -> Image:
    """Return the decoded image of ``source``."""
    from PIL import ImageFile  # noqa: PLC0415  # takes 20 ms, and most runs never need it

    with open_picture(source, header.format) as picture:
        ImageFile.LOAD_TRUNCATED_IMAGES = lenient
        try:
            picture.load()
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = False
        image = Image.from_pil(_lab_in_srgb(picture) if picture.mode == "LAB" else picture)
        return image.evolve(pixels=with_metadata(image.pixels, picture))


def _lab_in_srgb(picture: "PIL.Image.Image") -> "PIL.Image.Image":
    """Return a picture in CIELab (D50) in sRGB; a profile of its own would describe the colours that it no longer has."""
    from PIL import ImageCms  # noqa: PLC0415  # as above

    picture.info.pop("icc_profile", None)
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(picture, lab, srgb, outputMode="RGB")
    if converted is None:
        raise ValueError("its colours cannot be converted")
    return converted


def encode(image: Image, file_format: Format, **settings: Any) -> bytes:  # noqa: ANN401  # each plugin's own options
    """Return ``image`` encoded by Pillow, with the profile of its pixels and no other metadata."""
    import_plugin(file_format)
    file = io.BytesIO()
    profile = field(image.pixels, "icc-profile-data")
    image.to_pil().save(file, NAMES[file_format.name], **({"icc_profile": profile} if profile else {}), **settings)
    return file.getvalue()


@contextmanager
def open_picture(source: Input, file_format: Format) -> "Iterator[PIL.Image.Image]":
    """Open ``source`` with Pillow, its pixels not decoded yet. In the block, our own limits hold instead of that of Pillow."""
    from PIL import Image as Pillow  # noqa: PLC0415  # as above

    import_plugin(file_format)
    limit, Pillow.MAX_IMAGE_PIXELS = Pillow.MAX_IMAGE_PIXELS, None
    try:
        file = io.BytesIO(source.data) if source.data is not None else source.name
        with Pillow.open(file, formats=(NAMES[file_format.name],)) as picture:
            yield picture
    finally:
        Pillow.MAX_IMAGE_PIXELS = limit


def import_plugin(file_format: Format) -> None:
    """Import the plugin of the format; ``MissingExtra`` if it is not installed."""
    try:
        module = importlib.import_module(file_format.plugin)
    except ImportError:
        raise MissingExtra(file_format.extra, file_format.label) from None
    if file_format.name == "heif":
        module.register_heif_opener()
    if file_format.name in THREADS:
        settings, name, count = THREADS[file_format.name]
        vars(importlib.import_module(settings))[name] = count


def with_metadata(pixels: pyvips.Image, picture: "PIL.Image.Image") -> pyvips.Image:
    """Return ``pixels`` with the metadata of ``picture`` under the field names of libvips."""
    copied = pixels.copy()
    for name, block in BLOCKS.items():
        if picture.info.get(name):
            copied.set_type(pyvips.GValue.blob_type, block, picture.info[name])
    return copied
