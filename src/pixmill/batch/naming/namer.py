"""Where each result goes: the name template, and one deterministic answer when two sources want one name."""

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from pixmill.batch.naming.reserved import collision_key
from pixmill.batch.naming.template import HASH_DIGITS, Template
from pixmill.core.errors import ConfigError
from pixmill.core.text import printable

#: The extension of an output: the same for all sources, or what a look at a source tells.
Extension = str | Callable[[bytes], str]
#: tells the names of the outputs that each of some sources has on record
Recorded = Callable[[Sequence[bytes]], Iterable[Collection[bytes]]]
FORMER_HASH_DIGITS = 8  # of earlier versions: in one of a hundred runs of 10,000 images two had one hash


_ANY_NAME = b"/\xff"  # the name of no image, which stands for any


class Namer:
    """Names the outputs of all sources that could collide: those of one folder.

    ``renditions`` are pairs of the rendition's name and its extension; a function that tells it is asked once for a source.
    """

    def __init__(
        self,
        template: Template,
        renditions: Sequence[tuple[str, Extension]],
        *,
        refuse: bool = False,
        is_taken: Callable[[bytes, bytes], bool] | None = None,
        recorded: Recorded | None = None,
    ) -> None:
        """With ``refuse``, a collision is a ``ConfigError``. ``is_taken(source, name)``: the name is another's, who is not here.

        With ``recorded``, a source keeps the name with the shorter ``{hash}`` of earlier versions that its output has.
        """
        self._is_taken = is_taken
        self._recorded = recorded
        self._template = template
        self._renditions = renditions
        self._refuse = refuse
        self._extensions: dict[tuple[object, bytes], str] = {}

    def names(self, sources: Iterable[bytes], folders: Iterable[bytes] = ()) -> dict[bytes, tuple[bytes, ...]]:
        """Give every source one name for each rendition, all of them different, and none that of an output's folder.

        A source whose own name is the wanted one keeps it, else the first in order of path does; the others take their full
        name in place of the stem (``a.png`` becomes ``a.png.jpg``), then a number. The order of ``sources`` does not matter.
        ``folders`` are those of the source beside them: the images in them go into folders as well.
        """
        self._extensions.clear()
        wanted = {source: self._fill(source, None) for source in sorted(sources)}
        self._keep_recorded(wanted)
        in_order = sorted(wanted, key=lambda source: source not in wanted[source])  # stable: by path within
        taken = {collision_key(name): folder + b"/" for folder in folders for name in self._folders(folder)}
        names = {}
        later = []
        for source in in_order:
            if self._claim(source, wanted[source], taken):
                names[source] = wanted[source]
            else:
                later.append(source)
        if later and self._refuse:
            raise _collision(later[0], wanted[later[0]], taken)
        for source in later:
            names[source] = next(choice for choice in self._alternatives(source) if self._claim(source, choice, taken))
        return names

    def is_renamed(self, source: bytes, names: tuple[bytes, ...]) -> bool:
        """Tell whether ``names``, which were given last, are others than ``source`` wanted, because of a collision."""
        return names not in (self._fill(source, None), self._fill(source, None, digits=FORMER_HASH_DIGITS))

    def _keep_recorded(self, wanted: dict[bytes, tuple[bytes, ...]]) -> None:
        if self._recorded is None or not wanted:
            return
        for source, names in zip(list(wanted), self._recorded(list(wanted)), strict=True):
            former = self._fill(source, None, digits=FORMER_HASH_DIGITS) if names else ()
            if not set(names).isdisjoint(self._files(source, former) if former else ()):
                wanted[source] = former

    def _claim(self, source: bytes, names: tuple[bytes, ...], taken: dict[bytes, bytes]) -> bool:
        if self._is_taken is not None and any(self._is_taken(source, name) for name in names):
            return False
        identities = [collision_key(name) for name in self._files(source, names)]
        if len(set(identities)) < len(identities) or any(each in taken for each in identities):
            return False
        taken.update(dict.fromkeys(identities, source))
        return True

    def _fill(self, source: bytes, mark: bytes | None, *, digits: int = HASH_DIGITS) -> tuple[bytes, ...]:
        fill = self._template.render
        return distinct(
            [
                fill(source, extension=self.extension(source, ext), rendition=name, disambiguator=mark, digits=digits)
                for name, ext in self._renditions
            ],
            number=b"~%d",
        )

    def _files(self, source: bytes, names: tuple[bytes, ...]) -> tuple[bytes, ...]:  # noqa: ARG002  # names of samples follow from it
        """Return the files that are written under ``names``."""
        return names

    def _folders(self, folder: bytes) -> Iterator[bytes]:
        """Yield the folders that the outputs of an image in ``folder`` need."""
        for rendition, _ in self._renditions:
            name = self._template.render(folder + _ANY_NAME, extension="", rendition=rendition)
            while name := name.rpartition(b"/")[0]:
                yield name

    def extension(self, source: bytes, extension: Extension) -> str:
        """Return ``extension`` as it is for ``source``."""
        if isinstance(extension, str):
            return extension
        asked = extension, source
        if asked not in self._extensions:
            self._extensions[asked] = extension(source)
        return self._extensions[asked]

    def _alternatives(self, source: bytes) -> Iterator[tuple[bytes, ...]]:
        own = source.rpartition(b"/")[2]
        yield self._fill(source, own)
        for number in itertools.count(2):
            yield self._fill(source, b"%s~%d" % (own, number))


def distinct(names: Sequence[bytes], *, number: bytes) -> tuple[bytes, ...]:
    """Return the names of the outputs of one image, a second of the same name with ``number`` before its extension.

    That happens with ``--formats jpeg,keep``, where the image is a JPEG.
    """
    if len(names) == 1 or len({*map(collision_key, names)}) == len(names):
        return tuple(names)
    told: dict[bytes, bytes] = {}
    for name in names:
        stem, dot, extension = name.rpartition(b".")
        numbered = (stem + number % count + dot + extension for count in itertools.count(2))
        free = next(choice for choice in itertools.chain([name], numbered) if collision_key(choice) not in told)
        told[collision_key(free)] = free
    return tuple(told.values())


def _collision(source: bytes, names: tuple[bytes, ...], taken: dict[bytes, bytes]) -> ConfigError:
    name, other = next(((name, taken[collision_key(name)]) for name in names if collision_key(name) in taken), (names[0], names[0]))
    message = f"{printable(other)} and {printable(source)} both want the name {printable(name)}"
    return ConfigError(message, code="collision", hint="--on-collision suffix gives the second its full name")
