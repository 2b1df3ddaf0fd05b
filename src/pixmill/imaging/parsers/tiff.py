"""Read the numbers in the directories of a TIFF file that define its samples; libvips does not expose them all.

Source: TIFF 6.0, sections 2, 8 and 21; TIFF Technical Note 1 (trees of directories); the BigTIFF proposal.
"""

import io
import struct
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pixmill.imaging.input import Input

SUBFILE, OLD_SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 254, 255, 256, 257, 258, 259, 262
ORIENTATION, SAMPLES, PLANAR, TILE_WIDTH, TILE_HEIGHT, SUB_DIRECTORIES, EXTRA_SAMPLES = 274, 277, 284, 322, 323, 330, 338
SAMPLE_FORMAT, YCBCR_COEFFICIENTS, YCBCR_SUBSAMPLING, REFERENCE_BLACK_WHITE = 339, 529, 530, 532
#: The kinds of extra samples that are alpha: associated and unassociated.
ALPHA_KINDS = (1, 2)
ORDERS = {b"II": "<", b"MM": ">"}
BIGTIFF_VERSION = 43
#: The struct code and size of a number, and the numbers of a value, by entry type: a rational has two.
NUMBER_TYPES = {1: ("B", 1, 1), 3: ("H", 2, 1), 4: ("I", 4, 1), 5: ("I", 4, 2), 13: ("I", 4, 1), 16: ("Q", 8, 1), 18: ("Q", 8, 1)}
MAX_VALUES = 64  # per entry
MAX_ENTRIES = 4096  # far more than the directory of an image has
MAX_DIRECTORIES = 64  # that are examined to find the image
MAX_COUNTED = 1_000_000  # directories
BYTES_PER_DIRECTORY = 256  # used by a library for each directory, beside its entries

Tags = Mapping[int, tuple[int, ...]]


class Directory(NamedTuple):
    """The numbers of an image, by tag, and where it is: the ``page``, and the index below that, -1 for the page itself."""

    tags: Tags
    page: int = 0
    below: int = -1

    @property
    def is_reduced(self) -> bool:
        """Return whether this is a smaller version of another image in the file."""
        return bool(self.tags.get(SUBFILE, (0,))[0] & 1) or self.tags.get(OLD_SUBFILE, (1,))[0] == 2  # noqa: PLR2004  # reduced

    @property
    def pixels(self) -> int:
        """Return the number of pixels."""
        return self.tags.get(WIDTH, (0,))[0] * self.tags.get(HEIGHT, (0,))[0]


def read(source: Input) -> tuple[Directory, ...]:
    """Return the first directory, with entries of at most ``MAX_VALUES`` values; if it is a reduced image, all others as well.

    They are those of the pages, and those below the first page, as far as they can be read. The first is without entries if it is
    unreadable.
    """
    found: list[Directory] = []
    with _opened(source) as file, suppress(struct.error, KeyError, OverflowError):
        _read_into(found, file)
    return tuple(found) or (Directory({}),)


def _opened(source: Input) -> BinaryIO:
    return io.BytesIO(source.data) if source.data is not None else Path(source.name).open("rb")


def _start(file: BinaryIO) -> tuple[str, bool, int]:
    """Return the byte order, whether it is a BigTIFF, and the offset of the first directory."""
    order = ORDERS[file.read(2)]
    big = _numbers(file, order + "H")[0] == BIGTIFF_VERSION
    if big:
        file.seek(8)
    return order, big, _numbers(file, order + ("Q" if big else "I"))[0]


def _read_into(found: list[Directory], file: BinaryIO) -> None:
    order, big, offset = _start(file)
    seen: set[int] = set()
    while offset and offset not in seen and len(seen) < MAX_DIRECTORIES:
        seen.add(offset)
        tags, offset = _directory(file, order, offset, big=big)
        found.append(Directory(tags, len(seen) - 1))
        if not found[0].is_reduced:
            return
    for index, start in enumerate(found[0].tags.get(SUB_DIRECTORIES, ())[:MAX_DIRECTORIES] if found else ()):
        found.append(Directory(_directory(file, order, start, big=big)[0], 0, index))


def directory_bytes(source: Input) -> int:
    """Return the memory that the directories of the pages take, in bytes; libtiff reads them all to count the pages."""
    total = 0
    with _opened(source) as file, suppress(struct.error, KeyError, OverflowError):
        order, big, offset = _start(file)
        count, entry_bytes, following = ("Q", 20, "Q") if big else ("H", 12, "I")
        seen: set[int] = set()
        while offset and offset not in seen and len(seen) < MAX_COUNTED:
            seen.add(offset)
            file.seek(offset)
            entries = _numbers(file, order + count)[0] * entry_bytes
            total += entries + BYTES_PER_DIRECTORY
            file.seek(entries, io.SEEK_CUR)
            (offset,) = _numbers(file, order + following)
    return total


def tile_row_pixels(tags: Tags) -> int:
    """Return the pixels of a row of tiles, which may be larger than the image; 0 if it has none."""
    width, tile_width, tile_height = (tags.get(tag, (0,))[0] for tag in (WIDTH, TILE_WIDTH, TILE_HEIGHT))
    return -(-width // tile_width) * tile_width * tile_height if tile_width else 0


def alpha_index(tags: Tags) -> int | None:
    """Return the index of the extra sample that is alpha, counted from 0; ``None`` if none is.

    In files that do not describe their extra samples, the first one is alpha.
    """
    extras = tags.get(EXTRA_SAMPLES, ALPHA_KINDS[1:])
    return next((index for index, kind in enumerate(extras) if kind in ALPHA_KINDS), None)


def _directory(file: BinaryIO, order: str, start: int, *, big: bool) -> tuple[dict[int, tuple[int, ...]], int]:
    """Return the numbers of the directory at ``start``, and the offset of the next one, 0 if there is none."""
    file.seek(start)
    count = min(_numbers(file, order + ("Q" if big else "H"))[0], MAX_ENTRIES)
    entry = struct.Struct(order + ("HHQ8s" if big else "HHI4s"))
    entries = [entry.unpack(file.read(entry.size)) for _ in range(count)]
    following = file.read(8 if big else 4)
    tags = {
        tag: _values(file, order, kind, count_of_values, inline)
        for tag, kind, count_of_values, inline in entries
        if kind in NUMBER_TYPES and 0 < count_of_values <= MAX_VALUES
    }
    return tags, int.from_bytes(following, "little" if order == "<" else "big")


def _values(file: BinaryIO, order: str, kind: int, count: int, inline: bytes) -> tuple[int, ...]:
    """Return the numbers of an entry, stored either in ``inline`` itself or at the offset that it contains."""
    code, size, numbers = NUMBER_TYPES[kind]
    count *= numbers
    if count * size <= len(inline):
        return struct.unpack_from(f"{order}{count}{code}", inline)
    file.seek(struct.unpack(order + ("Q" if len(inline) == struct.calcsize("Q") else "I"), inline)[0])
    return _numbers(file, f"{order}{count}{code}")


def _numbers(file: BinaryIO, layout: str) -> tuple[int, ...]:
    return struct.unpack(layout, file.read(struct.calcsize(layout)))
