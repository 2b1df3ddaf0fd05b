"""Whose fault it was: a lazy engine decodes while it encodes, and its errors come when they come."""

import re

import pyvips

from pixmill.core.errors import DecodeError, EncodeError, ImageError, TransformError
from pixmill.imaging.backends.errors import failure, said
from pixmill.imaging.formats import sniff
from pixmill.imaging.input import Input

# How the parts of libvips sign what they say.
SAVER = re.compile(r"\w+save\w*:|Maximum supported image dimension|cgif")
LOADER = re.compile(r"VipsJpeg|vipspng|\w*load\w*:|\w+2vips|VipsForeignLoad|source input|uhdr|Nsgif", re.IGNORECASE)


def classify_error(error: Exception, stage: str, source: Input) -> ImageError:
    """Return the error that ``error``, raised in ``stage`` on ``source``, means: with its true stage.

    While it encodes, libvips reads, decodes and transforms, so that what goes wrong there is mostly the source's fault.
    """
    known = sniff(source.head)
    if known is None:
        return DecodeError(f"the file cannot be read as an image: {_reason(error)}")
    if stage in ("header", "decode") or _came_from_the_decoder(error, stage):
        return failure(error, known, source)
    if stage == "transform":
        return TransformError(f"a step failed: {_reason(error)}")
    return EncodeError(f"the encoder failed: {_reason(error)}")


def _came_from_the_decoder(error: Exception, stage: str) -> bool:
    if not isinstance(error, pyvips.Error):
        return False
    said = str(error.detail)
    return SAVER.search(said) is None if stage == "encode" else LOADER.search(said) is not None


def _reason(error: Exception) -> str:
    return next(iter(said(error)), type(error).__name__)
