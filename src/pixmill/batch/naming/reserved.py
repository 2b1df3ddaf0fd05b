"""Names that are reserved for the state of pixmill, and the key by which file systems compare names."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable

from pixmill.core.text import printable

STATE_FOLDER = b".pixmill"
MAX_BEGINNINGS = 20  # with more it is faster to take each name apart
#: Endings of which none is a number. Each part matches in one way only: with two, a hostile name would take for ever.
_ENDINGS = re.compile(rb"(?<!^)(?:\.(?![0-9]+(?:\.|\Z))[^.]*)+\Z", re.DOTALL)
_NAME_END = re.compile(rb"(?<!^)[.~]")


def collision_key(path: bytes) -> bytes:
    """Return the key by which a file system that ignores case and Unicode form compares names: equal keys mean the same file."""
    if path.isascii():
        return path.lower()
    text = unicodedata.normalize("NFC", path.decode("utf-8", "surrogateescape"))
    return unicodedata.normalize("NFC", text.casefold()).encode("utf-8", "surrogateescape")


def collision_stem(name: bytes) -> bytes:
    """Return what the names of sources have in common if their outputs could get the same name, or that of a folder ``name``.

    An output is named after the stem of its source, or after the full name if that is taken. All names that can collide in this
    way are equal up to the first dot, or up to the tilde before a number.
    """
    return _NAME_END.split(collision_key(name), maxsplit=1)[0]


def image_stem(name: bytes) -> bytes:
    """Return the same for sources that all have an extension that is no number, of which fewer have a stem in common.

    ``shot.0001.png`` and ``shot.0002.png`` have not: only up to the last number between dots can their outputs be called alike.
    """
    key = collision_key(name)
    found = _ENDINGS.search(key)
    return key[: found.start()] if found else key


def with_stems(stems: Collection[bytes], stem_of: Callable[[bytes], bytes]) -> Callable[[bytes], bool]:
    """Return a function that tells whether the stem of a name, by ``collision_stem`` or ``image_stem``, is one of ``stems``."""
    wanted, beginnings = frozenset(stems), tuple(stems)
    if len(wanted) > MAX_BEGINNINGS:
        return lambda name: stem_of(name) in wanted
    return lambda name: (name.lower().startswith(beginnings) or not name.isascii()) and stem_of(name) in wanted


def name_key(name: bytes, *, folds: bool = False) -> bytes:
    """Return the key of the output ``name`` under which the ledger notes whose it is: folder, NUL, and the file's collision key.

    All names in a folder are next to each other. ``folds``: the destination ignores case and Unicode form of folders, too; those of
    files are always ignored, since an output may be copied to a file system that ignores them.
    """
    folder, _, file = name.rpartition(b"/")
    return (collision_key(folder) if folds else folder) + b"\0" + collision_key(file)


def is_reserved(name: bytes) -> bool:
    """Tell whether the output ``name`` would lie in a state folder on any file system.

    Some ignore case, trailing dots and spaces (exFAT, NTFS) or invisible characters (HFS+), and FAT has a second name of eight
    characters for every longer one.
    """
    if name.isascii() and b"pixmil" not in name.lower():
        return False
    folded = collision_key(name)
    if b"pixmil" not in folded and folded.isascii():
        return False
    text = folded.decode("utf-8", "surrogateescape")
    visible = "".join([character for character in text if unicodedata.category(character) != "Cf"])
    parts = [part.rstrip(". ").encode("utf-8", "surrogateescape") for part in visible.split("/")]
    return any(part == STATE_FOLDER or re.fullmatch(rb"pixmil~[0-9]+", part) for part in parts)


class ReservedNames:
    """The names below DST that no output may have: ``is_reserved``, or within the folder ``state`` that ``--state`` names there."""

    def __init__(self, state: bytes | None) -> None:
        """``state`` is relative to DST; ``None`` if it is elsewhere."""
        self._state = collision_key(state) if state and not is_reserved(state) else None

    def may_include(self, names: Iterable[bytes]) -> bool:
        """Tell whether ``error`` is worth asking about any of ``names``, in a fraction of the time that this takes."""
        text = b"\n".join(names)
        return self._state is not None or b"pixmil" in text.lower() or not text.isascii()

    def error(self, names: Iterable[bytes]) -> str:
        """Return why an image cannot have these ``names``; empty if none is reserved."""
        name = next(filter(self._includes, names), None)
        return "" if name is None else f"its output name {printable(name)} is reserved for pixmill's own files"

    def _includes(self, name: bytes) -> bool:
        return is_reserved(name) or (self._state is not None and (collision_key(name) + b"/").startswith(self._state + b"/"))
