"""Select the candidates among the entries of a source, and count the others by reason."""

from collections import Counter
from collections.abc import Collection, Iterable

from pixmill.batch.config.models import Selection
from pixmill.batch.config.pattern import PatternCount
from pixmill.batch.planning.pattern_list import PatternList
from pixmill.batch.source import Folder, MemberEntry, path_in_source
from pixmill.core.errors import ReadError
from pixmill.imaging.formats import extensions, sniff
from pixmill.storage.entry import Entry, locator_of
from pixmill.storage.storage import Storage

SIGNATURE_BYTES = 64  # every signature lies within these


class Selector:
    """Selects candidates. ``ignored`` counts the others by reason: ``hidden``, ``excluded``, ``not-included``, ``not-an-image``.

    Sources add what they skip themselves: ``symlink`` (a link that is not followed) and ``output`` (a file in DST).
    """

    def __init__(self, selection: Selection, storage: Storage, *, is_explicit: bool = False, allow: Collection[str] = ()) -> None:
        """Take the patterns. With ``is_explicit`` the user named every entry, so only the patterns apply.

        ``allow`` names the formats that are processed although they are disabled by default.
        """
        self.ignored: Counter[str] = Counter()
        self._include = PatternList("include", selection.include)
        self._exclude = PatternList("exclude", selection.exclude)
        self._looks_like_an_image = self._by_content if selection.all_files else self._by_extension
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
        self._include.reset_counts()
        self._exclude.reset_counts()

    def choose(self, entries: Iterable[Entry]) -> tuple[list[Entry], list[bytes]]:
        """Return the candidates among ``entries``, in order, and the subfolders listed with them."""
        chosen: list[Entry] = []
        folders: list[bytes] = []
        for entry in entries:
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

    def _reason_against(self, entry: Entry) -> str:
        name = entry.path.rpartition(b"/")[2]
        is_hidden = name.startswith(b".")
        if (is_hidden or not self._looks_like_an_image(entry, name)) and not self._is_named(entry):
            return "hidden" if is_hidden else "not-an-image"
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

    def _by_extension(self, entry: Entry, name: bytes) -> bool:  # noqa: ARG002  # same signature as _by_content
        return name[name.rfind(b".") :].lower() in self._extensions

    def _by_content(self, entry: Entry, name: bytes) -> bool:  # noqa: ARG002  # same signature as _by_extension
        try:
            return sniff(self._storage.head(locator_of(entry), SIGNATURE_BYTES)) is not None
        except ReadError:
            return True  # unknown; the worker will report the read error
