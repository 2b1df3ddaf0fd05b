"""Names in a dataset: a key for each source that no other has, and from it the names of its renditions."""

from collections.abc import Callable, Iterable, Sequence

from pixmill.batch.naming.namer import FORMER_HASH_DIGITS, Extension, Namer, Recorded, distinct
from pixmill.batch.naming.template import HASH_DIGITS, Template
from pixmill.core.errors import ConfigError


class KeyTemplate(Template):
    """A template of keys, which end at the first dot: dots in the last component become ``_``.

    Names that begin with ``__`` are left out by WebDataset's reader, so such a key gets a ``=`` before it.
    """

    __slots__ = ()

    def render(
        self, path: bytes, *, extension: str, rendition: str = "", disambiguator: bytes | None = None, digits: int = HASH_DIGITS
    ) -> bytes:
        """Return the key for the source at ``path``; ``disambiguator`` takes the place of its stem."""
        filled = super().render(path, extension=extension, rendition=rendition, disambiguator=disambiguator, digits=digits)
        folder, slash, name = filled.rpartition(b"/")
        key = folder + slash + name.replace(b".", b"_")
        return b"=" + key if key.startswith(b"__") else key


class SampleNamer(Namer):
    """Names the members of samples: ``KEY.EXTENSION``, and ``KEY.RENDITION.EXTENSION`` where there are several renditions.

    Two sources that want one key are told apart as two that want one name are.
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
        """Take what a ``Namer`` takes; ``ConfigError`` when the template says how members end, which they do by themselves."""
        super().__init__(key_template(template), [("", "")], refuse=refuse, is_taken=is_taken, recorded=recorded)
        self._members = renditions
        self._is_single = len({name for name, _ in renditions}) == 1

    def names(self, sources: Iterable[bytes], folders: Iterable[bytes] = ()) -> dict[bytes, tuple[bytes, ...]]:
        """Give every source one name for each rendition, all of them different, and none that of a folder."""
        return {source: self._named(source, key) for source, (key,) in super().names(sources, folders).items()}

    def is_renamed(self, source: bytes, names: tuple[bytes, ...]) -> bool:
        """Tell whether ``names`` are others than ``source`` wanted."""
        keys = [self._render(source, None, digits=digits)[0] for digits in (HASH_DIGITS, FORMER_HASH_DIGITS)]
        return all(names != self._named(source, key) for key in keys)

    def _files(self, source: bytes, names: tuple[bytes, ...]) -> tuple[bytes, ...]:
        return (*names, *self._named(source, names[0]))

    def _named(self, source: bytes, key: bytes) -> tuple[bytes, ...]:
        names = [b".".join([key, *self._ending(source, name, extension)]) for name, extension in self._members]
        return distinct(names, number=b".%d")  # behind a dot, or it would be the key of another sample

    def _ending(self, source: bytes, rendition: str, extension: Extension) -> list[bytes]:
        ending = self.extension(source, extension).encode("utf-8", "surrogateescape")
        return [ending] if self._is_single else [rendition.replace("/", "_").encode(), ending]


def key_template(template: Template) -> KeyTemplate:
    """Return the template of keys for the one that was asked for, without the extension at its end."""
    text = template.text.removesuffix(".{ext}").removesuffix("-{rendition}").removesuffix(".{rendition}")
    if "{ext}" in text or "{rendition}" in text:
        raise ConfigError(
            "name: in a dataset it names samples, so it cannot hold {ext} or {rendition} before its end",
            hint="leave them out: the members of a sample are named KEY.EXTENSION or KEY.RENDITION.EXTENSION",
        )
    return KeyTemplate(text)
