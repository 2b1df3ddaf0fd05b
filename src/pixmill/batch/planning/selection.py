"""Which of the entries that a source yields are candidates; the rest is counted, by reason."""

import fnmatch
import re
from collections import Counter
from collections.abc import Callable, Iterable

from pixmill.batch.config.models import Selection
from pixmill.batch.source import Folder
from pixmill.core.errors import ReadError
from pixmill.imaging.formats import extensions, sniff
from pixmill.storage.entry import Entry, locator_of
from pixmill.storage.storage import Storage

HEAD = 64  # bytes: every signature lies within
#: what takes that which was ignored for a reason, where an option does
TAKEN_BY = {"symlink": "--follow-symlinks"}


def taken_by(reason: str) -> str:
    """Return, to be put behind ``reason``, which option takes what was ignored for it; empty where none does."""
    return f" ({TAKEN_BY[reason]} takes them)" if reason in TAKEN_BY else ""


class Selector:
    """Chooses candidates. ``ignored`` counts what was left out, by reason: ``hidden``, ``excluded``, ``not-an-image``.

    A source adds what it leaves out by itself: ``symlink`` (a link that is not followed), ``output`` (what lies in DST).
    """

    def __init__(self, selection: Selection, storage: Storage, *, is_chosen: bool = False) -> None:
        """Compile the patterns. With ``is_chosen`` every entry was named by somebody, and only the patterns decide."""
        self.ignored: Counter[str] = Counter()
        self._included = _matcher(selection.include)
        self._excluded = _matcher(selection.exclude)
        self._looks_like_an_image = self._by_content if selection.all_files else self._by_extension
        self._extensions = frozenset(b"." + extension.encode() for extension in extensions())
        self._storage = storage
        self._is_chosen = is_chosen

    def choose(self, entries: Iterable[Entry]) -> tuple[list[Entry], list[bytes]]:
        """Return the candidates among ``entries``, in order, and the folders beside them."""
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

    def leave_out(self, path: bytes, reason: str) -> None:
        """Count ``path``, which the source has left out for ``reason``, or because it is hidden or excluded anyhow."""
        if path.rpartition(b"/")[2].startswith(b"."):
            reason = "hidden"
        elif self._excluded is not None and self._excluded(path):
            reason = "excluded"
        self.ignored[reason] += 1

    def _reason_against(self, entry: Entry) -> str:
        name = entry.path.rpartition(b"/")[2]
        if name.startswith(b".") and not self._is_chosen:
            return "hidden"
        if not (self._is_chosen or self._looks_like_an_image(entry, name)):
            return "not-an-image"
        if self._included is not None and not self._included(entry.path):
            return "not-included"
        if self._excluded is not None and self._excluded(entry.path):
            return "excluded"
        return ""

    def _by_extension(self, entry: Entry, name: bytes) -> bool:  # noqa: ARG002  # the same shape as _by_content
        return name[name.rfind(b".") :].lower() in self._extensions

    def _by_content(self, entry: Entry, name: bytes) -> bool:  # noqa: ARG002  # the same shape as _by_extension
        try:
            return sniff(self._storage.head(locator_of(entry), HEAD)) is not None
        except ReadError:
            return True  # nobody knows; the worker that cannot read it either says why


def _matcher(patterns: tuple[str, ...]) -> Callable[[bytes], bool] | None:
    """Match a path against shell patterns; one without a slash is about the file name, as in a .gitignore."""
    if not patterns:
        return None
    anchored = [pattern if "/" in pattern else "*/" + pattern for pattern in patterns]
    union = re.compile("|".join(fnmatch.translate(pattern.lstrip("/")) for pattern in anchored))

    def matches(path: bytes) -> bool:
        text = path.decode("utf-8", "surrogateescape")
        return union.match(text) is not None or union.match("/" + text) is not None

    return matches
