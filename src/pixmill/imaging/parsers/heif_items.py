"""Read what a HEIF or AVIF file states about its primary image, as far as decoders do not pass it on.

Source: ISO/IEC 14496-12, sections 8.11 (meta, pitm, iref, iloc) and 12.1.5 (colr); ISO/IEC 23008-12, section 9.3 (ipco, ipma);
ISO/IEC 14496-15, section 8.3.3 (hvcC); AV1 Codec ISO Media File Format Binding, section 2.3 (av1C).
"""

import math
import struct
from collections.abc import Iterator
from mmap import mmap

import msgspec

from pixmill.imaging.parsers import av1

MAX_BOXES = 4096  # of one container, far more than a photograph has
MAX_SEQUENCE_HEADER = 1024  # bytes from the beginning of a bitstream that are searched for its first header
FULL_BOX_BYTES = 4  # version and flags, before the content of some boxes
FULL_RANGE_BIT = 0x80
DEEP_BIT, TWELVE_BIT, MONOCHROME_BIT = 0x40, 0x20, 0x10  # in the third byte of av1C


class Primary(msgspec.Struct, frozen=True, kw_only=True):
    """What a file states about its primary image.

    ``codes``: primaries, transfer characteristics and matrix coefficients by H.273, from the ``colr`` box of kind ``nclx``, or else
    the bitstream; ``None`` if both are silent. ``full_range`` is from the same place. ``depth`` is in bits per channel, 0 if
    unknown. ``pixels`` is their number; ``is_cropped``: a clean aperture (``clap``) is to be cut out of them. ``max_light``: the
    brightest light of the image in cd/m2 (``clli``), 0 if unknown.
    """

    codes: tuple[int, int, int] | None = None
    full_range: bool = True
    depth: int = 0
    monochrome: bool = False
    pixels: int = 0
    is_cropped: bool = False
    max_light: int = 0

    @property
    def nclx(self) -> bytes:
        """Return the codes of primaries and transfer as two numbers of 16 bits; empty if there are none."""
        return struct.pack(">2H", *self.codes[:2]) if self.codes else b""

    @property
    def max_cll(self) -> bytes:
        """Return ``max_light`` as the chunk cLLI of PNG has it, in units of 0.0001 cd/m2; empty if there is none."""
        return struct.pack(">I", self.max_light * 10_000) if self.max_light else b""


def read_primary(data: bytes | mmap) -> Primary:
    """Return the properties of the primary image of the file ``data``, as far as they can be read."""
    with memoryview(data) as view:
        try:
            return _read(view)
        except (struct.error, IndexError, KeyError, StopIteration, ValueError):
            return Primary()


def _read(data: memoryview) -> Primary:
    meta = dict(boxes(bytes(next(content for kind, content in boxes(data) if kind == b"meta")[FULL_BOX_BYTES:])))
    item = _number(meta[b"pitm"], FULL_BOX_BYTES, wide=meta[b"pitm"][0] > 0)
    tables = dict(boxes(meta[b"iprp"]))
    properties = list(boxes(tables[b"ipco"]))
    # The tiles of a grid have the same properties as the whole, which need not repeat them.
    items = (item, *_tiles(bytes(meta.get(b"iref", b"")), item))
    associations = _associations(bytes(tables[b"ipma"]))
    stated = [properties[index - 1] for each in items for index in associations.get(each, ()) if 0 < index <= len(properties)]
    coding = next(((kind, bytes(content)) for kind, content in stated if kind in (b"av1C", b"hvcC")), (b"", b""))
    depth, monochrome = _depth(*coding)
    colour = _nclx(stated) or (_from_bitstream(data, bytes(meta[b"iloc"]), items[-1]) if coding[0] == b"av1C" else None)
    return Primary(
        codes=colour and colour.codes,
        full_range=colour is None or colour.full_range,
        depth=depth,
        monochrome=monochrome,
        pixels=next(
            (math.prod(struct.unpack_from(">2I", content, FULL_BOX_BYTES)) for kind, content in stated if kind == b"ispe"), 0
        ),
        max_light=next((_number(content, 0, wide=False) for kind, content in stated if kind == b"clli"), 0),
        is_cropped=any(kind == b"clap" for kind, _ in stated),
    )


