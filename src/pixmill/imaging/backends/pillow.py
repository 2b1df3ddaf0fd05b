"""The other engine, Pillow: for formats that the wheel of libvips does not have. Only the one plugin that is wanted is tried."""

import importlib
import io
from typing import TYPE_CHECKING, Any

import pyvips

from pixmill.core.errors import MissingExtra
from pixmill.imaging.backends.errors import failure
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata import fields
from pixmill.imaging.metadata.fields import field

if TYPE_CHECKING:
    import PIL.Image

PLUGINS = {"bmp": "PIL.BmpImagePlugin", "heif": "pillow_heif.as_plugin", "jxl": "pillow_jxl"}
NAMES = {"bmp": "BMP", "heif": "HEIF", "jxl": "JXL"}
KINDS = {"icc_profile": "icc", "xmp": "xmp", "exif": "exif"}
BLOCKS = {"icc_profile": "icc-profile-data", "xmp": "xmp-data", "exif": "exif-data"}


def header(source: Input, known: Format) -> Header:
    """Return what Pillow reads of the header of ``source``; the error that its failure means."""
    with _opened(source, known) as picture:
        return Header(
            format=known,
            width=picture.width,
            height=picture.height,
            frames=getattr(picture, "n_frames", 1),
            bands=len(picture.getbands()),
            metadata=frozenset(kind for name, kind in KINDS.items() if picture.info.get(name)),
            metadata_size=sum(len(picture.info.get(name) or b"") for name in BLOCKS),
        )


def decode(source: Input, about: Header, *, lenient: bool) -> Image:
    """Return the picture of ``source``, decoded; the error that its failure means."""
    from PIL import ImageFile  # noqa: PLC0415  # 20 ms, and most runs meet no file that needs it

    with _opened(source, about.format) as picture:
        ImageFile.LOAD_TRUNCATED_IMAGES = lenient
        try:
            picture.load()
        except Exception as error:
            raise failure(error, about.format, source) from error
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = False
        image = Image.from_pil(picture)
        return image.evolve(pixels=_with_metadata(image.pixels, picture))


def encode(image: Image, known: Format, **settings: Any) -> bytes:  # noqa: ANN401  # each plugin's own options
    """Return the file that Pillow makes of ``image``."""
    _plugin(known)
    file = io.BytesIO()
    blocks = {"icc_profile": field(image.pixels, "icc-profile-data"), "exif": fields.exif_block(image.pixels)}
    image.to_pil().save(file, NAMES[known.name], **{name: block for name, block in blocks.items() if block}, **settings)
    return file.getvalue()


def _opened(source: Input, known: Format) -> "PIL.Image.Image":
    from PIL import Image as Pillow  # noqa: PLC0415  # the same

    _plugin(known)
    try:
        file = io.BytesIO(source.data) if source.data is not None else source.name
        return Pillow.open(file, formats=(NAMES[known.name],))
    except Exception as error:
        raise failure(error, known, source) from error


def _plugin(known: Format) -> None:
    try:
        module = importlib.import_module(PLUGINS[known.name].removesuffix(".as_plugin"))
    except ImportError:
        raise MissingExtra(known.extra, f"{known.label}") from None
    if known.name == "heif":
        module.register_heif_opener()


def _with_metadata(pixels: pyvips.Image, picture: "PIL.Image.Image") -> pyvips.Image:
    """Return ``pixels`` with the metadata of ``picture`` as the fields that libvips gives such."""
    marked = pixels.copy()
    for name, block in BLOCKS.items():
        if picture.info.get(name):
            marked.set_type(pyvips.GValue.blob_type, block, picture.info[name])
    return marked
