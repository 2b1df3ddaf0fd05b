"""Names that no output may have, since pixmill keeps its state there."""

import re
import unicodedata

STATE_FOLDER = b".pixmill"


def collision_key(path: bytes) -> bytes:
    """Return what a file system that ignores case and Unicode form would compare: equal identities are one file there."""
    if path.isascii():
        return path.lower()
    text = unicodedata.normalize("NFC", path.decode("utf-8", "surrogateescape"))
    return unicodedata.normalize("NFC", text.casefold()).encode("utf-8", "surrogateescape")


def is_reserved(name: bytes) -> bool:
    """Tell whether the output ``name`` would lie in a state folder, as any file system sees it.

    Some ignore case, dots and spaces at the end (exFAT, NTFS) or characters that are not seen (HFS+), and FAT has a second
    name of eight letters for every longer one.
    """
    folded = collision_key(name)
    if b"pixmil" not in folded and folded.isascii():
        return False
    text = folded.decode("utf-8", "surrogateescape")
    seen = "".join([letter for letter in text if unicodedata.category(letter) != "Cf"])
    parts = [part.rstrip(". ").encode("utf-8", "surrogateescape") for part in seen.split("/")]
    return any(part == STATE_FOLDER or re.fullmatch(rb"pixmil~[0-9]+", part) for part in parts)
