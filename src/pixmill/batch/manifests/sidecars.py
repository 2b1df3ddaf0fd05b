"""What a WebDataset archive says of a picture in files beside it: ``KEY.json``, the caption ``KEY.txt``, the class ``KEY.cls``."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from pixmill.core.errors import ReadError
from pixmill.core.validation import DECODE_ERRORS
from pixmill.storage.entry import Entry, locator_of
from pixmill.storage.storage import Storage

CAPTION, CLASS = "caption", "cls"  # the columns of the text in KEY.txt and KEY.cls
MAX_BYTES = 1 << 20  # of one such file
_ENDINGS = (b"json", b"txt", b"cls")
#: the fields by which the description of a sample that pixmill wrote is known, and those of them that hold what others said
_OURS, _OF_OTHERS = {"source", "captured_at", "original_width", "sha256"}, ("columns", CAPTION)


def with_sidecars(entries: Sequence[Entry], archive: Storage) -> Iterator[tuple[Entry, bytes]]:
    """Yield those of ``entries``, all of one folder of ``archive``, that are no sidecars, each with its columns as a JSON object.

    The columns are empty if there are none. Sidecars that cannot be read say nothing.
    """
    sidecars = _Sidecars(entries, archive)
    return ((each, sidecars.columns(each)) for each in entries if not sidecars.has(each))


class _Sidecars:
    """The files beside the pictures among ``entries``."""

    def __init__(self, entries: Iterable[Entry], archive: Storage) -> None:
        """Find them; nothing is read yet."""
        self._archive = archive
        self._found: dict[bytes, dict[bytes, Entry]] = {}
        others: set[bytes] = set()
        for entry in entries:
            key, ending = _split(entry.path)
            if ending in _ENDINGS:
                self._found.setdefault(key, {})[ending] = entry
            else:
                others.add(key)
        self._found = {key: files for key, files in self._found.items() if key in others and key}

    def has(self, entry: Entry) -> bool:
        """Tell whether ``entry`` is one of them."""
        key, ending = _split(entry.path)
        return ending in self._found.get(key, ())

    def columns(self, entry: Entry) -> bytes:
        """Return what they say about ``entry``."""
        fields: dict[str, object] = {}
        files = self._found.get(_split(entry.path)[0], {})
        for ending in _ENDINGS:
            if ending in files:
                fields |= self._fields(ending, files[ending])
        return msgspec.json.encode(fields) if fields else b""

    def _fields(self, ending: bytes, entry: Entry) -> Mapping[str, object]:
        try:
            content = self._archive.read(locator_of(entry), limit=MAX_BYTES)
        except ReadError:
            return {}
        if ending == b"json":
            try:
                return without_description(msgspec.json.decode(content, type=dict[str, Any]))
            except DECODE_ERRORS:
                return {}
        text = content.decode("utf-8", "replace")
        if ending == b"txt":
            return {CAPTION: text}
        return {CLASS: int(text) if text.strip().isdecimal() and len(text) < 19 else text.strip()}  # noqa: PLR2004  # an int64


def without_description(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``fields`` of a sample without what pixmill itself said about it, if it wrote them: it says that of the new one."""
    if not fields.keys() >= _OURS:
        return dict(fields)
    columns, caption = (fields.get(name) for name in _OF_OTHERS)
    if isinstance(columns, str):  # in a table
        columns = msgspec.json.decode(columns)
    return {**(columns or {}), **({} if caption is None else {CAPTION: caption})}


def _split(path: bytes) -> tuple[bytes, bytes]:
    """Return the key of the member ``path``, which ends at the first dot of its name, and the rest in lower case."""
    folder, _, name = path.rpartition(b"/")
    stem, _, ending = name.partition(b".")
    return (folder + b"/" + stem if stem else b""), ending.lower()
