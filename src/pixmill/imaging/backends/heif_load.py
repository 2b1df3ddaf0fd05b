"""Read HEIF with libheif, which is imported when the first HEIF file is read.

The plain install has a build without encoders, ``pi_heif``. Where the extra is installed, its build reads as well: it must be
loaded to write, is the first to get fixes, and one process should not load two.
"""

import importlib
import io
from contextlib import suppress
from types import ModuleType
from typing import Any

import pyvips

from pixmill.core.errors import UnsupportedError
from pixmill.imaging.colour.stated import with_stated_colours
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.parsers.heif.primary import Primary, read_primary
from pixmill.imaging.pixels import in_full_range, unpremultiplied

LIBRARIES = ("pillow_heif", "pi_heif")  # with the same interface, best first
BANDS = {"L": 1, "LA": 2, "La": 2, "I": 1, "RGB": 3, "RGBA": 4, "RGBa": 4}
BYTE_BITS, FULL_BITS = 8, 16
#: Metadata by the name that libheif gives it, with the name of the kind and of the field of libvips.
BLOCKS = {"icc_profile": ("icc", "icc-profile-data"), "xmp": ("xmp", "xmp-data"), "exif": ("exif", "exif-data")}


def read_header(source: Input, file_format: Format) -> Header:
    """Return the header of the primary image of ``source``.

    The size is that of the upright image: libheif applies the rotations and mirrors of the container, which EXIF repeats.
    """
    count, picture = _open(source, file_format)
    kind, bits = _kind(picture)
    width, height = picture.size
    blocks = {name: picture.info.get(name) or b"" for name in BLOCKS}
    return Header(
        format=file_format,
        width=width,
        height=height,
        frames=count,
        depth=FULL_BITS if bits > BYTE_BITS else BYTE_BITS,
        bands=BANDS[kind],
        metadata=frozenset(kind for name, (kind, _) in BLOCKS.items() if blocks[name]),
        metadata_size=sum(map(len, blocks.values())),
    )


def exif(source: Input, file_format: Format) -> bytes:
    """Return the EXIF block of the primary image, empty if it has none."""
    return _open(source, file_format)[1].info.get("exif") or b""


def decode(source: Input, file_format: Format) -> Image:
    """Return the primary image of ``source``, upright; 16 bits per channel if the file has 10 or 12."""
    import numpy as np  # noqa: PLC0415  # as everywhere in imaging: most images never become an array

    _, picture = _open(source, file_format)
    data = picture.data
    kind, bits = _kind(picture)
    width, height = picture.size  # which libheif corrects while it decodes
    shape = (height, width, BANDS[kind])
    pixels = np.frombuffer(data, np.uint8 if bits == BYTE_BITS else np.uint16).reshape(shape)
    image = Image.from_numpy(pixels)
    if bits > BYTE_BITS:
        image = image.evolve(pixels=_with_all_bits(image.pixels, bits))
    if kind.endswith("a"):
        image = image.evolve(pixels=unpremultiplied(image.pixels, white=image.max_value))
    stated = read_primary(source.mapped())
    if stated.monochrome and not stated.full_range:  # of colours, libheif applies the range
        image = image.map_colour(lambda luma: in_full_range(luma, bits))
    return _with_metadata(image, picture.info, stated)


def _open(source: Input, file_format: Format) -> tuple[int, Any]:
    """Return the number of images in ``source`` and the primary one, with nothing decoded yet."""
    library = _library()
    library.options.DECODE_THREADS = 0  # a worker processes one image in one thread
    library.options.THUMBNAILS = library.options.DEPTH_IMAGES = library.options.AUX_IMAGES = False
    file = io.BytesIO(source.data) if source.data is not None else source.name
    images = library.HeifFile(file, convert_hdr_to_8bit=False, hdr_to_16bit=False)
    if not len(images):
        raise UnsupportedError(f"this kind of {file_format.label} is not supported: none of its images is coded as HEVC")
    return len(images), images[images.primary_index]


def _library() -> ModuleType:
    for name in LIBRARIES[:-1]:
        with suppress(ImportError):
            return importlib.import_module(name)
    return importlib.import_module(LIBRARIES[-1])


def _kind(picture: Any) -> tuple[str, int]:  # noqa: ANN401  # pi_heif has no types
    """Return the kind of pixels, such as ``RGBA``, and the bits per channel of ``picture``."""
    kind, _, bits = picture.mode.partition(";")
    return kind, int(bits or BYTE_BITS)


def _with_all_bits(pixels: pyvips.Image, bits: int) -> pyvips.Image:
    """Return ``pixels`` of ``bits`` per channel, 8 to 16, with 16, so that white is 65535; computed row by row."""
    return (pixels << (FULL_BITS - bits)) | (pixels >> (2 * bits - FULL_BITS))


def _with_metadata(image: Image, info: dict[str, Any], stated: Primary) -> Image:
    """Return ``image`` with the metadata of ``info`` as fields of libvips, and with the profile of its colours."""
    copied = image.pixels.copy()
    for name, (_, field) in BLOCKS.items():
        if block := info.get(name):
            copied.set_type(pyvips.GValue.blob_type, field, bytes(block))
    statements = {"ICC": info.get("icc_profile") or b"", "nclx": stated.nclx, "MaxCLL": stated.max_cll}
    return with_stated_colours(image.evolve(pixels=copied), statements)
