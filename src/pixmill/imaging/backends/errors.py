"""Translate the errors of libvips and of its loaders for the user."""

import re

from pixmill.core.errors import DecodeError, LimitError, UnsupportedError
from pixmill.imaging.format import Format
from pixmill.imaging.input import Input

# Messages of libraries about a file that ends too early.
TRUNCATED = re.compile(
    r"premature end|truncat|unexpected end|end of (?:file|stream|data)|not enough|too short|out of data|read error|EOF|incomplete"
    r"|Not enough data|insufficient|readgifimage|unable to read|corrupt.*read.*only",
    re.IGNORECASE,
)
# Messages about an intact file of an unsupported kind.
UNSUPPORTED_VARIANT = re.compile(
    r"not supported|unsupported|not implemented|unimplemented|not configured|compression support|unknown compression|cannot handle"
    r"|arithmetic|SOF type|data precision|lossless|Sorry|whole number of bytes|samples out of range|labq"
    r"|Maximum supported image dimension|required field \d+ missing",
    re.IGNORECASE,
)
# Messages about a limit of the library itself, which none of our options raises.
LIBRARY_LIMIT = re.compile(
    r"security limit|user limits?|exceeds (?:the )?(?:limit|maximum)|beyond the .{1,40} limit|decompression bomb|PARSE_HUGE",
    re.IGNORECASE,
)
SUMMARY = re.compile(r"^unable to (?:load|call|write).*$|^.*operation is blocked.*$", re.MULTILINE)
DOMAIN = re.compile(
    r"^\s*(?:Vips\w+|\w+(?:load|save)\w*|vips\w*|\w+2vips|source input|tiff2vips|heif|webp|gif|png)\s*:\s*", re.IGNORECASE
)
MAX_LINE_LENGTH = 120


def decoder_error(error: Exception, file_format: Format, source: Input) -> DecodeError | LimitError | UnsupportedError:
    """Return the user-facing error for ``error``, which a decoder of ``file_format`` raised on ``source``."""
    lines = message_lines(error)
    if line := _first(LIBRARY_LIMIT, lines):
        return LimitError(f"the {file_format.label} exceeds a limit of its decoder that no option raises: {line}")
    if line := _first(UNSUPPORTED_VARIANT, lines):
        return UnsupportedError(f"this kind of {file_format.label} is not supported: {line}")
    is_complete = file_format.end and file_format.end in source.tail
    if not is_complete and (line := _first(TRUNCATED, lines)):
        return truncated(file_format, line)
    return DecodeError(": ".join((f"the {file_format.label} is damaged", *lines[:1])))


def truncated(file_format: Format, reason: str) -> DecodeError:
    """Return the error for a file that ends too early."""
    message, hint = f"the {file_format.label} is truncated: {reason}", "to decode as much as possible"
    return DecodeError(message, hint=hint, code="truncated", options={"allow_truncated": True})


def _first(pattern: re.Pattern[str], lines: list[str]) -> str:
    return next(filter(pattern.search, lines), "")


def message_lines(error: Exception) -> list[str]:
    """Return the lines of a library's error message, without the prefixes that name its own parts."""
    text = str(getattr(error, "detail", "") or error)
    lines = (DOMAIN.sub("", line).strip() for line in SUMMARY.sub("", text).splitlines())
    return [line if len(line) <= MAX_LINE_LENGTH else line[:MAX_LINE_LENGTH] + "..." for line in lines if line]
