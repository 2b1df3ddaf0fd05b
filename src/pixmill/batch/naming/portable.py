"""Names that every file system accepts: NTFS, exFAT, FAT and SMB refuse characters, words and endings that others allow."""

import re
from collections.abc import Callable, Iterable
from hashlib import blake2b

MAX_BYTES = 255  # of a file or folder name
DIGEST_BYTES = 4  # that tell long names apart
_REFUSED = re.compile(rb'[\x00-\x1f\x7f:?*|"<>\\]')
_ENDING = re.compile(rb"[. ]+$")
#: Names of devices, with any extension.
_DEVICE = re.compile(rb"(con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9])(?=\s*(?:\.|$))", re.IGNORECASE)


def portable(name: bytes) -> bytes:
    """Return ``name``, a path below DST, with ``_`` for what Windows refuses; other names are returned as they are.

    A file or folder name longer than 255 bytes keeps its extension, and a digest of it keeps it different from others.
    """
    return b"/".join(map(_portable_part, name.split(b"/")))


def _portable_part(part: bytes) -> bytes:
    part = _REFUSED.sub(b"_", part)
    part = _ENDING.sub(lambda found: b"_" * len(found[0]), part)
    part = _DEVICE.sub(rb"\1_", part, count=1) if _DEVICE.match(part) else part
    if not part.isascii():
        part = part.decode("utf-8", "replace").replace("\ufffd", "_").encode()
    return part if len(part) <= MAX_BYTES else _shortened(part)


def _shortened(part: bytes) -> bytes:
    stem, dot, extension = part.rpartition(b".")
    ending = b"~" + blake2b(part, digest_size=DIGEST_BYTES).hexdigest().encode() + (dot + extension)[-32:]
    kept = (stem or part)[: MAX_BYTES - len(ending)].decode("utf-8", "ignore").encode()
    return kept + ending


class Spelling:
    """Spells names portably. ``is_used`` tells whether one is not what its template makes."""

    def __init__(self, exists: Callable[[bytes], bool]) -> None:
        """``exists`` tells whether there is a file with a name: an image that has such a file keeps its name."""
        self._exists = exists
        self.is_used = False

    def __call__(self, name: bytes) -> bytes:
        """Return the portable spelling of ``name``."""
        spelled = portable(name)
        self.is_used = self.is_used or spelled != name
        return spelled

    def keeps(self, names: Iterable[bytes]) -> bool:
        """Tell whether the ``names`` that an image owns stay as they are: not if they were refused, so that there are no files."""
        return all(map(self._exists, names))
