"""What the errors of libvips and of its loaders mean to the user."""

import re

from pixmill.core.errors import DecodeError, UnsupportedError
from pixmill.imaging.format import Format
from pixmill.imaging.input import Input

# What libraries say when a file ends too early.
CUT_OFF = re.compile(
    r"premature end|truncat|unexpected end|end of (?:file|stream|data)|not enough|too short|out of data|read error|EOF|incomplete"
    r"|Not enough data|insufficient|readgifimage|unable to read|corrupt.*read.*only",
    re.IGNORECASE,
)
# What they say when the file is sound and they do not know its kind.
UNKNOWN_KIND = re.compile(
    r"not supported|unsupported|not implemented|unimplemented|not configured|compression support|unknown compression|cannot handle"
    r"|arithmetic|SOF type|data precision|lossless|Sorry|whole number of bytes|samples out of range|labq"
    r"|Maximum supported image dimension|required field \d+ missing",
    re.IGNORECASE,
)
SUMMARY = re.compile(r"^unable to (?:load|call|write).*$|^.*operation is blocked.*$", re.MULTILINE)
DOMAIN = re.compile(
    r"^\s*(?:Vips\w+|\w+(?:load|save)\w*|vips\w*|\w+2vips|source input|tiff2vips|heif|webp|gif|png)\s*:\s*", re.IGNORECASE
)
LONGEST_LINE = 120


def failure(error: Exception, known: Format, source: Input) -> DecodeError | UnsupportedError:
    """Return what ``error``, raised by a decoder of ``known`` on ``source``, means to the user."""
    lines = said(error)
    if line := _first(UNKNOWN_KIND, lines):
        return UnsupportedError(f"this kind of {known.label} is not supported: {line}")
    whole = known.end and known.end in source.tail
    if not whole and (line := _first(CUT_OFF, lines)):
        message, hint = f"the {known.label} is cut off: {line}", "--allow-truncated takes what there is of it"
        return DecodeError(message, hint=hint, code="truncated")
    return DecodeError(": ".join((f"the {known.label} is damaged", *lines[:1])))


def _first(pattern: re.Pattern[str], lines: list[str]) -> str:
    return next(filter(pattern.search, lines), "")


def said(error: Exception) -> list[str]:
    """Return what a library said went wrong, line by line, without its own names."""
    text = str(getattr(error, "detail", "") or error)
    lines = (DOMAIN.sub("", line).strip() for line in SUMMARY.sub("", text).splitlines())
    return [line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + "..." for line in lines if line]
