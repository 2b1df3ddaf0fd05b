"""The remaining work, in pixels, estimated before the images are opened.

A thousand thumbnails are not a thousand panoramas: an estimate by image count says one hour at nine in the morning and again at
ten. The size of an image in bytes is known before it is opened, and the pixels per byte of its kind of file are measured on the
images that are done.
"""

from collections.abc import Iterable, Mapping

import msgspec

from pixmill.batch.item import Item

MAX_KINDS = 64  # distinct extensions; file names may contain any number of them
OTHER_KIND = b""
MAX_EXTENSION = 8  # characters of an extension
PIXELS_PER_BYTE = 5.0  # pixels per byte before any image is done: a typical camera photograph


class WorkTotal(msgspec.Struct, frozen=True, kw_only=True):
    """The number of images, and their bytes by kind of file; none if only the number is known."""

    count: int = 0
    sizes: Mapping[bytes, int] = {}


class Workload:
    """Adds up found and finished bytes, by kind of file, and finished pixels."""

    def __init__(self) -> None:
        """Start without any work."""
        self._found: dict[bytes, int] = {}
        self._finished: dict[bytes, int] = {}
        self._measured: dict[bytes, tuple[int, int]] = {}
        self._total = WorkTotal()
        self.finished = 0.0

    def set_total(self, total: WorkTotal) -> None:
        """Set the total work, counted ahead of the run: all of it, if nothing changes."""
        self._total = total

    @property
    def is_measured(self) -> bool:
        """Tell whether the bytes of the work ahead are known."""
        return bool(self._total.sizes) or not self._total.count

    def find(self, key: bytes, size: int) -> None:
        """Add an image that was found."""
        kind = self._kind(key)
        self._found[kind] = self._found.get(kind, 0) + size

    def finish(self, key: bytes, size: int, pixels: int | None) -> None:
        """Add an image that needs no more work; ``pixels`` is ``None`` if it was not opened."""
        kind = self._kind(key)
        self._finished[kind] = self._finished.get(kind, 0) + size
        if pixels is not None and size:
            bytes_before, pixels_before = self._measured.get(kind, (0, 0))
            self._measured[kind] = (bytes_before + size, pixels_before + pixels)
        self.finished += size * self._density(kind) if pixels is None else pixels

    def pass_over(self, sizes: Iterable[tuple[bytes, int]]) -> None:
        """Add images, each a key and a size in bytes, that were found and need no work."""
        totals: dict[bytes, int] = {}
        for key, size in sizes:
            kind = extension(key)
            totals[kind] = totals.get(kind, 0) + size
        for key, size in totals.items():
            kind = key if key in self._found or len(self._found) < MAX_KINDS else OTHER_KIND
            self._found[kind] = self._found.get(kind, 0) + size
            self._finished[kind] = self._finished.get(kind, 0) + size
            self.finished += size * self._density(kind)

    @property
    def remaining(self) -> float:
        """Return the remaining pixels of all known images: found, or counted ahead."""
        sizes = {kind: max(self._found.get(kind, 0), size) for kind, size in self._total.sizes.items()}
        remaining = ((kind, size - self._finished.get(kind, 0)) for kind, size in {**self._found, **sizes}.items())
        return sum(max(0, size) * self._density(kind) for kind, size in remaining)

    def _density(self, kind: bytes) -> float:
        """Return the pixels per byte of ``kind``; of all kinds together while none of its images is done."""
        measured = self._measured.get(kind)
        if measured is None and self._measured:
            bytes_of_all, pixels_of_all = zip(*self._measured.values(), strict=True)
            measured = sum(bytes_of_all), sum(pixels_of_all)
        return measured[1] / measured[0] if measured else PIXELS_PER_BYTE

    def _kind(self, key: bytes) -> bytes:
        kind = extension(key)
        return kind if kind in self._found or len(self._found) < MAX_KINDS else OTHER_KIND


def extension(key: bytes) -> bytes:
    """Return the extension of a name, in lower case, or ``OTHER_KIND``."""
    stem, dot, end = key.rpartition(b".")
    return end.lower() if dot and stem and len(end) <= MAX_EXTENSION and b"/" not in end else OTHER_KIND


def count_work(items: Iterable[Item]) -> WorkTotal:
    """Return the total work of ``items``, iterating over them in constant memory."""
    count, sizes = 0, dict[bytes, int]()
    for item in items:
        count += 1
        kind = extension(item.entry.path)
        kind = kind if kind in sizes or len(sizes) < MAX_KINDS else OTHER_KIND
        sizes[kind] = sizes.get(kind, 0) + item.expected_size
    return WorkTotal(count=count, sizes=sizes)
