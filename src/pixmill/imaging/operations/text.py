"""``text``: write text into the image."""

import unicodedata
from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

import pyvips
from msgspec import Meta, field
from PIL import Image as Pillow
from PIL import ImageDraw

from pixmill.core.errors import TransformError
from pixmill.imaging.backends.fonts import Font, FontError, load, missing
from pixmill.imaging.colour.value import Colour
from pixmill.imaging.compositing import overlaid, within_margins
from pixmill.imaging.geometry.gravity import Gravity
from pixmill.imaging.geometry.sizes import Distance, Size
from pixmill.imaging.image import Image
from pixmill.imaging.metadata.variables import check_text, filled, used
from pixmill.imaging.operation import Operation

MAX_SIZE = 2000  # pixels of a font


class Caption(str):
    """A text of one or more lines, with variables such as ``{artist}``."""

    __slots__ = ()
    expected: ClassVar[str] = "a text"

    @classmethod
    def from_builtin(cls, value: object) -> Self:
        r"""Check the variables of a text, in which ``\n`` begins another line. Raise ``ValueError``."""
        text = str(value).replace("\\n", "\n")
        if not text.strip():
            raise ValueError(cls.expected)
        check_text(text)
        return cls(text)

    def to_builtin(self) -> str:
        """Return the text."""
        return str(self)


class Text(Operation, frozen=True, kw_only=True, tag="text"):
    r"""Write text into the image: a copyright notice in a corner, a date, a title.

    Use it after the resize, so that the text is not scaled with the image. ``{date:%Y}`` and other variables stand for what the
    metadata of the source say (``pixmill explain variables``); ``{width}`` and ``{height}`` are those of the image. ``\n`` begins
    another line. Text that does not fit between the margins is made smaller. Without ``font``, the text may have the
    letters of English only; the file of a font is part of the recipe, so that every machine writes the same.

    Example: ``--step text:text=Draft,gravity=south-east,margin=16,opacity=0.7``
    """

    wants_final_scale = True

    caption: Annotated[Caption, Meta(description="the text, with variables such as {artist} and {date:%Y}")] = field(name="text")
    gravity: Annotated[Gravity, Meta(description="position of the text in the image")] = Gravity("south-east")
    size: Annotated[int, Meta(ge=1, le=MAX_SIZE, description="size of the font in pixels")] = 32
    color: Annotated[Colour, Meta(description="colour of the text")] = Colour(255, 255, 255)
    opacity: Annotated[float, Meta(ge=0, le=1, description="0 is invisible, 1 keeps the opacity of the colour")] = 1.0
    margin: Annotated[Distance, Meta(description="pixels between the text and the edges")] = 16
    font: Annotated[
        str | None,
        Meta(
            min_length=1,
            description="path of a font, a local file such as DejaVuSans.ttf; default: one for Latin scripts",
            extra={"value": "FILE"},
        ),
    ] = None

    @property
    def files(self) -> tuple[str, ...]:
        """Return the file of the font: another font changes the recipe."""
        return () if self.font is None else (self.font,)

    @property
    def variables(self) -> frozenset[str]:
        """Return the names of the variables in the text."""
        return used([self.caption])

    def check(self) -> None:
        """Raise ``RecipeError`` if the font cannot be read, or lacks a character that is in the text of every image."""
        super().check()
        try:
            _check_characters(load(self.font, self.size, self.caption), filled(self.caption, {}))
        except FontError as error:
            raise self.error(f"text: {error}", hint=error.hint) from error

    def with_values(self, values: Mapping[str, str]) -> Self:
        """Return the step with the ``values`` of the metadata in its text; variables of the size stay."""
        sides = {"width": "{width}", "height": "{height}"}
        text = filled(self.caption, {**{name: _printable(value) for name, value in values.items()}, **sides})
        return self.evolve(caption=Caption(text or " "))

    def apply(self, image: Image) -> Image:
        """Return each frame with the text on it. Raise ``TransformError`` if the font lacks one of its characters."""
        text = filled(self.caption, {"width": str(image.width), "height": str(image.height)}).strip()
        if not text:
            return image
        try:
            font = load(self.font, self.size, text)
            _check_characters(font, text)
            shape = _shape(text, self.font, self.size, within_margins((image.width, image.height), self.margin))
        except FontError as error:
            raise TransformError(f"text: {error}", hint=error.hint) from error
        return overlaid(image, self._coloured(shape), position=self.gravity, margin=self.margin)

    def _coloured(self, shape: Pillow.Image) -> pyvips.Image:
        """Return the text in its colour, with alpha."""
        opacity = self.opacity * self.color.alpha / 255
        covered = pyvips.Image.new_from_memory(shape.tobytes(), shape.width, shape.height, 1, "uchar")
        colour = [self.color.red] if self.color.is_gray else [self.color.red, self.color.green, self.color.blue]
        space = "b-w" if self.color.is_gray else "srgb"
        plain = covered.new_from_image(colour).cast("uchar").copy(interpretation=space)
        return plain.bandjoin((covered * opacity).rint().cast("uchar")).copy(interpretation=space)


def _printable(value: str) -> str:
    """Return ``value`` on one line, without control characters and braces."""
    return " ".join("".join(" " if unicodedata.category(each)[0] == "C" or each in "{}" else each for each in value).split())


def _check_characters(font: Font, text: str) -> None:
    """Raise ``FontError`` if ``font`` lacks a character of ``text``."""
    if absent := missing(font, text):
        shown = ", ".join(f"{each} (U+{ord(each):04X})" for each in absent)
        raise FontError(f"the font has no {shown}", hint="give the file of a font that has it: font=FILE")


def _shape(text: str, path: str | None, size: int, room: Size) -> Pillow.Image:
    """Return how much of each pixel the text covers, in a font of ``size`` or smaller, so that it fits into ``room``."""
    while True:
        font = load(path, size, text)
        draw = ImageDraw.Draw(Pillow.new("L", (1, 1)))
        left, top, right, bottom = draw.multiline_textbbox((0, 0), text, font=font, align="center")
        width, height = max(1, int(right - left + 0.999)), max(1, int(bottom - top + 0.999))
        if size == 1 or (width <= room[0] and height <= room[1]):
            break
        size = max(1, min(size - 1, int(size * min(room[0] / width, room[1] / height))))
    shape = Pillow.new("L", (width, height))
    ImageDraw.Draw(shape).multiline_text((-left, -top), text, fill=255, font=font, align="center")
    return shape.crop((0, 0, min(width, room[0]), min(height, room[1])))
