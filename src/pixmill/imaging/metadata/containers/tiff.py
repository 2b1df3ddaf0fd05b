"""Metadata in TIFF: entries of its first directory.

Sources: TIFF 6.0, section 2; CIPA DC-008, section 4.6.3; XMP specification, part 3, section 3.2; Adobe, TIFF tags of Photoshop.
"""

import struct
from collections.abc import Mapping
from fractions import Fraction

from pixmill.imaging.input import Data
from pixmill.imaging.metadata import directory, exif, iptc
from pixmill.imaging.metadata.blocks import Blocks, Resolution
from pixmill.imaging.metadata.container import Container, unknown
from pixmill.imaging.metadata.directory import BYTE, LONG, Entry

XMP, IPTC, RESOURCES = 0x02BC, 0x83BB, 0x8649
CLASSIC = b"II*\0"  # the header that libvips writes, except for a BigTIFF
#: The entries with offsets of pixels, and the type of their values.
OFFSETS = {0x0111: "I", 0x0144: "I"}
BITS_PER_SAMPLE, BYTE_BITS = 0x0102, 8
#: Width and height in EXIF, which only files without such entries of their own have.
SIZE_TAGS = frozenset({0xA002, 0xA003})
NOTHING = Resolution(Fraction(1), Fraction(1), "")


def read(data: Data) -> Blocks:
    """Return the metadata of the first page. The block ``exif`` is without entries about storage."""
    order = directory.byte_order(data)
    tree = exif.read(data)
    if not tree:
        return Blocks()
    entries = {entry.tag: entry for entry in tree[0].entries}
    block = entries[IPTC].value if IPTC in entries else b""
    if IPTC in entries and entries[IPTC].kind == directory.LONG and not block.startswith(bytes((iptc.TAG_MARKER,))):
        block = directory.in_order(entries[IPTC], order, "<" if order == ">" else ">").value  # swapped by a wrong type
    resources = iptc.split_resources(entries[RESOURCES].value) if RESOURCES in entries else (b"", ())
    return Blocks(
        exif=exif.filtered(data, exif.is_not_storage, of_file=True),
        xmp=entries[XMP].value if XMP in entries else b"",
        iptc=block or resources[0],
        resources=resources[1],
        resolution=exif.resolution(data),
    )


def write(data: bytes, blocks: Blocks) -> bytes:
    """Return ``data`` with the block of EXIF in front of its pixels, at its own offsets, and one directory for both at the end."""
    if not data.startswith(CLASSIC):
        return data
    base = directory.read(data, "<", directory.first_offset(data, "<"))
    if base is None:
        return data
    own = {entry.tag: entry for entry in base.entries}
    is_deep = BITS_PER_SAMPLE in own and own[BITS_PER_SAMPLE].number("<") > BYTE_BITS
    source = directory.byte_order(blocks.exif) or "<"
    order = "<" if is_deep else source  # the pixels of 16 bits are in the order that the file had
    block = blocks.exif if order == source else exif.in_order(blocks.exif, order)
    tree = exif.read(block)
    shift = len(block) + len(block) % 2 - directory.HEADER_BYTES if tree else 0
    kept = {tag: _shifted(entry, shift) for tag, entry in own.items()}
    kept |= {entry.tag: entry for entry in exif.resolution_entries(blocks.resolution or NOTHING, "<")}
    kept |= {entry.tag: entry for entry in _blocks(blocks)}
    described = {entry.tag: directory.in_order(entry, order, "<") for entry in tree[0].entries} if tree else {}
    # IPTC has the type of whole numbers of 32 bits, but no byte order.
    entries = [entry if entry.tag == IPTC else directory.in_order(entry, "<", order) for entry in {**described, **kept}.values()]
    front = block[directory.HEADER_BYTES :] + bytes(len(block) % 2) if tree else b""
    end = len(data) + shift + len(data) % 2
    header = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", end)
    tail = directory.serialised(entries, order, end)
    return b"".join([header, front, memoryview(data)[directory.HEADER_BYTES :], bytes(len(data) % 2), tail])


def _shifted(entry: Entry, shift: int) -> Entry:
    """Return ``entry``, with the offsets that it holds moved by ``shift``."""
    if entry.tag not in OFFSETS or not shift:
        return entry
    offsets = struct.unpack(f"<{entry.values}{'H' if entry.kind == directory.SHORT else 'I'}", entry.value)
    return Entry(entry.tag, directory.LONG, entry.values, struct.pack(f"<{entry.values}I", *(each + shift for each in offsets)))


def _blocks(blocks: Blocks) -> list[Entry]:
    values: Mapping[int, tuple[int, bytes]] = {
        XMP: (BYTE, blocks.xmp),
        IPTC: (LONG, blocks.iptc + bytes(-len(blocks.iptc) % 4)),
        RESOURCES: (BYTE, iptc.packed_resources(b"", blocks.resources)),
    }
    return [Entry(tag, kind, len(value) // directory.VALUE_BYTES[kind], value) for tag, (kind, value) in values.items() if value]


CONTAINER = Container(read, write, unknown, frozenset({"exif", "xmp", "iptc", "resources", "resolution"}), omits=SIZE_TAGS)
