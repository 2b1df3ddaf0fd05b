"""Names in a dataset: a unique key for each source, and from it the names of its renditions."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from pixmill.batch.naming.namer import FORMER_HASH_DIGITS, Extension, Namer, Owners, distinct
from pixmill.batch.naming.template import HASH_DIGITS, Template
from pixmill.core.errors import ConfigError


class KeyTemplate(Template):
    """A template of keys. A key ends at the first dot, so dots in its last component become ``_``.

    WebDataset's reader skips names that begin with ``__``, so such a key is prefixed with ``=``.
    """

    __slots__ = ()

    def render(
        self, path: bytes, *, extension: str, rendition: str = "", disambiguator: bytes | None = None, digits: int = HASH_DIGITS
    ) -> bytes:
        """Return the key of the source at ``path``; ``disambiguator`` replaces its stem."""
        filled = super().render(path, extension=extension, rendition=rendition, disambiguator=disambiguator, digits=digits)
        folder, slash, name = filled.rpartition(b"/")
        key = folder + slash + name.replace(b".", b"_")
        return b"=" + key if key.startswith(b"__") else key

    def with_extension(self) -> Template:
        """Return this template: a key has no extension."""
        return self


class SampleNamer(Namer):
    """Names the members of samples: ``KEY.EXTENSION``, or ``KEY.RENDITION.EXTENSION`` if there are several renditions.

    Sources with the same key are disambiguated like sources with the same name.
    """

    def __init__(
        self,
        template: Template,
        renditions: Sequence[tuple[str, Extension]],
        *,
        refuse: bool = False,
        is_taken: Callable[[bytes, bytes], bool] | None = None,
        owners: Owners | None = None,
        key_of: Callable[[bytes], bytes] = bytes,
    ) -> None:
        """Take the arguments of a ``Namer``; ``ConfigError`` if the template contains endings of members, which are automatic."""
        super().__init__(key_template(template), [("", "")], refuse=refuse, is_taken=is_taken, owners=owners, key_of=key_of)
        self._members = renditions
        self._is_single = len({name for name, _ in renditions}) == 1

    def names(self, sources: Iterable[bytes], folders: Iterable[bytes] = ()) -> dict[bytes, tuple[bytes, ...]]:
        """Return one name per rendition for every source, all distinct and none that of a folder."""
        return {source: self._named(source, key) for source, (key,) in super().names(sources, folders).items()}

    def is_renamed(self, source: bytes, names: tuple[bytes, ...]) -> bool:
        """Tell whether ``names`` are others than ``source`` wanted."""
        keys = [self._render(source, None, digits=digits)[0] for digits in (HASH_DIGITS, FORMER_HASH_DIGITS)]
        return all(names != self._named(source, key) for key in keys)

    def _found(self, keys: Collection[bytes]) -> Mapping[bytes, bytes]:
        """Return the owners of members, and of the keys that their names begin with."""
        if self._owners is None or not keys:
            return {}
        stems = [key for key in keys if b"." not in key.partition(b"\0")[2]]
        return {**self._owners.of_keys(keys), **self._owners.of_stems(stems)}

    def _files(self, source: bytes, names: tuple[bytes, ...]) -> tuple[bytes, ...]:
        return (*names, *self._named(source, names[0]))

    def _named(self, source: bytes, key: bytes) -> tuple[bytes, ...]:
        names = [b".".join([key, *self._ending(source, name, extension)]) for name, extension in self._members]
        return distinct(names, number=b".%d")  # after a dot; otherwise it would be the key of another sample

    def _ending(self, source: bytes, rendition: str, extension: Extension) -> list[bytes]:
        ending = self.extension(source, extension).encode("utf-8", "surrogateescape")
        return [ending] if self._is_single else [rendition.replace("/", "_").encode(), ending]


def key_template(template: Template) -> KeyTemplate:
    """Return the template of keys for ``template``, without the extension at its end."""
    text = template.text.removesuffix(".{ext}").removesuffix("-{rendition}").removesuffix(".{rendition}")
    if "{ext}" in text or "{rendition}" in text:
        raise ConfigError(
            "name: in a dataset the template names samples, so {ext} and {rendition} are allowed only at its end",
            hint="remove them: the members of a sample are named KEY.EXTENSION or KEY.RENDITION.EXTENSION",
        )
    return KeyTemplate(text)
