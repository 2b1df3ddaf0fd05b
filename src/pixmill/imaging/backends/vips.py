"""The general engine, libvips: how it is set up, called, and what its errors mean.

Loaders are named by us, from our own look at the first bytes: libvips never chooses one, so that no file can reach a loader
that it was not meant for.
"""

import re
from typing import Any

import pyvips

from pixmill.core.errors import DecodeError, UnsupportedError
from pixmill.imaging.format import Format
from pixmill.imaging.input import Input

#: The value of an option of a libvips operation.
Setting = str | int | float

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


def configure() -> None:
    """Set libvips up for a worker: one thread, no cache of operations, no loader that runs what a file tells it to.

    Workers are processes, one image at a time each: threads inside would only contend, and a cache would only hold pixels
    that never come again.
    """
    pyvips.concurrency_set(1)
    pyvips.cache_set_max(0)
    pyvips.block_untrusted_set(True)  # noqa: FBT003  # the library's own signature


def load(source: Input, loader: str, **settings: Setting) -> pyvips.Image:
    """Open ``source`` with the libvips ``loader``, to be read once from top to bottom; ``pyvips.Error`` when it cannot be."""
    pyvips.vips_lib.vips_error_clear()  # what the picture before left unsaid would be told of this one
    settings = {"access": "sequential", **settings}
    if source.data is None:
        return pyvips.Operation.call(loader, source.name, **settings)
    return pyvips.Operation.call(f"{loader}_buffer", source.data, **settings)


def field(pixels: pyvips.Image, name: str, default: Any = None) -> Any:  # noqa: ANN401  # any type of field
    """Return a field of the header of ``pixels``, ``default`` when it has none."""
    return pixels.get(name) if pixels.get_typeof(name) else default


def field_names(pixels: pyvips.Image) -> list[str]:
    """Return the names of the fields in the header of ``pixels``, but for those that are not text.

    ``get_fields`` fails on them all when one is: PNG lets a file name its comments in any bytes.
    """
    listed, names, index = pyvips.vips_lib.vips_image_get_fields(pixels.pointer), [], 0
    while listed[index] != pyvips.ffi.NULL:
        names.append(pyvips.ffi.string(listed[index]))
        pyvips.glib_lib.g_free(listed[index])
        index += 1
    pyvips.glib_lib.g_free(listed)
    return [name.decode() for name in names if name.isascii()]


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
