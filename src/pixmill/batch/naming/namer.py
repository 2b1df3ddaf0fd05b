"""Name each output by a template, and resolve collisions between sources deterministically."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from pixmill.batch.naming.portable import Spelling, portable
from pixmill.batch.naming.reserved import collision_key
from pixmill.batch.naming.template import HASH_DIGITS, Template
from pixmill.core.errors import ConfigError
from pixmill.core.text import printable

#: The extension of an output: the same for all sources, or a function that reads it from a source.
Extension = str | Callable[[bytes], str]
FORMER_HASH_DIGITS = 8  # in earlier versions: one in a hundred runs of 10,000 images had two with the same hash


_ANY_NAME = b"/\xff"  # a placeholder that no image can have as its name


class Owners(Protocol):
    """Whose names are. An owner is the ledger's key of an image."""

    def of_folders(self, names: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return the owner of every name in the folders of ``names``, by ``key(name)``."""

    def give(self, names: Mapping[bytes, Iterable[bytes]]) -> None:
        """Note that each owner gets these names."""

    @property
    def key(self) -> Callable[[bytes], bytes]:
        """Return the function that returns the key of a name."""


class Namer:
    """Names the outputs of all sources that could collide: those of one folder.

    ``renditions`` are pairs of a rendition's name and its extension; an extension that is a function is called once per source.
    """

    def __init__(  # noqa: PLR0913  # what differs between outputs, each with its default
        self,
        template: Template,
        renditions: Sequence[tuple[str, Extension]],
        *,
        refuse: bool = False,
        is_taken: Callable[[bytes, bytes], bool] | None = None,
        owners: Owners | None = None,
        key_of: Callable[[bytes], bytes] = bytes,
        spelling: Callable[[bytes], bytes] = bytes,
    ) -> None:
        """With ``refuse``, a collision is a ``ConfigError``. ``is_taken(source, name)``: a file that must stay has the name.

        With ``owners``, a source keeps the name that it owns, and gets none that another one owns. ``key_of`` returns the ledger's
        key of a source. ``spelling`` changes names that the destination refuses, but none that is owned.
        """
        self._spelling = spelling
        self._is_taken = is_taken
        self._owners = owners
        self._key_of = key_of
        self._template = template.with_extension()
        self._former_template = template  # of earlier versions, which added no extension
        self._renditions = renditions
        self._refuse = refuse
        self._extensions: dict[tuple[object, bytes], str] = {}

    def names(self, sources: Iterable[bytes], folders: Iterable[bytes] = ()) -> dict[bytes, tuple[bytes, ...]]:
        """Return one name per rendition for every source, all distinct and none the same as a folder of outputs.

        A source that owns a name keeps it. If several others map to a name, the one with that name gets it, otherwise the first in
        order of path; the rest use their full name in place of the stem (``a.png`` becomes ``a.png.jpg``), then a number. The order
        of ``sources`` does not matter. ``folders`` are the folders next to the sources, whose images go into folders as well.
        """
        self._extensions.clear()
        preferred = {source: self._render(source, None) for source in sorted(sources)}
        taken = {collision_key(name): folder + b"/" for folder in folders for name in self._folders(folder)}
        owners = self._owners_of(preferred)
        names = self._kept(preferred, owners, taken) if owners else {}
        new = {source: wanted for source, wanted in preferred.items() if source not in names} if names else preferred
        collided = []
        for source in sorted(new, key=lambda source: source not in new[source]):  # stable: by path within
            if self._claim(source, new[source], taken, owners):
                names[source] = new[source]
            else:
                collided.append(source)
        if collided and self._refuse:
            raise self._collision(collided[0], new[collided[0]], taken, owners)
        for source in collided:
            names[source] = next(choice for choice in self._alternatives(source) if self._claim(source, choice, taken, owners))
        if self._owners is not None and new:
            self._owners.give({self._key_of(source): self._files(source, names[source]) for source in new})
        return names

    def is_renamed(self, source: bytes, names: tuple[bytes, ...]) -> bool:
        """Tell whether ``names``, as returned by the last ``names()``, differ from the preferred ones because of a collision."""
        return names != self._render(source, None) and names not in self._former(source, numbered=0)

    def _owners_of(self, preferred: Mapping[bytes, tuple[bytes, ...]]) -> dict[bytes, bytes]:
        """Return the owner of every name in the folders of the ``preferred`` names, in both spellings, by its key."""
        if self._owners is None:
            return {}
        folders = {name.rpartition(b"/")[0] + b"/" for each in preferred.values() for name in each}
        if self._spelling is bytes:
            others: Iterable[bytes] = map(portable, folders)
        else:
            others = (name for source in preferred for name in self._render(source, None, spelling=bytes))
        return self._owners.of_folders(itertools.chain(folders, others))

    def _kept(
        self, preferred: Mapping[bytes, tuple[bytes, ...]], owners: Mapping[bytes, bytes], taken: dict[bytes, bytes]
    ) -> dict[bytes, tuple[bytes, ...]]:
        """Return the names of those sources that own some. In a run that is repeated, this is the way of every image."""
        names, others = {}, []
        key_of, key = self._key_of, self._owners.key if self._owners else bytes
        for source, wanted in preferred.items():
            own, files = key_of(source), self._files(source, wanted)
            for name in files:
                if owners.get(key(name)) != own or self._is_taken is not None:
                    others.append(source)
                    break
            else:
                names[source] = wanted
                for name in files:
                    taken[collision_key(name)] = source
        owned = Counter(owners.values()) if others else Counter()
        for source in others:
            count = owned[key_of(source)]
            choices = itertools.chain(
                [preferred[source]],
                self._former(source, numbered=count + 1),
                itertools.islice(self._alternatives(source), count + 1),
            )
            own_choices = (choice for choice in choices if self._owns(source, choice, owners)) if count else ()
            choice = next((choice for choice in own_choices if self._claim(source, choice, taken, owners)), None)
            if choice is not None:
                names[source] = choice
        return names

    def _owns(self, source: bytes, names: tuple[bytes, ...], owners: Mapping[bytes, bytes]) -> bool:
        own = self._key_of(source)
        return any(owners.get(self._key(name)) == own for name in self._files(source, names))

    def _former(self, source: bytes, *, numbered: int) -> Iterator[tuple[bytes, ...]]:
        """Yield names that an image with such an output keeps: as earlier versions gave them, or in another spelling.

        ``numbered`` of them are those after a collision.
        """
        if isinstance(self._spelling, Spelling):
            yield from filter(self._spelling.keeps, self._spelled(source, bytes, numbered))
        else:
            yield from self._spelled(source, portable, numbered)
        former = self._former_template
        if "{hash}" in former.text:
            yield self._render(source, None, digits=FORMER_HASH_DIGITS, template=former)
        if former is not self._template:
            yield self._render(source, None, template=former)
            yield from itertools.islice(self._alternatives(source, former), numbered)

    def _spelled(self, source: bytes, spelling: Callable[[bytes], bytes], numbered: int) -> Iterator[tuple[bytes, ...]]:
        """Yield the names of ``source`` in another spelling, ``numbered`` of them after a collision."""
        yield self._render(source, None, spelling=spelling)
        yield from itertools.islice(self._alternatives(source, spelling=spelling), numbered)

    def _claim(self, source: bytes, names: tuple[bytes, ...], taken: dict[bytes, bytes], owners: Mapping[bytes, bytes]) -> bool:
        if self._is_taken is not None and any(self._is_taken(source, name) for name in names):
            return False
        files = self._files(source, names)
        if owners:
            own = self._key_of(source)
            if any(owners.get(self._key(name), own) != own for name in files):
                return False
        keys = [collision_key(name) for name in files]
        if len(set(keys)) < len(keys) or any(key in taken for key in keys):
            return False
        taken.update(dict.fromkeys(keys, source))
        return True

    def _key(self, name: bytes) -> bytes:
        return self._owners.key(name) if self._owners else name

    def _collision(
        self, source: bytes, names: tuple[bytes, ...], taken: Mapping[bytes, bytes], owners: Mapping[bytes, bytes]
    ) -> ConfigError:
        having = ((name, taken.get(collision_key(name)) or owners.get(self._key(name))) for name in names)
        name, other = next(((name, other) for name, other in having if other), (names[0], names[0]))
        message = f"{printable(other)} and {printable(source)} both map to the output name {printable(name)}"
        return ConfigError(message, code="collision", hint="--on-collision suffix uses the full source name for the second")

    def _render(
        self,
        source: bytes,
        disambiguator: bytes | None,
        *,
        digits: int = HASH_DIGITS,
        template: Template | None = None,
        spelling: Callable[[bytes], bytes] | None = None,
    ) -> tuple[bytes, ...]:
        render = (template or self._template).render
        names = (
            render(source, extension=self.extension(source, ext), rendition=name, disambiguator=disambiguator, digits=digits)
            for name, ext in self._renditions
        )
        return distinct([*map(spelling or self._spelling, names)], number=b"~%d")

    def _files(self, source: bytes, names: tuple[bytes, ...]) -> tuple[bytes, ...]:  # noqa: ARG002  # SampleNamer uses it
        """Return the files that outputs with these ``names`` are written to."""
        return names

    def _folders(self, folder: bytes) -> Iterator[bytes]:
        """Yield the folders that the outputs of an image in ``folder`` need."""
        for rendition, _ in self._renditions:
            name = self._spelling(self._template.render(folder + _ANY_NAME, extension="", rendition=rendition))
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

    def _alternatives(
        self, source: bytes, template: Template | None = None, *, spelling: Callable[[bytes], bytes] | None = None
    ) -> Iterator[tuple[bytes, ...]]:
        own = source.rpartition(b"/")[2]
        yield self._render(source, own, template=template, spelling=spelling)
        for number in itertools.count(2):
            yield self._render(source, b"%s~%d" % (own, number), template=template, spelling=spelling)


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
