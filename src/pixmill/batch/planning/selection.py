"""Select the candidates among the entries of a source, and count the others by reason."""

from collections import Counter
from collections.abc import Collection, Iterable

from pixmill.batch.config.models import Selection
from pixmill.batch.config.pattern import PatternCount
from pixmill.batch.planning.pattern_list import PatternList
from pixmill.batch.source import Folder, MemberEntry, path_in_source
from pixmill.core.errors import AddressError, ReadError
from pixmill.engine.observability.metrics import FailureKind
from pixmill.imaging.formats import FileKind, extensions, kind_by_extension, kind_of
from pixmill.imaging.input import HEAD_BYTES
from pixmill.storage.entry import Entry, locator_of
from pixmill.storage.storage import Storage


class Selector:
    """Selects candidates. ``ignored`` counts the others by reason: ``hidden``, ``excluded``, ``not-included``, ``not-an-image``.

    Images of a kind that is not read are ``unsupported``; ``other_images`` has their number and the first few, by kind. A file
    whose name is that of an image that is read is a candidate, whatever it contains: it fails by name.

    Sources add what they skip themselves: ``symlink`` (a link that is not followed) and ``output`` (a file in DST).
    """

    def __init__(self, selection: Selection, storage: Storage, *, is_explicit: bool = False, allow: Collection[str] = ()) -> None:
        """Take the patterns. With ``is_explicit`` the user named every entry, so only the patterns apply.

        ``allow`` names the formats that are processed although they are disabled by default.
        """
        self.ignored: Counter[str] = Counter()
        self.other_images: dict[str, FailureKind] = {}
        self._include = PatternList("include", selection.include)
        self._exclude = PatternList("exclude", selection.exclude)
        self._kind = self._by_content if selection.all_files else self._by_extension
        self._allow = allow
        self._extensions = frozenset(b"." + extension.encode() for extension in extensions(allow))
        self._storage = storage
        self._is_explicit = is_explicit

    @property
    def patterns(self) -> tuple[PatternCount, ...]:
        """Return how often each pattern was used."""
        return (*self._include.counts(), *self._exclude.counts())

    def reset_counts(self) -> None:
        """Count from zero again."""
        self.ignored.clear()
        self.other_images.clear()
        self._include.reset_counts()
        self._exclude.reset_counts()

    def choose(self, entries: Iterable[Entry]) -> tuple[list[Entry], list[bytes]]:
        """Return the candidates among ``entries``, in order, and the subfolders listed with them."""
        chosen: list[Entry] = []
        folders: list[bytes] = []
        usual = frozenset[bytes]() if self._include or self._exclude else self._extensions  # that decide alone
        for entry in entries:
            name = entry.path.rpartition(b"/")[2]
            if type(entry) is Entry and name[name.rfind(b".") :].lower() in usual and not name.startswith(b"."):
                chosen.append(entry)
                continue
            if isinstance(entry, Folder):
                folders.append(entry.path)
                continue
            reason = self._reason_against(entry)
            if reason:
                self.ignored[reason] += 1
            else:
                chosen.append(entry)
        return chosen, folders

    def count_ignored(self, path: bytes, reason: str) -> None:
        """Count ``path``, which the source skipped for ``reason``; as hidden or excluded if that applies as well."""
        if path.rpartition(b"/")[2].startswith(b"."):
            reason = "hidden"
        elif self._exclude and self._exclude.takes(path):
            reason = "excluded"
        self.ignored[reason] += 1

    def excludes_unreadable(self, path: bytes) -> bool:
        """Tell whether the file or folder ``path``, which cannot be read, is excluded, and count it."""
        is_excluded = bool(self._exclude) and (self._exclude.takes(path) or self._exclude.takes_folder(path))
        self.ignored["excluded"] += is_excluded
        return is_excluded

    def takes_odd_key(self, key: bytes) -> bool:
        """Tell whether the object ``key``, which cannot be read, looks like an image, and count it if not."""
        reason = self._reason_against(Entry(key.rstrip(b"/"), 0, b""))
        if reason:
            self.ignored[reason] += 1
        return not reason

    def _reason_against(self, entry: Entry) -> str:
        name = entry.path.rpartition(b"/")[2]
        is_hidden = name.startswith(b".")
        if not self._is_named(entry) and (unlike := "hidden" if is_hidden else self._unlike_an_image(entry, name)):
            return unlike
        if not self._include and not self._exclude:
            return ""
        path = path_in_source(entry)
        is_included = not self._include or self._include.takes(path)  # asked of excluded images, too: it counts uses
        if self._exclude and self._exclude.takes(path):
            return "excluded"
        return "" if is_included else "not-included"

    def _is_named(self, entry: Entry) -> bool:
        """Tell whether the user named ``entry`` itself."""
        return self._is_explicit or (isinstance(entry, MemberEntry) and entry.is_explicit)

    def _unlike_an_image(self, entry: Entry, name: bytes) -> str:
        """Return why ``entry`` is no image that is read, by its name or, if that does not tell, its content; or nothing."""
        extension = name[name.rfind(b".") :].lower()
        if extension in self._extensions:
            return ""
        try:
            kind = self._kind(entry, extension)
        except (ReadError, AddressError):
            return ""  # unknown; the worker will report the read error
        if kind is None or not kind.is_image:
            return "not-an-image"
        if kind.format is not None and (not kind.format.opt_in or kind.format.name in self._allow):
            return ""
        self.other_images[kind.name] = self.other_images.get(kind.name, FailureKind()).plus(entry.path)
        return "unsupported"

    def _by_extension(self, entry: Entry, extension: bytes) -> FileKind | None:  # noqa: ARG002  # same signature as _by_content
        return kind_by_extension(extension.decode("latin-1"))

    def _by_content(self, entry: Entry, extension: bytes) -> FileKind | None:  # noqa: ARG002  # same signature as _by_extension
        return kind_of(self._storage.head(locator_of(entry), HEAD_BYTES), self._allow)
