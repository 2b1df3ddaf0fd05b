"""How much work is left, in pixels, before the images in question have been opened.

A thousand thumbnails are not a thousand panoramas: who counts images alone says an hour at nine in the morning and again at ten.
Before an image is opened its bytes are known, and how many pixels a byte of its kind holds is learnt from those that were done.
"""

from collections.abc import Iterable, Mapping

import msgspec

from pixmill.batch.item import Item

MAX_KINDS = 64  # extensions that are told apart; what people write behind a dot has no end
OTHER = b""
MAX_EXTENSION = 8  # characters of an extension
PIXELS_PER_BYTE = 5.0  # pixels a byte before anything was done: a photograph as a camera writes it


class WorkTotal(msgspec.Struct, frozen=True, kw_only=True):
    """How many images there are, and their bytes by kind of file."""

    count: int = 0
    sizes: Mapping[bytes, int] = {}


class Workload:
    """Adds up bytes that were found and finished, by kind of file, and pixels that were done."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._found: dict[bytes, int] = {}
        self._finished: dict[bytes, int] = {}
        self._measured: dict[bytes, tuple[int, int]] = {}
        self._ahead = WorkTotal()
        self.finished = 0.0

    def set_total(self, ahead: WorkTotal) -> None:
        """Take what a look ahead has found: all that there is, if nothing changes."""
        self._ahead = ahead

    def find(self, key: bytes, size: int) -> None:
        """Take an image that was found."""
        kind = self._kind(key)
        self._found[kind] = self._found.get(kind, 0) + size

    def finish(self, key: bytes, size: int, pixels: int | None) -> None:
        """Take one that needs no more work; ``pixels`` is ``None`` where it was not opened."""
        kind = self._kind(key)
        self._finished[kind] = self._finished.get(kind, 0) + size
        if pixels is not None and size:
            bytes_before, pixels_before = self._measured.get(kind, (0, 0))
            self._measured[kind] = (bytes_before + size, pixels_before + pixels)
        self.finished += size * self._density(kind) if pixels is None else pixels

    @property
    def remaining(self) -> float:
        """Return the pixels that are left of what is known: found, or seen ahead."""
        sizes = {kind: max(self._found.get(kind, 0), size) for kind, size in self._ahead.sizes.items()}
        left = ((kind, size - self._finished.get(kind, 0)) for kind, size in {**self._found, **sizes}.items())
        return sum(max(0, size) * self._density(kind) for kind, size in left)

    def _density(self, kind: bytes) -> float:
        """Return pixels a byte of ``kind``; of all kinds together while it has not been seen."""
        measured = self._measured.get(kind)
        if measured is None and self._measured:
            bytes_of_all, pixels_of_all = zip(*self._measured.values(), strict=True)
            measured = sum(bytes_of_all), sum(pixels_of_all)
        return measured[1] / measured[0] if measured else PIXELS_PER_BYTE

    def _kind(self, key: bytes) -> bytes:
        kind = extension(key)
        return kind if kind in self._found or len(self._found) < MAX_KINDS else OTHER


def extension(key: bytes) -> bytes:
    """Return the extension of a name, in lower case, or ``OTHER``."""
    stem, dot, end = key.rpartition(b".")
    return end.lower() if dot and stem and len(end) <= MAX_EXTENSION and b"/" not in end else OTHER


def count_work(items: Iterable[Item]) -> WorkTotal:
    """Walk through ``items`` and return how much there is; none of them is kept."""
    count, sizes = 0, dict[bytes, int]()
    for item in items:
        count += 1
        kind = extension(item.entry.path)
        kind = kind if kind in sizes or len(sizes) < MAX_KINDS else OTHER
        sizes[kind] = sizes.get(kind, 0) + item.expected_size
    return WorkTotal(count=count, sizes=sizes)
