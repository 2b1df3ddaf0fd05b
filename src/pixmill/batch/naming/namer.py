"""Name each output by a template, and resolve collisions between sources deterministically."""

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from pixmill.batch.naming.reserved import collision_key
from pixmill.batch.naming.template import HASH_DIGITS, Template
from pixmill.core.errors import ConfigError
from pixmill.core.text import printable

#: The extension of an output: the same for all sources, or a function that reads it from a source.
Extension = str | Callable[[bytes], str]
#: returns the recorded output names of each source
Recorded = Callable[[Sequence[bytes]], Iterable[Collection[bytes]]]
FORMER_HASH_DIGITS = 8  # in earlier versions: one in a hundred runs of 10,000 images had two with the same hash


_ANY_NAME = b"/\xff"  # a placeholder that no image can have as its name


class Namer:
    """Names the outputs of all sources that could collide: those of one folder.

    ``renditions`` are pairs of a rendition's name and its extension; an extension that is a function is called once per source.
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
        """With ``refuse``, a collision is a ``ConfigError``. ``is_taken(source, name)``: a source of another folder has the name.

        With ``recorded``, a source keeps its recorded name with the shorter ``{hash}`` of earlier versions.
        """
        self._is_taken = is_taken
        self._recorded = recorded
        self._template = template
        self._renditions = renditions
        self._refuse = refuse
        self._extensions: dict[tuple[object, bytes], str] = {}

    def names(self, sources: Iterable[bytes], folders: Iterable[bytes] = ()) -> dict[bytes, tuple[bytes, ...]]:
        """Return one name per rendition for every source, all distinct and none the same as a folder of outputs.

        If several sources map to a name, the one with that name gets it, otherwise the first in order of path; the others use
        their full name in place of the stem (``a.png`` becomes ``a.png.jpg``), then a number. The order of ``sources`` does not
        matter. ``folders`` are the folders next to the sources, whose images go into folders as well.
        """
        self._extensions.clear()
        preferred = {source: self._render(source, None) for source in sorted(sources)}
        self._keep_recorded(preferred)
        in_order = sorted(preferred, key=lambda source: source not in preferred[source])  # stable: by path within
        taken = {collision_key(name): folder + b"/" for folder in folders for name in self._folders(folder)}
        names = {}
        collided = []
        for source in in_order:
            if self._claim(source, preferred[source], taken):
                names[source] = preferred[source]
            else:
                collided.append(source)
        if collided and self._refuse:
            raise _collision(collided[0], preferred[collided[0]], taken)
        for source in collided:
            names[source] = next(choice for choice in self._alternatives(source) if self._claim(source, choice, taken))
        return names

    def is_renamed(self, source: bytes, names: tuple[bytes, ...]) -> bool:
        """Tell whether ``names``, as returned by the last ``names()``, differ from the preferred ones because of a collision."""
        return names not in (self._render(source, None), self._render(source, None, digits=FORMER_HASH_DIGITS))

    def _keep_recorded(self, preferred: dict[bytes, tuple[bytes, ...]]) -> None:
        if self._recorded is None or not preferred:
            return
        for source, names in zip(list(preferred), self._recorded(list(preferred)), strict=True):
            former = self._render(source, None, digits=FORMER_HASH_DIGITS) if names else ()
            if not set(names).isdisjoint(self._files(source, former) if former else ()):
                preferred[source] = former

    def _claim(self, source: bytes, names: tuple[bytes, ...], taken: dict[bytes, bytes]) -> bool:
        if self._is_taken is not None and any(self._is_taken(source, name) for name in names):
            return False
        keys = [collision_key(name) for name in self._files(source, names)]
        if len(set(keys)) < len(keys) or any(key in taken for key in keys):
            return False
        taken.update(dict.fromkeys(keys, source))
        return True

    def _render(self, source: bytes, disambiguator: bytes | None, *, digits: int = HASH_DIGITS) -> tuple[bytes, ...]:
        render = self._template.render
        return distinct(
            [
                render(source, extension=self.extension(source, ext), rendition=name, disambiguator=disambiguator, digits=digits)
                for name, ext in self._renditions
            ],
            number=b"~%d",
        )

    def _files(self, source: bytes, names: tuple[bytes, ...]) -> tuple[bytes, ...]:  # noqa: ARG002  # SampleNamer uses it
        """Return the files that outputs with these ``names`` are written to."""
        return names

    def _folders(self, folder: bytes) -> Iterator[bytes]:
        """Yield the folders that the outputs of an image in ``folder`` need."""
        for rendition, _ in self._renditions:
            name = self._template.render(folder + _ANY_NAME, extension="", rendition=rendition)
            while name := name.rpartition(b"/")[0]:
                yield name

    def extension(self, source: bytes, extension: Extension) -> str:
        """Return ``extension`` for ``source``, evaluated if it is a function."""
        if isinstance(extension, str):
            return extension
        key = extension, source
        if key not in self._extensions:
            self._extensions[key] = extension(source)
        return self._extensions[key]

    def _alternatives(self, source: bytes) -> Iterator[tuple[bytes, ...]]:
        own = source.rpartition(b"/")[2]
        yield self._render(source, own)
        for number in itertools.count(2):
            yield self._render(source, b"%s~%d" % (own, number))


def distinct(names: Sequence[bytes], *, number: bytes) -> tuple[bytes, ...]:
    """Return ``names``, the outputs of one image, with ``number`` inserted before the extension of repeated names.

    Names repeat with ``--formats jpeg,keep`` if the image is a JPEG.
    """
    if len(names) == 1 or len({*map(collision_key, names)}) == len(names):
        return tuple(names)
    by_key: dict[bytes, bytes] = {}
    for name in names:
        stem, dot, extension = name.rpartition(b".")
        numbered = (stem + number % count + dot + extension for count in itertools.count(2))
        free = next(choice for choice in itertools.chain([name], numbered) if collision_key(choice) not in by_key)
        by_key[collision_key(free)] = free
    return tuple(by_key.values())


def _collision(source: bytes, names: tuple[bytes, ...], taken: dict[bytes, bytes]) -> ConfigError:
    name, other = next(((name, taken[collision_key(name)]) for name in names if collision_key(name) in taken), (names[0], names[0]))
    message = f"{printable(other)} and {printable(source)} both map to the output name {printable(name)}"
    return ConfigError(message, code="collision", hint="--on-collision suffix uses the full source name for the second")
