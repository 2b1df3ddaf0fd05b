"""Translate the errors of every library that reads, resizes or writes pixels for the user, and assign each to its true stage.

The only place that does so: backends and codecs let the errors of their libraries pass.
"""

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

import pyvips

from pixmill.core.errors import (
    DecodeError,
    EncodeError,
    ImageError,
    LimitError,
    PixmillError,
    Skip,
    TransformError,
    UnsupportedError,
)
from pixmill.imaging.format import Format
from pixmill.imaging.formats import sniff
from pixmill.imaging.input import Input
from pixmill.imaging.recipe import Recipe

# The prefixes by which the messages of libvips name their origin.
SAVER = re.compile(r"\w+save\w*:|Maximum supported image dimension|cgif")
LOADER = re.compile(r"VipsJpeg|vipspng|\w*load\w*:|\w+2vips|VipsForeignLoad|source input|uhdr|Nsgif", re.IGNORECASE)
# Messages of libraries about a file that ends too early.
TRUNCATED = re.compile(
    r"premature end|truncat|unexpected end|end of (?:file|stream|data)|not enough|too short|out of data|read error|EOF|incomplete"
    r"|Not enough data|insufficient|readgifimage|unable to read|corrupt.*read.*only",
    re.IGNORECASE,
)
# Messages about an intact file of an unsupported kind.
UNSUPPORTED_VARIANT = re.compile(
    r"not supported|unsupported(?! marker)|not implemented|unimplemented|not configured|not been built in"
    r"|compression support|unknown compression"
    r"|cannot handle"
    r"|arithmetic|SOF type|data precision|(?<!/)lossless|Sorry|whole number of bytes|samples out of range|labq"
    r"|Maximum supported image dimension|required field \d+ missing",
    re.IGNORECASE,
)
# Messages about a limit of the library itself, which none of our options raises.
LIBRARY_LIMIT = re.compile(
    r"security limit|user limits?|exceeds (?:the )?(?:limit|maximum)|beyond the .{1,40} limit|decompression bomb|PARSE_HUGE",
    re.IGNORECASE,
)
SUMMARY = re.compile(r"^unable to (?:load|call|write).*$|^.*operation is blocked.*$|^cannot identify image file.*$", re.MULTILINE)
DOMAIN = re.compile(
    r"^\s*(?:Vips\w+|\w+(?:load|save)\w*|vips\w*|\w+2vips|source input|tiff2vips|heif|webp|gif|png)\s*:\s*", re.IGNORECASE
)
#: How Python presents objects in messages of others; the address is another one in every run.
OBJECT = re.compile(r"\s*:?\s*<[^<>]* at 0x[0-9a-fA-F]+>")
MAX_LINE_LENGTH = 120


@contextmanager
def translating_errors(source: Input, recipe: Recipe, stage: Callable[[], str]) -> Iterator[None]:
    """Raise an ``ImageError`` for every error of a library in the block; ``stage`` returns the name of the current stage."""
    try:
        yield
    except ImageError as error:
        raise _without_futile_hint(error, recipe) from error.__cause__
    except (PixmillError, MemoryError, Skip):
        raise
    except Exception as error:
        raise _without_futile_hint(classify_error(error, stage(), source, recipe.allowed), recipe) from error


def classify_error(error: Exception, stage: str, source: Input, allow: Collection[str] = ()) -> ImageError:
    """Return the ``ImageError`` for ``error``, which was raised in ``stage`` on ``source``, assigned to its true stage.

    A lazy engine decodes while it encodes, so errors surface late: most errors in that stage are caused by the source.
    """
    file_format = sniff(source.head, allow)
    if file_format is None:
        return DecodeError(f"the file cannot be read as an image: {_reason(error)}")
    if stage in ("header", "decode") or _is_decoder_error(error, stage):
        return _decoder_error(error, file_format, source)
    if stage == "transform":
        return TransformError(f"a step failed: {_reason(error)}")
    return EncodeError(f"the encoder failed: {_reason(error)}")


def _without_futile_hint(error: ImageError, recipe: Recipe) -> ImageError:
    """Return ``error``, without its hint if that names what ``recipe`` does already."""
    if not (recipe.allow_truncated and error.options.get("allow_truncated")):
        return error
    return DecodeError(f"{error.message}; too little of it is left", code=error.code)


def _is_decoder_error(error: Exception, stage: str) -> bool:
    if not isinstance(error, pyvips.Error):
        return False
    detail = str(error.detail)
    return SAVER.search(detail) is None if stage == "encode" else LOADER.search(detail) is not None


def _decoder_error(error: Exception, file_format: Format, source: Input) -> ImageError:
    """Return the user-facing error for ``error``, which a decoder of ``file_format`` raised on ``source``."""
    lines = _message_lines(error)
    if line := _first(LIBRARY_LIMIT, lines):
        return LimitError(f"the {file_format.label} exceeds a limit of its decoder that no option raises: {line}")
    if line := _first(UNSUPPORTED_VARIANT, lines):
        return UnsupportedError(f"this kind of {file_format.label} is not supported: {line}", kind=file_format.label)
    is_complete = file_format.end and file_format.end in source.tail
    if not is_complete and (line := _first(TRUNCATED, lines)):
        message, hint = f"the {file_format.label} is truncated: {line}", "to decode as much as possible"
        return DecodeError(message, hint=hint, code="truncated", options={"allow_truncated": True})
    return DecodeError(": ".join((f"the {file_format.label} is damaged", *lines[:1])))


def _first(pattern: re.Pattern[str], lines: list[str]) -> str:
    return next(filter(pattern.search, lines), "")


def _reason(error: Exception) -> str:
    return next(iter(_message_lines(error)), type(error).__name__)


def _message_lines(error: Exception) -> list[str]:
    """Return the lines of a library's error message, without the prefixes that name its own parts."""
    text = OBJECT.sub("", str(getattr(error, "detail", "") or error))
    lines = (DOMAIN.sub("", line).strip() for line in SUMMARY.sub("", text).splitlines())
    return [line if len(line) <= MAX_LINE_LENGTH else line[:MAX_LINE_LENGTH] + "..." for line in lines if line]
