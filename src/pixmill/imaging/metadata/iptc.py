"""Read and filter IPTC datasets, and the resources of Photoshop that hold them.

Source: IPTC-IIM 4.2, chapter 3; Adobe Photoshop file formats specification, image resources.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pixmill.imaging.metadata.policy import Kind
from pixmill.imaging.metadata.table import iptc_kind, resource_kind

SIGNATURE, IPTC_RESOURCE, RESOLUTION_RESOURCE = b"8BIM", 0x0404, 0x03ED
TAG_MARKER, HEAD_BYTES, EXTENDED = 0x1C, 5, 0x8000
CHARACTER_SET, UTF_8 = (1, 90), b"\x1b%G"
VERSION, APPLICATION_RECORD = (2, 0), 2
#: Datasets of the application record that are no text.
BINARY = frozenset((0, 125, 200, 201, 202))
#: The datasets that say how the others are to be read.
ABOUT_ITSELF = {(1, 90), (1, 0), (2, 0)}


class Dataset(NamedTuple):
    """One dataset: its numbers, its value, and its bytes with the head."""

    record: int
    number: int
    value: bytes
    raw: bytes


def datasets(block: bytes) -> Iterator[Dataset]:
    """Yield the datasets of ``block``, up to the first that is damaged."""
    offset = 0
    while offset + HEAD_BYTES <= len(block) and block[offset] == TAG_MARKER:
        start, size = offset + HEAD_BYTES, int.from_bytes(block[offset + 3 : offset + HEAD_BYTES])
        if size & EXTENDED:
            digits = size & ~EXTENDED
            start, size = start + digits, int.from_bytes(block[start : start + digits])
        end = start + size
        if end > len(block):
            return
        yield Dataset(block[offset + 1], block[offset + 2], block[start:end], block[offset:end])
        offset = end


def filtered(block: bytes, kinds: frozenset[Kind]) -> bytes:
    """Return the datasets of these ``kinds``, in their bytes; empty if only those are left that describe the others."""
    kept = [each for each in datasets(block) if iptc_kind(each.record, each.number) in kinds and each.value.strip(b"\0 ")]
    return b"".join(each.raw for each in kept) if any((each.record, each.number) not in ABOUT_ITSELF for each in kept) else b""


def texts(block: bytes) -> Iterator[tuple[str, str]]:
    """Yield the numbers of each dataset, such as ``2:80``, with its text, in the character set that the block declares."""
    found = list(datasets(block))
    is_utf8 = any((each.record, each.number) == CHARACTER_SET and each.value == UTF_8 for each in found)
    for each in found:
        yield f"{each.record}:{each.number}", decoded(each.value, "utf-8" if is_utf8 else "")


def with_texts(block: bytes, new: Mapping[str, bytes]) -> bytes:
    """Return ``block`` in UTF-8 with ``new`` texts, by their numbers such as ``2:80``, in place of those that it has."""
    found = list(datasets(block))
    is_utf8 = any((each.record, each.number) == CHARACTER_SET and each.value == UTF_8 for each in found)
    rows = [(each.record, each.number, each.value) for each in found if (each.record, each.number) != CHARACTER_SET]
    kept = [row for row in rows if f"{row[0]}:{row[1]}" not in new]
    if not is_utf8:
        kept = [(record, number, _in_utf8(record, number, value)) for record, number, value in kept]
    if VERSION not in {row[:2] for row in kept}:
        kept.append((*VERSION, (4).to_bytes(2)))
    numbers = {number: tuple(map(int, number.split(":"))) for number in new}
    added = [(numbers[number][0], numbers[number][1], value) for number, value in new.items()]
    everything = [(*CHARACTER_SET, UTF_8), *kept, *added]
    return b"".join(_packed(*row) for row in sorted(everything, key=lambda row: (row[0], row[:2] not in (CHARACTER_SET, VERSION))))


def _in_utf8(record: int, number: int, value: bytes) -> bytes:
    is_text = record == APPLICATION_RECORD and number not in BINARY
    return decoded(value).encode() if is_text and not value.isascii() else value


def _packed(record: int, number: int, value: bytes) -> bytes:
    size = len(value).to_bytes(2) if len(value) < EXTENDED else (EXTENDED | 4).to_bytes(2) + len(value).to_bytes(4)
    return bytes((TAG_MARKER, record, number)) + size + value


def decoded(value: bytes, encoding: str = "") -> str:
    """Return ``value`` as text, without NULs around it; without an ``encoding`` it is UTF-8 if it can be, else Latin-1."""
    try:
        text = value.decode(encoding or "utf-8")
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    return text.strip("\0 ")


def resources(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and content of each Photoshop resource, up to the first that is damaged."""
    offset = 0
    while data[offset : offset + 4] == SIGNATURE and offset + 7 <= len(data):
        number = int.from_bytes(data[offset + 4 : offset + 6])
        name = data[offset + 6] + 1
        start = offset + 6 + name + name % 2
        size = int.from_bytes(data[start : start + 4])
        if start + 4 + size > len(data):
            return
        yield number, data[start + 4 : start + 4 + size]
        offset = start + 4 + size + size % 2


def split_resources(data: bytes) -> tuple[bytes, tuple[tuple[int, bytes], ...]]:
    """Return the IPTC block among the resources in ``data``, and the resources that the table names."""
    found = dict(resources(data))
    named = tuple((number, value) for number, value in found.items() if resource_kind(number) is not Kind.STORAGE)
    return found.get(IPTC_RESOURCE, b""), named


def packed_resources(iptc: bytes, others: tuple[tuple[int, bytes], ...]) -> bytes:
    """Return an IPTC block and other resources in the form that Photoshop writes."""
    wanted = (((IPTC_RESOURCE, iptc),) if iptc else ()) + others
    return b"".join(
        SIGNATURE + number.to_bytes(2) + b"\0\0" + len(value).to_bytes(4) + value + bytes(len(value) % 2)
        for number, value in wanted
    )
