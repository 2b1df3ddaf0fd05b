"""Names that depend on the content of the images, such as their dates, and are given once these have been read."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence

from pixmill.batch.naming.namer import Namer, distinct
from pixmill.batch.naming.reserved import collision_key
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
        values: Mapping[str, str],
        extensions: Sequence[str],
        *,
        is_free: Callable[[bytes], bool],
        recorded: int = 0,
    ) -> tuple[tuple[bytes, ...], int]:
        """Return the names of ``source``, one per rendition, and their number.

        Number 0 is the name by the template; if that is not free, number 1 has the full name in place of the stem, and the
        others a number after it. The number that was ``recorded`` for the source comes first.
        """
        template = self.template.filled(values)
        for number in itertools.chain([recorded] if recorded else [], itertools.count()):
            names = self._numbered(template, source, extensions, number)
            if len(set(map(collision_key, names))) == len(names) and all(map(is_free, names)):
                return names, number
            if self._refuses:
                message = f"the output name {printable(names[0])} of {printable(source)} is already that of another image"
                raise ConfigError(message, code="collision", hint="--on-collision suffix uses the full source name for the second")
        raise AssertionError  # the numbers do not end

    def _numbered(self, template: Template, source: bytes, extensions: Sequence[str], number: int) -> tuple[bytes, ...]:
        own = source.rpartition(b"/")[2]
        disambiguator = None if number == 0 else own if number == 1 else b"%s~%d" % (own, number)
        pairs = zip(self._rendition_names, extensions, strict=True)
        return distinct(
            [
                self._spelling(template.render(source, extension=extension, rendition=rendition, disambiguator=disambiguator))
                for rendition, extension in pairs
            ],
            number=b"~%d",
        )
