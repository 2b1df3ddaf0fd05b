"""The kinds of images that ``process`` accepts, and how each becomes the content of a file, which the pipeline reads."""

import io
import os
import sys
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from pixmill.core.errors import ConfigError, DecodeError
from pixmill.core.text import printable
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.storage.local.read import read_all, read_head

if TYPE_CHECKING:
    import numpy as np
    import PIL.Image

MAX_IN_MEMORY = 64_000_000  # bytes; a larger file is streamed
ACCEPTED = "bytes, a path, a file opened in binary mode, a Pillow image or a NumPy array"
#: modes that are saved as they are, by the format that can hold them; other modes are converted
PNG_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"})
TIFF_MODES = frozenset({"CMYK"})
#: modes without a defined conversion to colours, and how to convert them
UNDEFINED_MODES = {
    "F": 'scale its values to 0 to 255, then use image.convert("L")',
    "I": 'scale its values to 0 to 255, then use image.convert("L"), or "I;16" for 16 bits',
    "LAB": "convert it to RGB with PIL.ImageCms",
}
MAX_CHANNELS = 4


class Readable(Protocol):
    """A file, or an object like one."""

    def read(self) -> bytes:
        """Return the rest of the content."""


ImageLike: TypeAlias = "bytes | bytearray | memoryview | str | os.PathLike[str] | Readable | PIL.Image.Image | np.ndarray[Any, Any]"

#: what to pass instead of an image of another library, by the module of its class
_HINTS = {
    "torch": "pass tensor.permute(1, 2, 0).numpy(), as uint8",
    "pyvips.vimage": "pass image.numpy()",
    "pixmill.imaging.image": "pass image.to_numpy() or image.to_pil()",
}


def image_input(image: object) -> Input:
    """Return ``image`` as an input of the pipeline. ``ConfigError`` if it is of no accepted kind, ``ReadError`` for a bad path."""
    if isinstance(image, bytes | bytearray | memoryview):
        return Input(bytes(image))
    if isinstance(image, str | os.PathLike):
        return _of_path(os.fsencode(image))
    pillow, numpy = sys.modules.get("PIL.Image"), sys.modules.get("numpy")  # loaded if there is an object of theirs
    if pillow and isinstance(image, pillow.Image):
        return Input(_file_of_pillow_image(image))
    if numpy and isinstance(image, numpy.ndarray):
        return Input(_file_of_array(image))
    if callable(getattr(image, "read", None)):
        return Input(_rest_of(image))
    raise ConfigError(f"image: expected {ACCEPTED}, received {_kind(image)}", hint=_HINTS.get(type(image).__module__, ""))


def _kind(image: object) -> str:
    kind = type(image)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _of_path(path: bytes) -> Input:
    if not path:
        raise ConfigError("image: expected a path, received empty text")
    if b"://" in path:
        hint = "download it and pass its content; pixmill.run reads buckets and lists of URLs"
        raise ConfigError(f"{printable(path)}: process reads only files of this machine", hint=hint)
    if os.path.isdir(path):  # noqa: PTH112  # bytes
        raise ConfigError(f"{printable(path)} is a folder", hint="pixmill.run(source, destination) processes folders")
    read_head(path, 1, follow=True)  # the error of a file that cannot be read
    size = os.stat(path).st_size  # noqa: PTH116  # bytes
    return Input(path=path) if size > MAX_IN_MEMORY else Input(read_all(path, limit=MAX_IN_MEMORY, follow=True))


def _rest_of(file: Any) -> bytes:  # noqa: ANN401  # any object with a method read
    content = "" if isinstance(file, io.TextIOBase) else file.read()
    if isinstance(content, str):
        raise ConfigError("image: expected a file opened in binary mode, received one in text mode", hint='open(path, "rb")')
    if not isinstance(content, bytes | bytearray | memoryview):
        raise ConfigError(f"image: expected a file whose read() returns bytes, received {_kind(content)} from {_kind(file)}")
    return bytes(content)


def _file_of_array(array: "np.ndarray[Any, Any]") -> bytes:
    """Return ``array`` as an uncompressed PNG file."""
    depth = array.dtype.name
    if depth not in ("uint8", "uint16"):
        hint = (
            'for values from 0 to 1: (array * 255).round().astype("uint8")' if array.dtype.kind == "f" else 'array.astype("uint8")'
        )
        raise ConfigError(f"image: expected an array of uint8 or uint16, received {depth}", hint=hint)
    is_image = array.ndim == 2 or (array.ndim == 3 and 1 <= array.shape[2] <= MAX_CHANNELS)  # noqa: PLR2004  # dimensions
    if not is_image or not array.size:
        shape = " x ".join(map(str, array.shape)) or "no dimension"
        message = f"image: expected an array of height x width, or height x width x 1 to 4 channels, received {shape}"
        is_planar = array.ndim == 3 and 1 <= array.shape[0] <= MAX_CHANNELS  # noqa: PLR2004  # dimensions
        raise ConfigError(message, hint="for channels first: array.transpose(1, 2, 0)" if is_planar else "")
    content: bytes = Image.from_numpy(array.astype(depth, copy=False)).pixels.pngsave_buffer(compression=0)
    return content


def _file_of_pillow_image(image: "PIL.Image.Image") -> bytes:
    """Return the current frame of ``image`` as a lossless, uncompressed file, with its EXIF, XMP and colour profile."""
    from PIL.PngImagePlugin import PngInfo  # noqa: PLC0415  # Pillow is loaded, as the caller has an image of it

    if 0 in image.size:
        raise ConfigError("image: the Pillow image has no pixels")
    if image.mode in UNDEFINED_MODES:
        raise ConfigError(f"image: Pillow images of mode {image.mode} are not supported", hint=UNDEFINED_MODES[image.mode])
    try:
        image.load()
    except (OSError, SyntaxError) as error:  # both mean a damaged file
        raise DecodeError(f"the file of the Pillow image cannot be decoded: {error}") from error
    metadata: dict[str, Any] = {"icc_profile": image.info.get("icc_profile"), "exif": _exif(image)}
    file = io.BytesIO()
    if image.mode in TIFF_MODES:
        image.save(file, "TIFF", **{name: value for name, value in metadata.items() if value})
        return file.getvalue()
    text = PngInfo()
    if xmp := image.info.get("xmp"):
        text.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace") if isinstance(xmp, bytes) else str(xmp))
    _in_png_mode(image).save(file, "PNG", compress_level=0, pnginfo=text, **metadata)
    return file.getvalue()


def _exif(image: "PIL.Image.Image") -> bytes:
    """Return the EXIF data of ``image`` with the changes that the caller has made; unchanged if Pillow cannot read it."""
    try:
        return image.getexif().tobytes()
    except Exception:  # noqa: BLE001  # Pillow raises whatever damaged data leads to
        exif = image.info.get("exif", b"")
        return exif if isinstance(exif, bytes) else b""


def _in_png_mode(image: "PIL.Image.Image") -> "PIL.Image.Image":
    if image.mode in PNG_MODES:
        return image
    if image.mode.startswith("I;16"):
        return image.convert("I;16")
    return image.convert({"La": "LA", "PA": "RGBA", "RGBa": "RGBA"}.get(image.mode, "RGB"))
