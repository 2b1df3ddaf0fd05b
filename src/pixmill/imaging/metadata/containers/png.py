"""Metadata in PNG: ``eXIf``, texts, and the profiles that ImageMagick packs into texts.

Source: W3C, Portable Network Graphics (PNG) Specification, third edition, section 11.3; XMP specification, part 3, section 1.1.5.
"""

import binascii
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from msgspec import structs

from pixmill.imaging.input import Data
from pixmill.imaging.metadata import exif, iptc
from pixmill.imaging.metadata.blocks import Blocks, Resolution, Text, resolution
from pixmill.imaging.metadata.container import Container

SIGNATURE = b"\x89PNG\r\n\x1a\n"
OVERHEAD_BYTES = 12  # length, name and checksum
MAX_TEXT_BYTES = 32_000_000  # of one text, unpacked
MAX_KEYWORD_BYTES = 79
XMP_KEYWORD, COMMENT_KEYWORD = "XML:com.adobe.xmp", "Comment"
PACKED = re.compile(r"Raw profile type (exif|APP1|iptc|8bim|xmp)", re.IGNORECASE)
XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\0"
DENSITY = struct.Struct(">IIB")
MAX_PER_METRE = 2**31 - 1
#: The chunks that decode, colour and animate the pixels.
NEEDED = frozenset(
    {
        *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sRGB", b"cICP", b"sBIT", b"mDCV", b"cLLI"),
        *(b"acTL", b"fcTL", b"fdAT"),
    }
)


class Chunk(NamedTuple):
    """A chunk: its name, where it begins, and where its content does and ends."""

    name: bytes
    start: int
    content: int
    end: int


def chunks(data: Data) -> Iterator[Chunk]:
    """Yield the complete chunks up to the end of the image."""
    offset = len(SIGNATURE)
    while offset + OVERHEAD_BYTES <= len(data):
        size, name = int.from_bytes(data[offset : offset + 4]), bytes(data[offset + 4 : offset + 8])
        if offset + OVERHEAD_BYTES + size > len(data):
            return
        yield Chunk(name, offset, offset + 8, offset + 8 + size)
        if name == b"IEND":
            return
        offset += OVERHEAD_BYTES + size


def read(data: Data) -> Blocks:
    """Return the metadata, before and after the pixels."""
    blocks, texts, density = Blocks(), [], None
    block, packet, is_incomplete = b"", b"", False
    for chunk in chunks(data):
        if chunk.name == b"eXIf":
            block = block or exif.bare(bytes(data[chunk.content : chunk.end]))
        elif chunk.name == b"pHYs":
            density = _density(bytes(data[chunk.content : chunk.end]))
        elif chunk.name in (b"tEXt", b"zTXt", b"iTXt"):
            text = _text(chunk.name, bytes(data[chunk.content : chunk.end]))
            if text is None:
                is_incomplete = True
            elif text.keyword == XMP_KEYWORD:
                packet = packet or text.value
            else:
                texts.append(text)
    for text in texts:
        if packed := PACKED.fullmatch(text.keyword):
            blocks = _with_profile(blocks, packed[1].lower(), _unpacked(text.value))
    others = [text for text in texts if PACKED.fullmatch(text.keyword) is None]
    block = block or blocks.exif
    return Blocks(
        exif=block,
        xmp=packet or blocks.xmp,
        iptc=blocks.iptc,
        resources=blocks.resources,
        texts=tuple(text for text in others if text.keyword != COMMENT_KEYWORD),
        comments=tuple(text.value for text in others if text.keyword == COMMENT_KEYWORD),
        resolution=density or exif.resolution(block),
        is_incomplete=is_incomplete,
    )


def _density(content: bytes) -> Resolution | None:
    x, y, unit = DENSITY.unpack(content.ljust(DENSITY.size, b"\0")[: DENSITY.size])
    return resolution(x, y, "m" if unit == 1 else "")


def _text(name: bytes, content: bytes) -> Text | None:
    """Return a text; ``None`` if it is damaged or unfolds to more than is allowed."""
    keyword, _, rest = content.partition(b"\0")
    if not 0 < len(keyword) <= MAX_KEYWORD_BYTES:
        return None
    label = keyword.decode("latin-1")
    if name == b"tEXt":
        return Text(label, rest, "latin-1")
    if name == b"zTXt":
        value = _inflated(rest[1:])
        return None if value is None else Text(label, value, "latin-1")
    is_packed, (language, _, tail) = rest[:1] == b"\x01", rest[2:].partition(b"\0")
    _, _, value = tail.partition(b"\0")
    unpacked = _inflated(value) if is_packed else value
    return None if unpacked is None else Text(label, unpacked, "utf-8", language)


