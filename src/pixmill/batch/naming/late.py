"""Names that depend on the content of the images, such as their dates, and are given once these have been read."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence

from pixmill.batch.naming.namer import Namer, distinct
from pixmill.batch.naming.reserved import collision_key
from pixmill.batch.naming.syntax import COUNTER
from pixmill.batch.naming.template import Template
from pixmill.core.errors import ConfigError
from pixmill.core.text import printable


class LateNamer(Namer):
    """Gives no names to images that have not been read, and to the others with ``choose``."""

    def __init__(
        self, template: Template, renditions: Sequence[str], *, refuse: bool, spelling: Callable[[bytes], bytes] = bytes
    ) -> None:
        """``renditions`` are their names. With ``refuse``, a collision is a ``ConfigError``. ``spelling``: as of a ``Namer``."""
        super().__init__(template, (), spelling=spelling)
        self.template = template.with_extension()
        self._rendition_names = renditions
        self._refuses = refuse

    def names(self, sources: Iterable[bytes], folders: Iterable[bytes] = ()) -> dict[bytes, tuple[bytes, ...]]:
        """Return no names for every source."""
        del folders
        return dict.fromkeys(sources, ())

    def is_renamed(self, source: bytes, names: tuple[bytes, ...]) -> bool:
        """Return ``False``: it is not known yet."""
        del source, names
        return False

    def choose(
        self,
        source: bytes,
        values: Sequence[Mapping[str, str]],
        extensions: Sequence[str],
        *,
        is_free: Callable[[bytes], bool],
        recorded: int = 0,
        is_new: bool = False,
    ) -> tuple[tuple[bytes, ...], int]:
        """Return the names of ``source``, one per rendition, and their number. ``values`` are those of each rendition.

        Number 0 is the name by the template; if that is not free, number 1 has the full name in place of the stem, and the
        others a number after it. With ``{counter}``, it is that of the counter, from 1. The number that was ``recorded`` for the
        source comes first. An image that ``is_new`` has no name yet.
        """

        def named(number: int) -> tuple[bytes, ...] | None:
            names = self._numbered(source, values, extensions, number)
            return names if len(set(map(collision_key, names))) == len(names) and all(map(is_free, names)) else None

        first = 1 if self.template.has_counter else 0
        if self.template.has_counter and is_new and not recorded:
            first = first_free(lambda number: named(number) is not None)
        for number in itertools.chain([recorded] if recorded else [], itertools.count(first)):
            if names := named(number):
                return names, number
            if self._refuses and not self.template.has_counter:
                taken = self._numbered(source, values, extensions, number)[0]
                message = f"the output name {printable(taken)} of {printable(source)} is already that of another image"
                raise ConfigError(message, code="collision", hint="--on-collision suffix uses the full source name for the second")
        raise AssertionError  # the numbers do not end

    def _numbered(
        self, source: bytes, values: Sequence[Mapping[str, str]], extensions: Sequence[str], number: int
    ) -> tuple[bytes, ...]:
        own = source.rpartition(b"/")[2]
        is_plain = number == 0 or self.template.has_counter
        disambiguator = None if is_plain else own if number == 1 else b"%s~%d" % (own, number)
        return distinct(
            [
                self._spelling(
                    self.template.filled({**known, COUNTER: str(number)}).render(
                        source, extension=extension, rendition=rendition, disambiguator=disambiguator
                    )
                )
                for rendition, known, extension in zip(self._rendition_names, values, extensions, strict=True)
            ],
            number=b"~%d",
        )


def first_free(is_free: Callable[[int], bool]) -> int:
    """Return a number from 1 that is free after one that is not, with few questions even after millions that are taken."""
    high = 1
    while not is_free(high):
        high *= 2
    low = high // 2  # 0, or taken
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_free(middle) else (middle, high)
    return high
