"""Find the stage that caused an error: a lazy engine decodes while it encodes, so errors surface late."""

import re

import pyvips

from pixmill.core.errors import DecodeError, EncodeError, ImageError, TransformError
from pixmill.imaging.backends.errors import decoder_error, message_lines
from pixmill.imaging.formats import sniff
from pixmill.imaging.input import Input
from pixmill.imaging.recipe import Recipe

# The prefixes by which the messages of libvips name their origin.
SAVER = re.compile(r"\w+save\w*:|Maximum supported image dimension|cgif")
LOADER = re.compile(r"VipsJpeg|vipspng|\w*load\w*:|\w+2vips|VipsForeignLoad|source input|uhdr|Nsgif", re.IGNORECASE)


def classify_error(error: Exception, stage: str, source: Input) -> ImageError:
    """Return the ``ImageError`` for ``error``, which was raised in ``stage`` on ``source``, assigned to its true stage.

    While it encodes, libvips also reads, decodes and transforms, so most errors in that stage are caused by the source.
    """
    file_format = sniff(source.head)
    if file_format is None:
        return DecodeError(f"the file cannot be read as an image: {_reason(error)}")
    if stage in ("header", "decode") or _is_decoder_error(error, stage):
        return decoder_error(error, file_format, source)
    if stage == "transform":
        return TransformError(f"a step failed: {_reason(error)}")
    return EncodeError(f"the encoder failed: {_reason(error)}")


def without_futile_hint(error: ImageError, recipe: Recipe) -> ImageError:
    """Return ``error``, without its hint if that names what ``recipe`` does already."""
    if not (recipe.allow_truncated and error.options.get("allow_truncated")):
        return error
    return DecodeError(f"{error.message}; too little of it is left", code=error.code)


def _is_decoder_error(error: Exception, stage: str) -> bool:
    if not isinstance(error, pyvips.Error):
        return False
    detail = str(error.detail)
    return SAVER.search(detail) is None if stage == "encode" else LOADER.search(detail) is not None


def _reason(error: Exception) -> str:
    return next(iter(message_lines(error)), type(error).__name__)