def boxes(data: bytes | memoryview) -> Iterator[tuple[bytes, bytes | memoryview]]:
    """Yield the kind and the content of each box in ``data``."""
    offset = 0
    for _ in range(MAX_BOXES):
        if offset + 8 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, offset)
        start = offset + 8
        if length == 1:  # the actual length follows, in 64 bits
            (length,) = struct.unpack_from(">Q", data, start)
            start += 8
        end = offset + length if length else len(data)
        yield kind, data[start:end]
        if end <= offset:
            return
        offset = end


def _number(box: bytes | memoryview, offset: int, *, wide: bool) -> int:
    number: int = struct.unpack_from(">I" if wide else ">H", box, offset)[0]
    return number


def _tiles(references: bytes, item: int) -> tuple[int, ...]:
    """Return the number of the first image that ``item`` is derived from, in a tuple; an empty one if it is not derived."""
    wide = references[:1] > b"\0"
    size = 4 if wide else 2
    for kind, content in boxes(references[FULL_BOX_BYTES:]):
        if kind == b"dimg" and _number(content, 0, wide=wide) == item:
            return (_number(content, size + 2, wide=wide),)
    return ()


def _associations(box: bytes) -> dict[int, list[int]]:
    """Return the indexes of the properties of each item, counted from 1."""
    wide_item, wide_index = box[0] > 0, box[3] & 1
    (count,), offset = struct.unpack_from(">I", box, FULL_BOX_BYTES), FULL_BOX_BYTES + 4
    found: dict[int, list[int]] = {}
    for _ in range(min(count, MAX_BOXES)):
        item = _number(box, offset, wide=wide_item)
        offset += 4 if wide_item else 2
        layout = struct.Struct(f">{box[offset]}{'H' if wide_index else 'B'}")
        mask = 0x7FFF if wide_index else 0x7F  # without the bit for "essential"
        found[item] = [index & mask for index in layout.unpack_from(box, offset + 1)]
        offset += 1 + layout.size
    return found


def _depth(kind: bytes, configuration: bytes) -> tuple[int, bool]:
    """Return the bits per channel, and whether there is only luma."""
    if kind == b"av1C":
        flags = configuration[2]
        depth = (12 if flags & TWELVE_BIT else 10) if flags & DEEP_BIT else 8
        return depth, bool(flags & MONOCHROME_BIT)
    return (8 + (configuration[17] & 7), not configuration[16] & 3) if kind == b"hvcC" else (0, False)


def _nclx(properties: list[tuple[bytes, bytes | memoryview]]) -> av1.ColourConfig | None:
    for kind, content in properties:
        if kind == b"colr" and content[:4] == b"nclx":
            return av1.ColourConfig(struct.unpack_from(">3H", content, 4), full_range=bool(content[10] & FULL_RANGE_BIT))
    return None


def _from_bitstream(data: memoryview, locations: bytes, item: int) -> av1.ColourConfig | None:
    offset = _offset(locations, item)
    return None if offset is None else av1.colour_config(bytes(data[offset : offset + MAX_SEQUENCE_HEADER]))


def _offset(box: bytes, item: int) -> int | None:
    """Return the offset in the file of the first extent of ``item``; ``None`` if it is not stored in the file itself."""
    version = box[0]
    offset_size, length_size, base_size, index_size = box[4] >> 4, box[4] & 15, box[5] >> 4, box[5] & 15
    wide = version > 1
    count, at = _number(box, 6, wide=wide), 10 if wide else 8
    for _ in range(min(count, MAX_BOXES)):
        number = _number(box, at, wide=wide)
        at += 4 if wide else 2
        method = box[at + 1] & 15 if version else 0
        at += 4 if version else 2
        base, extents = int.from_bytes(box[at : at + base_size]), _number(box, at + base_size, wide=False)
        at += base_size + 2
        skipped = index_size if version else 0
        if number == item:
            return base + int.from_bytes(box[at + skipped : at + skipped + offset_size]) if method == 0 and extents else None
        at += extents * (skipped + offset_size + length_size)
    return None
