"""Places in a picture as people name them: ``centre``, ``north-east``, ``bottom``; and where a rectangle lies by them."""

from typing import ClassVar, Self

#: How much of the free room lies to the left of a rectangle, and how much above it.
PLACES = {
    "north-west": (0.0, 0.0), "north": (0.5, 0.0), "north-east": (1.0, 0.0),
    "west": (0.0, 0.5), "centre": (0.5, 0.5), "east": (1.0, 0.5),
    "south-west": (0.0, 1.0), "south": (0.5, 1.0), "south-east": (1.0, 1.0),
}  # fmt: skip
OTHER_WORDS = {"center": "centre", "middle": "centre", "top": "north", "bottom": "south", "left": "west", "right": "east"}


class Gravity(str):
    """Where something is held when there is room to move it: one of the nine compass places."""

    __slots__ = ()
    expected: ClassVar[str] = f"one of {', '.join(PLACES)}"
    choices: ClassVar[tuple[str, ...]] = tuple(PLACES)

    @classmethod
    def from_builtin(cls, value: object) -> Self:
        """Parse a name, ``top-left`` and ``northwest`` as well; ``ValueError`` when it names no place."""
        words = str(value).strip().lower().replace("_", "-").replace(" ", "-")
        name = "-".join(OTHER_WORDS.get(word, word) for word in words.split("-"))
        dashed = {choice.replace("-", ""): choice for choice in cls.choices}
        name = dashed.get(name.replace("-", ""), name)
        if name not in cls.choices:
            raise ValueError(cls.expected)
        return cls(name)

    def place(self, outer: tuple[int, int], inner: tuple[int, int]) -> tuple[int, int]:
        """Return left and top of a rectangle of size ``inner`` held here in one of size ``outer``; negative where it is larger."""
        across, down = PLACES[self]
        return int((outer[0] - inner[0]) * across // 1), int((outer[1] - inner[1]) * down // 1)

    def to_builtin(self) -> str:
        """Return the canonical name."""
        return str(self)