def _inflated(data: bytes) -> bytes | None:
    with suppress(zlib.error):
        inflater = zlib.decompressobj()
        value = inflater.decompress(data, MAX_TEXT_BYTES)
        return None if inflater.unconsumed_tail else value
    return None


def _unpacked(value: bytes) -> bytes:
    """Return the content of a text that has a name, a length, and hexadecimal digits."""
    parts = value.strip(b"\n").split(b"\n", 2)
    with suppress(binascii.Error, IndexError, ValueError):
        return binascii.unhexlify(b"".join(parts[2].split()))
    return b""


def _with_profile(blocks: Blocks, kind: str, content: bytes) -> Blocks:
    """Return ``blocks`` with the content of a packed profile."""
    if kind == "xmp" or content.startswith(XMP_PREFIX):
        return structs.replace(blocks, xmp=content.removeprefix(XMP_PREFIX))
    if kind in ("exif", "app1"):
        return structs.replace(blocks, exif=exif.bare(content))
    if content.startswith(iptc.SIGNATURE):
        block, resources = iptc.split_resources(content)
        return structs.replace(blocks, iptc=block, resources=resources)
    return structs.replace(blocks, iptc=content)


def write(data: bytes, blocks: Blocks) -> bytes:
    """Return ``data`` with ``blocks`` before its pixels, and no other resolution."""
    view, is_written = memoryview(data), False
    parts: list[bytes | memoryview] = [view[: len(SIGNATURE)]]
    for chunk in chunks(data):
        if chunk.name == b"IDAT" and not is_written:
            parts += [packed(name, content) for name, content in _contents(blocks)]
            is_written = True
        if chunk.name != b"pHYs":
            parts.append(view[chunk.start : chunk.end + 4])
    return b"".join(parts)


def _contents(blocks: Blocks) -> Iterator[tuple[bytes, bytes]]:
    if blocks.resolution is not None:
        value = blocks.resolution
        x, y = (round(side) for side in (value.per("m") if value.unit else (value.x, value.y)))
        if 0 < x <= MAX_PER_METRE and 0 < y <= MAX_PER_METRE:
            yield b"pHYs", DENSITY.pack(x, y, bool(value.unit))
    if blocks.exif:
        yield b"eXIf", blocks.exif
    if blocks.xmp:
        yield b"iTXt", XMP_KEYWORD.encode() + b"\0\0\0\0\0" + blocks.xmp
    if blocks.iptc or blocks.resources:
        block = iptc.packed_resources(blocks.iptc, blocks.resources)
        digits = binascii.hexlify(block).decode()
        lines = "\n".join(digits[start : start + 72] for start in range(0, len(digits), 72))
        text = f"\niptc\n{len(block):8}\n{lines}\n".encode()
        yield b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(text)
    comments = (Text(COMMENT_KEYWORD, each, "utf-8" if _is_utf8(each) else "latin-1") for each in blocks.comments)
    yield from map(_packed_text, (*blocks.texts, *comments))


def _packed_text(text: Text) -> tuple[bytes, bytes]:
    keyword = text.keyword.encode("latin-1")
    if text.encoding == "utf-8" and not (text.value.isascii() and not text.language):
        return b"iTXt", keyword + b"\0\0\0" + text.language + b"\0\0" + text.value
    return b"tEXt", keyword + b"\0" + text.value.replace(b"\0", b"")


def _is_utf8(value: bytes) -> bool:
    with suppress(UnicodeDecodeError):
        value.decode()
        return True
    return False


def packed(name: bytes, content: bytes) -> bytes:
    """Return a chunk."""
    return len(content).to_bytes(4) + name + content + zlib.crc32(name + content).to_bytes(4)


def bare(data: bytes) -> bytes | None:
    """Return ``data`` with only the chunks that decode, colour and animate the pixels."""
    found = list(chunks(data))
    if not found or found[-1].name != b"IEND":
        return None
    return data[: len(SIGNATURE)] + b"".join(data[each.start : each.end + 4] for each in found if each.name in NEEDED)


CONTAINER = Container(read, write, bare, frozenset({"exif", "xmp", "iptc", "resources", "texts", "comments", "resolution"}))
