"""Filter a block of EXIF: entries go, the rest keeps its bytes.

Maker notes hold offsets that only the maker knows, so a block with one keeps its layout: directories shrink in place, and
freed bytes are zeroed. Without one, the block is written again without gaps. The second directory, the thumbnail, always goes.
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction

from pixmill.imaging.metadata import blocks, directory
from pixmill.imaging.metadata.blocks import Resolution, Unit
from pixmill.imaging.metadata.directory import LONG, RATIONAL, SHORT, Directory, Entry
from pixmill.imaging.metadata.policy import Kind
from pixmill.imaging.metadata.table import EXIF_POINTER, GPS_POINTER, INTEROP_POINTER, MAKER_NOTE, exif_kind

PREFIX = b"Exif\0\0"
#: The directories below the first one, each with the directory that points to it.
CHILDREN = {EXIF_POINTER: 0, GPS_POINTER: 0, INTEROP_POINTER: EXIF_POINTER}
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT, ORIENTATION = 0x011A, 0x011B, 0x0128, 0x0112
UNITS: Mapping[int, Unit] = {1: "", 2: "inch", 3: "cm"}
MAX_SHORT = 2**16 - 1
MAX_PINNED_OFFSET = 60_000  # of a maker note that is copied from a TIFF

#: The first directory has the key 0, the others that of the tag that points to them.
Tree = dict[int, Directory]
Keep = Callable[[int, Entry], bool]


def bare(block: bytes) -> bytes:
    """Return ``block`` from its TIFF header on, without the prefix that some containers put before it."""
    return block.removeprefix(PREFIX)


def behind_offset(content: bytes) -> bytes:
    """Return the block in a box or item, which begins with the offset of its TIFF header; some programs leave that out."""
    return content if directory.byte_order(content) else bare(content[4 + int.from_bytes(content[:4]) :])


def read(data: directory.Data) -> Tree:
    """Return the directories of ``data``, without thumbnails; empty if it is not EXIF."""
    order = directory.byte_order(data)
    first = directory.read(data, order, directory.first_offset(data, order)) if order else None
    if first is None:
        return {}
    tree = {0: first}
    for tag, parent in CHILDREN.items():
        pointers = (entry for entry in tree[parent].entries if entry.tag == tag) if parent in tree else ()
        found = next((directory.read(data, order, entry.number(order)) for entry in pointers), None)
        if found is not None and found.offset not in {each.offset for each in tree.values()}:
            tree[tag] = found
    return tree


def resolution(data: directory.Data) -> Resolution | None:
    """Return the resolution in the first directory of EXIF or of a TIFF file, if there is a meaningful one."""
    order = directory.byte_order(data)
    first = directory.read(data, order, directory.first_offset(data, order)) if order else None
    entries = {entry.tag: entry for entry in first.entries} if first else {}
    sides = [_ratio(entries.get(tag), order) for tag in (X_RESOLUTION, Y_RESOLUTION)]
    x, y = (side or sides[1 - index] for index, side in enumerate(sides))
    if not x or not y:
        return None
    unit: Unit = UNITS.get(entries[RESOLUTION_UNIT].number(order), "") if RESOLUTION_UNIT in entries else "inch"
    return blocks.resolution(x, y, unit)


def _ratio(entry: Entry | None, order: str) -> Fraction | None:
    if entry is None or entry.kind != RATIONAL:
        return None
    above, below = struct.unpack_from(order + "II", entry.value)
    return Fraction(above, below) if below else None


def filtered(data: directory.Data, keep: Keep, *, of_file: bool = False) -> bytes:
    """Return the block with the entries that ``keep`` accepts, given the directory's key and the entry; empty if none is left.

    ``of_file``: ``data`` is a TIFF file, of which the block is a part.
    """
    order, tree = directory.byte_order(data), read(data)
    kept = {key: [entry for entry in each.entries if _is_plain(entry) and keep(key, entry)] for key, each in tree.items()}
    for tag, parent in reversed(CHILDREN.items()):
        if kept.get(tag) and parent in tree:
            kept[parent] += [entry for entry in tree[parent].entries if entry.tag == tag]
    kept = {key: entries for key, entries in kept.items() if entries}
    if 0 not in kept:
        return b""
    if any(entry.tag == MAKER_NOTE for entry in kept.get(EXIF_POINTER, ())):
        return _pinned(order, kept) if of_file else _in_place(bytes(data), order, tree, kept)
    return built(order, kept)


def _is_plain(entry: Entry) -> bool:
    """Return whether ``entry`` points to no directory, and has a type that exists outside a BigTIFF."""
    return entry.tag not in CHILDREN and entry.kind in directory.VALUE_BYTES


def is_not_storage(key: int, entry: Entry) -> bool:
    """Return whether ``entry`` is about the picture, not about how its file stores it."""
    return Kind.STORAGE not in (exif_kind(key), exif_kind(entry.tag))


def in_order(block: bytes, order: str) -> bytes:
    """Return ``block`` in this byte order, except what its maker note holds."""
    tree, source = read(block), directory.byte_order(block)
    kept = {key: [directory.in_order(entry, source, order) for entry in each.entries] for key, each in tree.items()}
    has_note = any(entry.tag == MAKER_NOTE for entry in kept.get(EXIF_POINTER, ()))
    return (_pinned if has_note else built)(order, kept) if tree else b""


def _in_place(block: bytes, order: str, tree: Tree, kept: Mapping[int, list[Entry]]) -> bytes:
    """Return ``block`` with only the entries of ``kept``; nothing moves but entries within their directory."""
    out = bytearray(block)
    for start, size in _freed(block, order, tree, kept):
        out[start : start + size] = bytes(len(out[start : start + size]))
    end = 0
    for entries in kept.values():
        for entry in entries:
            if not entry.is_inline:
                out[entry.offset : entry.offset + len(entry.value)] = entry.value
                end = max(end, entry.offset + len(entry.value))
    for key, entries in kept.items():
        rows = struct.pack(order + "H", len(entries))
        rows += b"".join(directory.packed(entry, order, entry.offset) for entry in sorted(entries, key=lambda entry: entry.tag))
        start = tree[key].offset
        out[start : start + len(rows) + 4] = rows + bytes(4)
        end = max(end, start + len(rows) + 4)
    return bytes(out[: max(end, len(bytes(out).rstrip(b"\0")))])


def _freed(block: bytes, order: str, tree: Tree, kept: Mapping[int, list[Entry]]) -> Iterator[tuple[int, int]]:
    """Yield offset and size of everything that may go: directories, values that are not kept, and the thumbnail."""
    for key, each in tree.items():
        yield each.offset, each.size
        remaining = {entry.tag for entry in kept.get(key, ())}
        yield from ((entry.offset, len(entry.value)) for entry in each.entries if entry.tag not in remaining)
    for each in tree.values():
        yield from _pixels(each, order)
    for each in _thumbnails(block, order, tree):
        yield each.offset, each.size
        yield from ((entry.offset, len(entry.value)) for entry in each.entries)
        yield from _pixels(each, order)


def _thumbnails(block: bytes, order: str, tree: Tree) -> Iterator[Directory]:
    """Yield the directories of thumbnails, which follow the first."""
    offset, seen = tree[0].next, {each.offset for each in tree.values()}
    while offset not in seen and (found := directory.read(block, order, offset)) is not None:
        seen.add(offset)
        yield found
        offset = found.next


def _pixels(each: Directory, order: str) -> Iterator[tuple[int, int]]:
    """Yield where the pixels that a directory points to are: a JPEG, or the first strip."""
    entries = {entry.tag: entry for entry in each.entries}
    for start, size in ((0x0201, 0x0202), (0x0111, 0x0117)):
        if start in entries and size in entries:
            yield entries[start].number(order), entries[size].number(order)


def _pinned(order: str, kept: Mapping[int, list[Entry]]) -> bytes:
    """Return a block from the directories of a TIFF file, whose maker note keeps its offset if that is small enough."""
    note = next(entry for entry in kept[EXIF_POINTER] if entry.tag == MAKER_NOTE)
    if note.offset > MAX_PINNED_OFFSET:
        return built(order, {**kept, EXIF_POINTER: [entry for entry in kept[EXIF_POINTER] if entry is not note]})
    start = note.offset + len(note.value) + len(note.value) % 2
    rest = built(order, kept, start=start, fixed={MAKER_NOTE: note.offset})
    return rest[:8] + bytes(note.offset - 8) + note.value + bytes(len(note.value) % 2) + rest[8:]


def built(order: str, kept: Mapping[int, list[Entry]], *, start: int = 8, fixed: Mapping[int, int] = {}) -> bytes:
    """Return a block of these directories, without gaps; the first begins at ``start``. ``fixed`` as in ``serialised``."""
    directories: dict[int, list[Entry]] = {}
    for key in (INTEROP_POINTER, EXIF_POINTER, GPS_POINTER, 0):
        entries = [entry for entry in kept.get(key, ()) if entry.tag not in CHILDREN or entry.tag in directories]
        if entries:
            directories[key] = entries
    offset, offsets = start, {}
    for key in (0, EXIF_POINTER, INTEROP_POINTER, GPS_POINTER):
        if key in directories:
            offsets[key] = offset
            offset += directory.size_of(directories[key], fixed)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", offsets.get(0, 0))
    parts = [directory.serialised(_pointing(directories[key], offsets, order), order, at, fixed) for key, at in offsets.items()]
    return head + b"".join(parts)


def _pointing(entries: list[Entry], offsets: Mapping[int, int], order: str) -> list[Entry]:
    targets = {tag: offset for tag, offset in offsets.items() if tag in CHILDREN}  # 0 is an entry of the GPS directory as well
    return [directory.number(entry.tag, targets[entry.tag], order) if entry.tag in targets else entry for entry in entries]


def corrected(block: bytes, values: Mapping[int, int]) -> bytes:
    """Return ``block`` with these numbers, by tag, in those entries of one whole number that it has."""
    order, out = directory.byte_order(block), bytearray(block)
    for each in read(block).values():
        for entry in each.entries:
            value = values.get(entry.tag)
            if value is not None and entry.values == 1 and entry.kind in (SHORT, LONG):
                # The value follows type and count, and a number too large for its type changes that.
                kind = entry.kind if value <= MAX_SHORT else LONG
                code = "HIH" if kind == SHORT else "HII"
                struct.pack_into(order + code, out, entry.offset - 6, kind, 1, value)
    return bytes(out)


def with_resolution(block: bytes, value: Resolution) -> bytes:
    """Return ``block`` with a resolution, if it has none; an empty one becomes one that says nothing else."""
    return with_entries(block, resolution_entries(value, directory.byte_order(block) or ">"))


def with_entries(block: bytes, added: Sequence[Entry]) -> bytes:
    """Return ``block`` with these entries in its first directory, in place of others with their tags.

    The first directory moves to the end of the block, and no value moves.
    """
    order = directory.byte_order(block) or ">"
    tree, tags = read(block), {entry.tag for entry in added}
    entries = [*(entry for entry in (tree[0].entries if tree else ()) if entry.tag not in tags), *added]
    if not tree:
        return built(order, {0: entries})
    out = bytearray(block + bytes(len(block) % 2))
    out[tree[0].offset : tree[0].offset + tree[0].size] = bytes(tree[0].size)
    struct.pack_into(order + "I", out, 4, len(out))
    fixed = {entry.tag: entry.offset for entry in entries if entry.offset and not entry.is_inline}
    return bytes(out) + directory.serialised(entries, order, len(out), fixed)


def resolution_entries(value: Resolution, order: str) -> list[Entry]:
    """Return the three entries for ``value``; a number per metre becomes one per inch."""
    unit = "inch" if value.unit == "m" else value.unit
    sides = value.per(unit) if unit else (value.x, value.y)
    ratios = [side.limit_denominator(1000) for side in sides]
    pairs = (struct.pack(order + "II", ratio.numerator, ratio.denominator) for ratio in ratios)
    kinds = zip((X_RESOLUTION, Y_RESOLUTION), pairs, strict=True)
    number = next(code for code, name in UNITS.items() if name == unit)
    return [*(Entry(tag, RATIONAL, 1, pair) for tag, pair in kinds), directory.number(RESOLUTION_UNIT, number, order, SHORT)]
