"""Select the candidates among the entries of a source, and count the others by reason."""

import fnmatch
import re
from collections import Counter
from collections.abc import Callable, Iterable

from pixmill.batch.config.models import Selection
from pixmill.batch.source import Folder, MemberEntry, path_in_source
from pixmill.core.errors import ReadError
from pixmill.imaging.formats import extensions, sniff
from pixmill.storage.entry import Entry, locator_of
from pixmill.storage.storage import Storage

SIGNATURE_BYTES = 64  # every signature lies within these
#: the option that includes files ignored for a reason
ENABLED_BY = {"symlink": "--follow-symlinks"}


def enabling_option(reason: str) -> str:
    """Return a suffix for ``reason`` naming the option that includes such files; empty if there is none."""
    return f" ({ENABLED_BY[reason]} includes them)" if reason in ENABLED_BY else ""


class Selector:
    """Selects candidates. ``ignored`` counts the others by reason: ``hidden``, ``excluded``, ``not-included``, ``not-an-image``.

    Sources add what they skip themselves: ``symlink`` (a link that is not followed) and ``output`` (a file in DST).
    """

    def __init__(self, selection: Selection, storage: Storage, *, is_explicit: bool = False) -> None:
        """Compile the patterns. With ``is_explicit`` the user named every entry, so only the patterns apply."""
        self.ignored: Counter[str] = Counter()
        self._included = _matcher(selection.include)
        self._excluded = _matcher(selection.exclude)
        self._looks_like_an_image = self._by_content if selection.all_files else self._by_extension
        self._extensions = frozenset(b"." + extension.encode() for extension in extensions())
        self._storage = storage
        self._is_explicit = is_explicit

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
        elif self._excluded is not None and self._excluded(path):
            reason = "excluded"
        self.ignored[reason] += 1

    def _reason_against(self, entry: Entry) -> str:
        name = entry.path.rpartition(b"/")[2]
        is_explicit = self._is_explicit or (isinstance(entry, MemberEntry) and entry.is_explicit)
        if name.startswith(b".") and not is_explicit:
            return "hidden"
        if not (is_explicit or self._looks_like_an_image(entry, name)):
            return "not-an-image"
        if self._included is not None and not self._included(path_in_source(entry)):
            return "not-included"
        if self._excluded is not None and self._excluded(path_in_source(entry)):
            return "excluded"
        return ""

    def _by_extension(self, entry: Entry, name: bytes) -> bool:  # noqa: ARG002  # same signature as _by_content
        return name[name.rfind(b".") :].lower() in self._extensions

    def _by_content(self, entry: Entry, name: bytes) -> bool:  # noqa: ARG002  # same signature as _by_extension
        try:
            return sniff(self._storage.head(locator_of(entry), SIGNATURE_BYTES)) is not None
        except ReadError:
            return True  # unknown; the worker will report the read error


def _matcher(patterns: tuple[str, ...]) -> Callable[[bytes], bool] | None:
    """Return a function that matches paths against shell patterns; one without a slash matches the file name, as in .gitignore."""
    if not patterns:
        return None
    anchored = [pattern if "/" in pattern else "*/" + pattern for pattern in patterns]
    union = re.compile("|".join(fnmatch.translate(pattern.lstrip("/")) for pattern in anchored))

    def matches(path: bytes) -> bool:
        text = path.decode("utf-8", "surrogateescape")
        return union.match(text) is not None or union.match("/" + text) is not None

    return matches
