"""Positions in an image, such as ``centre``, ``north-east`` or ``bottom``, and where they put a rectangle."""

from typing import ClassVar, Self

#: The fraction of the free space to the left of a rectangle, and above it.
POSITIONS = {
    "north-west": (0.0, 0.0), "north": (0.5, 0.0), "north-east": (1.0, 0.0),
    "west": (0.0, 0.5), "centre": (0.5, 0.5), "east": (1.0, 0.5),
    "south-west": (0.0, 1.0), "south": (0.5, 1.0), "south-east": (1.0, 1.0),
}  # fmt: skip
SYNONYMS = {"center": "centre", "middle": "centre", "top": "north", "bottom": "south", "left": "west", "right": "east"}


class Gravity(str):
    """Where a rectangle is placed in a larger one: one of nine compass positions."""

    __slots__ = ()
    expected: ClassVar[str] = f"one of {', '.join(POSITIONS)}"
    choices: ClassVar[tuple[str, ...]] = tuple(POSITIONS)

    @classmethod
    def from_builtin(cls, value: object) -> Self:
        """Parse a name, including ``top-left`` and ``northwest``. Raise ``ValueError`` if it is not a position."""
        words = str(value).strip().lower().replace("_", "-").replace(" ", "-")
        name = "-".join(SYNONYMS.get(word, word) for word in words.split("-"))
        dashed = {choice.replace("-", ""): choice for choice in cls.choices}
        name = dashed.get(name.replace("-", ""), name)
        if name not in cls.choices:
            raise ValueError(cls.expected)
        return cls(name)

    def offset(self, outer: tuple[int, int], inner: tuple[int, int]) -> tuple[int, int]:
        """Return left and top of a rectangle of size ``inner`` in one of size ``outer``; negative if it is larger."""
        across, down = POSITIONS[self]
        return int((outer[0] - inner[0]) * across // 1), int((outer[1] - inner[1]) * down // 1)

    def to_builtin(self) -> str:
        """Return the canonical name."""
        return str(self)
