"""``PruneResult``: what was removed or would be, why, and what stays."""

import os

import msgspec

MAX_NAMES = 10  # of each kind
#: reasons for removing: its image is gone, its row is not in the list, no recipe asks for it any more
SOURCE_GONE, NOT_IN_LIST, NOT_REQUESTED = "source-gone", "not-in-list", "not-requested"
#: reasons for keeping an output all the same
CHANGED, OTHERS_NAME, UNCERTAIN_REQUEST, ADOPTED = "changed", "name-of-another", "last-run-partial", "adopted"


class Part(msgspec.Struct):
    """The outputs of one kind: ``images`` they were made from, ``files`` that exist with their ``bytes``, the ``first`` names."""

    images: int = 0
    files: int = 0
    bytes: int = 0
    first: list[str] = []


class PruneResult(msgspec.Struct, kw_only=True):
    """``is_removed``: it was removed; otherwise it would be. ``outputs``: number of recorded outputs of the sources looked at.

    ``removed`` and ``kept`` are by reason. ``remarks`` are sentences about images of which nothing can be told.
    """

    is_removed: bool = False
    outputs: int = 0
    removed: dict[str, Part] = {}
    kept: dict[str, Part] = {}
    remarks: list[str] = []

    @property
    def files(self) -> int:
        """Return the number of files that are removed."""
        return sum(part.files for part in self.removed.values())

    @property
    def bytes(self) -> int:
        """Return their size in bytes."""
        return sum(part.bytes for part in self.removed.values())

    @property
    def images(self) -> int:
        """Return the number of images that lose their record, or some of their outputs."""
        return sum(part.images for part in self.removed.values())


def count(part: Part, name: bytes, size: int) -> None:
    """Count a file in ``part``."""
    part.files += 1
    part.bytes += size
    if len(part.first) < MAX_NAMES:
        part.first.append(os.fsdecode(name))
