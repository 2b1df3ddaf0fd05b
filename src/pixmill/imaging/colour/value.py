"""Parse colours such as ``white``, ``#ff8800``, ``#ff880080`` and ``255,136,0``, and convert them to an image's bands."""

import re
from typing import ClassVar, Self

from pixmill.imaging.image import Image

#: The sixteen colours of HTML 4.01, section 6.5, and the keyword ``transparent`` of CSS.
NAMES = {
    "black": "#000000", "silver": "#c0c0c0", "gray": "#808080", "white": "#ffffff",
    "maroon": "#800000", "red": "#ff0000", "purple": "#800080", "fuchsia": "#ff00ff",
    "green": "#008000", "lime": "#00ff00", "olive": "#808000", "yellow": "#ffff00",
    "navy": "#000080", "blue": "#0000ff", "teal": "#008080", "aqua": "#00ffff",
    "transparent": "#00000000",
}  # fmt: skip
OPAQUE = 255
RGB_BANDS = 3


class Colour:
    """A colour in sRGB with opacity, each channel from 0 to 255."""

    __slots__ = ("alpha", "blue", "green", "red")
    expected: ClassVar[str] = "a colour such as white, #ff8800, #ff880080 or 255,136,0"
    _hexadecimal: ClassVar[re.Pattern[str]] = re.compile(r"#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})", re.IGNORECASE)
    _decimal: ClassVar[re.Pattern[str]] = re.compile(r"\d{1,3}(?:\s*,\s*\d{1,3}){2,3}")

    def __init__(self, red: int, green: int, blue: int, *, alpha: int = OPAQUE) -> None:
        """Take the channels. Raise ``ValueError`` unless each is from 0 to 255."""
        if not all(0 <= channel <= OPAQUE for channel in (red, green, blue, alpha)):
            raise ValueError(self.expected)
        self.red, self.green, self.blue, self.alpha = red, green, blue, alpha

    @classmethod
    def from_builtin(cls, value: object) -> Self:
        """Parse ``value``. Raise ``ValueError`` if it is not a colour."""
        text = str(value).strip()
        text = NAMES.get(text.lower(), text)
        if match := cls._hexadecimal.fullmatch(text):
            digits = match[1] if len(match[1]) > len("rgba") else "".join(2 * digit for digit in match[1])
            channels = list(bytes.fromhex(digits))
        elif cls._decimal.fullmatch(text):
            channels = [int(channel) for channel in text.split(",")]
        else:
            raise ValueError(cls.expected)
        return cls(*channels[:RGB_BANDS], alpha=channels[RGB_BANDS] if len(channels) > RGB_BANDS else OPAQUE)

    @property
    def is_opaque(self) -> bool:
        """Return whether the colour is fully opaque."""
        return self.alpha == OPAQUE

    @property
    def is_gray(self) -> bool:
        """Return whether a gray image can represent the colour, which is also true if it is fully transparent."""
        return self.red == self.green == self.blue or self.alpha == 0

    def band_values(self, image: Image) -> list[float]:
        """Return the colour as values for the bands of ``image``, at its depth; see ``with_bands_for``."""
        colour = [self.red, self.green, self.blue] if image.pixels.bands >= RGB_BANDS else [self.red]
        bands = [*colour, self.alpha] if image.has_alpha else colour
        return [band * image.max_value / OPAQUE for band in bands]

    def with_bands_for(self, image: Image) -> Image:
        """Return ``image`` with the bands that this colour needs: RGB instead of gray, or an added alpha band."""
        pixels = image.pixels
        if pixels.bands < RGB_BANDS and not self.is_gray:
            pixels = pixels.colourspace("rgb16" if image.max_value > OPAQUE else "srgb")
        if not self.is_opaque and not pixels.hasalpha():
            pixels = pixels.addalpha()
        return image.evolve(pixels=pixels)

    def to_builtin(self) -> str:
        """Return the canonical text, which parses back to the same value."""
        alpha = "" if self.is_opaque else f"{self.alpha:02x}"
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}{alpha}"

    def __str__(self) -> str:
        """Return the canonical text."""
        return self.to_builtin()

    def __repr__(self) -> str:
        """Return the canonical text with the class name."""
        return f"Colour({self})"

    def __eq__(self, other: object) -> bool:
        """Compare by value."""
        return isinstance(other, Colour) and self.to_builtin() == other.to_builtin()

    def __hash__(self) -> int:
        """Hash by value."""
        return hash(self.to_builtin())
