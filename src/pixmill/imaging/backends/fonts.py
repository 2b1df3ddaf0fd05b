"""Load fonts with FreeType, and find the characters that they lack.

Characters are placed one after the other, as FreeType has them, whatever else a machine has installed, so that every machine draws
the same. Scripts whose letters depend on their neighbours, or run from right to left, need libraqm, which Pillow brings along.
"""

import unicodedata
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from PIL import ImageFont, features

Font = ImageFont.FreeTypeFont
NO_CHARACTER = "\U0010ffff"  # a place that Unicode will never use
RIGHT_TO_LEFT = ("R", "AL", "AN")
#: Scripts of South and South-East Asia, whose letters combine.
COMBINING_SCRIPTS = (range(0x0900, 0x0E00), range(0x0F00, 0x10A0), range(0x1780, 0x1800))
INVISIBLE = ("Z", "C", "M")  # the first letters of categories: spaces, controls, and marks, which combine with a letter
MAX_SHOWN = 5


class FontError(Exception):
    """A font cannot be used, with what to do about it."""

    def __init__(self, message: str, *, hint: str) -> None:
        """Take the message and the hint."""
        super().__init__(message)
        self.hint = hint


def load(path: str | None, size: int, text: str) -> Font:
    """Return the font in the file ``path``, or Pillow's own, at a size in pixels, to draw ``text``. Raise ``FontError``."""
    engine = ImageFont.Layout.RAQM if needs_arranging(text) else ImageFont.Layout.BASIC
    if path is None:
        return _own(size, engine)
    try:
        state = Path(path).stat()
        return _loaded(path, state.st_mtime_ns, state.st_size, size, engine)
    except OSError as error:
        raise FontError(f"cannot read the font {path}: {error}", hint="give the file of a TrueType or OpenType font") from error


def missing(font: Font, text: str) -> list[str]:
    """Return the first characters of ``text`` that ``font`` lacks. Raise ``FontError`` if this machine cannot arrange them."""
    if needs_arranging(text) and not features.check("raqm"):
        message = "this machine cannot arrange letters of this script, since Pillow finds no FriBiDi"
        raise FontError(message, hint="install the package fribidi, or libfribidi0")
    absent = _drawn(font, NO_CHARACTER)
    visible = dict.fromkeys(each for each in text if unicodedata.category(each)[0] not in INVISIBLE)
    return [each for each in visible if _drawn(font, each) in (absent, b"")][:MAX_SHOWN]


def needs_arranging(text: str) -> bool:
    """Return whether letters of ``text`` depend on their neighbours, or run from right to left."""
    is_combining = (ord(each) in script for each in text for script in COMBINING_SCRIPTS)
    return any(unicodedata.bidirectional(each) in RIGHT_TO_LEFT for each in text) or any(is_combining)


def _drawn(font: Font, character: str) -> bytes:
    return bytes(font.getmask(character))


@lru_cache(maxsize=16)
def _own(size: int, engine: ImageFont.Layout) -> Font:
    font = ImageFont.load_default(size)
    if not isinstance(font, Font):
        raise FontError("this Pillow has no FreeType", hint="install a Pillow from a wheel")
    return font.font_variant(layout_engine=engine)


@lru_cache(maxsize=16)
def _loaded(path: str, modified: int, length: int, size: int, engine: ImageFont.Layout) -> Font:  # noqa: ARG001  # parts of the key
    return ImageFont.truetype(BytesIO(Path(path).read_bytes()), size, layout_engine=engine)
