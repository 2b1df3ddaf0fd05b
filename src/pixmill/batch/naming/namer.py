"""Name each output by a template, and resolve collisions between sources deterministically."""

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from pixmill.batch.naming.portable import Spelling, portable
from pixmill.batch.naming.reserved import collision_key
from pixmill.batch.naming.template import HASH_DIGITS, Template
from pixmill.core.errors import ConfigError
from pixmill.core.text import printable

#: The extension of an output: the same for all sources, or a function that reads it from a source.
Extension = str | Callable[[bytes], str]
FORMER_HASH_DIGITS = 8  # in earlier versions: one in a hundred runs of 10,000 images had two with the same hash


SEARCHED = 3  # alternatives that are searched for one that an image owns; more if all of these have owners
_ANY_NAME = b"/\xff"  # a placeholder that no image can have as its name


class Owners(Protocol):
    """Whose names are. An owner is the ledger's key of an image."""

    def of_keys(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return the owner of each name with one of ``keys``, by its key, if it has one; the result may have other names, too."""

    def of_stems(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return an owner of names that are a stem with one of ``keys``, a dot, and an ending, by the key of the stem."""

    def named(self, owners: Iterable[bytes]) -> set[bytes]:
        """Return those of ``owners`` that may own names; the others own none."""

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
        self._keys: dict[bytes, bytes] = {}  # of the names whose owners were looked up for the sources of one call
        self._owned: dict[bytes, bytes] = {}  # these owners
        self._taken: tuple[tuple[bytes, ...], dict[bytes, bytes]] = ((), {})

    def names(self, sources: Iterable[bytes], folders: Iterable[bytes] = ()) -> dict[bytes, tuple[bytes, ...]]:
        """Return one name per rendition for every source, all distinct and none the same as a folder of outputs.

        A source that owns a name keeps it. If several others map to a name, the one with that name gets it, otherwise the first in
        order of path; the rest use their full name in place of the stem (``a.png`` becomes ``a.png.jpg``), then a number. The order
        of ``sources`` does not matter. ``folders`` are the folders next to the sources, whose images go into folders as well.
        """
        self._extensions.clear()
        self._owned, self._keys = {}, {}
        preferred = {source: self._render(source, None) for source in sorted(sources)}
        taken = self._taken_by(folders)
        self._look_up(preferred.items())
        names = self._kept(preferred, taken) if self._owners is not None else {}
        new = {source: wanted for source, wanted in preferred.items() if source not in names} if names else preferred
        if not new:
            return names
        collided = []
        for source in sorted(new, key=lambda source: source not in new[source]):  # stable: by path within
            if self._claim(source, new[source], taken):
                names[source] = new[source]
            else:
                collided.append(source)
        if collided and self._refuse:
            raise self._collision(collided[0], new[collided[0]], taken)
        self._look_up((source, next(self._alternatives(source))) for source in collided)
        for source in collided:
            names[source] = next(choice for choice in self._alternatives(source) if self._claim(source, choice, taken))
        if self._owners is not None:
            self._owners.give({self._key_of(source): self._files(source, names[source]) for source in new})
        return names

    def is_renamed(self, source: bytes, names: tuple[bytes, ...]) -> bool:
        """Tell whether ``names``, as returned by the last ``names()``, differ from the preferred ones because of a collision."""
        return names != self._render(source, None) and names not in self._former(source, numbered=0)

    def _taken_by(self, folders: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return the names that outputs of images in ``folders`` need for their folders, by their collision keys."""
        folders = tuple(folders)
        if self._taken[0] != folders:  # the parts of a large folder all have the same
            self._taken = (folders, {collision_key(name): folder + b"/" for folder in folders for name in self._folders(folder)})
        return dict(self._taken[1])

    def _look_up(self, choices: Iterable[tuple[bytes, tuple[bytes, ...]]]) -> None:
        """Look up the owners of names that sources may get, all at once; ``_owner`` looks up the others one by one."""
        if self._owners is not None:
            key = self._owners.key
            new = {name: key(name) for source, names in choices for name in self._files(source, names) if name not in self._keys}
            self._keys.update(new)
            self._owned.update(self._found(new.values()))

    def _found(self, keys: Collection[bytes]) -> Mapping[bytes, bytes]:
        """Return the owners of the names with these ``keys``, by their keys."""
        return self._owners.of_keys(keys) if self._owners is not None and keys else {}

    def _owner(self, name: bytes) -> bytes | None:
        """Return the owner of ``name``."""
        if name not in self._keys:
            if self._owners is None:
                return None
            self._keys[name] = self._owners.key(name)
            self._owned.update(self._found([self._keys[name]]))
        return self._owned.get(self._keys[name])

    def _kept(self, preferred: Mapping[bytes, tuple[bytes, ...]], taken: dict[bytes, bytes]) -> dict[bytes, tuple[bytes, ...]]:
        """Return the names of those sources that own some. In a run that is repeated, this is the way of every image."""
        names, others = {}, {}
        key_of, owned, keys = self._key_of, self._owned, self._keys
        for source, wanted in preferred.items():
            own, files = key_of(source), self._files(source, wanted)
            for name in files:
                if owned.get(keys[name]) != own or self._is_taken is not None:
                    others[source] = own
                    break
            else:
                names[source] = wanted
        if others:
            taken.update((collision_key(name), source) for source, kept in names.items() for name in self._files(source, kept))
        named = self._owners.named(others.values()) if self._owners and others else ()
        choices = {source: self._first_choices(source, preferred[source]) for source, own in others.items() if own in named}
        self._look_up((source, choice) for source, first in choices.items() for choice in first)
        for source, first in choices.items():
            own_choices = self._own_choices(source, first)
            choice = next((choice for choice in own_choices if self._claim(source, choice, taken)), None)
            if choice is not None:
                names[source] = choice
        return names

    def _first_choices(self, source: bytes, preferred: tuple[bytes, ...]) -> list[tuple[bytes, ...]]:
        """Return names that an image may own, in the order of preference; the last are alternatives."""
        alternatives = itertools.islice(self._alternatives(source), SEARCHED)
        return [preferred, *self._former(source, numbered=SEARCHED), *alternatives]

    def _own_choices(self, source: bytes, first: Sequence[tuple[bytes, ...]]) -> Iterator[tuple[bytes, ...]]:
        """Yield those of ``first`` that ``source`` owns, then such alternatives, as far as each before them has an owner."""
        yield from (choice for choice in first if self._owns(source, choice))
        last, alternatives = first[-1], itertools.islice(self._alternatives(source), SEARCHED, None)
        while any(self._owner(name) is not None for name in self._files(source, last)):
            last = next(alternatives)
            if self._owns(source, last):
                yield last

    def _owns(self, source: bytes, names: tuple[bytes, ...]) -> bool:
        own = self._key_of(source)
        return any(self._owner(name) == own for name in self._files(source, names))

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

    def _claim(self, source: bytes, names: tuple[bytes, ...], taken: dict[bytes, bytes]) -> bool:
        if self._is_taken is not None and any(self._is_taken(source, name) for name in names):
            return False
        files = self._files(source, names)
        if self._owners is not None:
            own = self._key_of(source)
            if any(self._owner(name) not in (None, own) for name in files):
                return False
        keys = [collision_key(name) for name in files]
        if len(set(keys)) < len(keys) or any(key in taken for key in keys):
            return False
        taken.update(dict.fromkeys(keys, source))
        return True

    def _collision(self, source: bytes, names: tuple[bytes, ...], taken: Mapping[bytes, bytes]) -> ConfigError:
        having = ((name, taken.get(collision_key(name)) or self._owner(name)) for name in names)
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
        render, spelled = (template or self._template).render, spelling or self._spelling
        names = [
            spelled(
                render(source, extension=self.extension(source, ext), rendition=name, disambiguator=disambiguator, digits=digits)
            )
            for name, ext in self._renditions
        ]
        return distinct(names, number=b"~%d")

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
