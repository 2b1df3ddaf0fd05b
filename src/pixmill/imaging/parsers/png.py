"""Parse the chunks of a PNG file.

Source: W3C, Portable Network Graphics (PNG) Specification, third edition, section 11.
"""

import zlib

import msgspec

from pixmill.imaging.input import Data

SIGNATURE_BYTES = 8
HEADER_END = 33  # of the signature and IHDR, which comes first
CHUNK_OVERHEAD_BYTES = 12  # length, name and checksum
MAX_CONTENT_BYTES = 64  # of a chunk of colours other than a profile
MAX_CHUNKS = 1_000_000
MAX_PROFILE_BYTES = 16_000_000  # decompressed
TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
BYTES_PER_TEXT = 100  # used by a library for each text, beside its content
MAX_UNPACKED_BYTES = 32_000_000  # of all texts together; beyond that, their size is estimated
MAX_PACKING = 1032  # bytes that one byte unfolds to at most: RFC 1951
COLOUR_CHUNKS = (b"gAMA", b"cHRM", b"cICP", b"cLLI", b"sRGB")


class Chunks(msgspec.Struct, frozen=True, kw_only=True):
    """The properties in the chunks.

    ``palette_colours``: how many a palette can have, 0 without one. ``colour`` maps the names of colour chunks to their
    content; ``profile`` is the content of iCCP. ``late_exif`` is the place of the EXIF chunk, from and to, if it comes after
    the pixels, where libpng does not see it.
    """

    frames: int = 1
    interlaced: bool = False
    palette_colours: int = 0
    colour: dict[str, bytes] = {}
    profile: bytes = b""
    late_exif: tuple[int, int] | None = None


def scan(data: Data) -> Chunks:
    """Return the properties in the chunks of the file ``data``; unreadable chunks are ignored."""
    before, late_exif = _split(data)
    return Chunks(
        frames=max(1, int.from_bytes(before.get(b"acTL", b"")[:4])),
        interlaced=before.get(b"IHDR", b"")[12:13] == b"\x01",
        palette_colours=_palette_colours(before.get(b"IHDR", b"")),
        colour={name.decode(): before[name] for name in COLOUR_CHUNKS if before.get(name)},
        profile=before.get(b"iCCP", b""),
        late_exif=None if b"eXIf" in before else late_exif,
    )


def _palette_colours(header: bytes) -> int:
    """Return how many colours the palette can have by the ``header``: its bit depth, if its kind of colour is 3; else 0."""
    return 1 << min(header[8], 8) if header[9:10] == b"\x03" else 0


def _split(data: Data) -> tuple[dict[bytes, bytes], tuple[int, int] | None]:
    """Return the content of the chunks before the pixels by name, the first ones, and the place of an EXIF chunk behind them."""
    before: dict[bytes, bytes] = {}
    offset, has_pixels = SIGNATURE_BYTES, False
    for _ in range(MAX_CHUNKS):
        length, name = int.from_bytes(data[offset : offset + 4]), data[offset + 4 : offset + 8]
        end = offset + CHUNK_OVERHEAD_BYTES + length
        if name in (b"", b"IEND"):
            break
        if name == b"eXIf" and has_pixels and end <= len(data):
            return before, (offset, end)
        has_pixels = has_pixels or name == b"IDAT"
        if not has_pixels:
            most = length if name == b"iCCP" else min(length, MAX_CONTENT_BYTES)
            before.setdefault(name, data[offset + 8 : offset + 8 + most])
        offset = end
    return before, None


def text_bytes(data: Data) -> int:
    """Return the memory that the texts of the file ``data`` take when they are unpacked, in bytes: of many, an upper bound."""
    total, offset = 0, SIGNATURE_BYTES
    for _ in range(MAX_CHUNKS):
        length, name = int.from_bytes(data[offset : offset + 4]), data[offset + 4 : offset + 8]
        if name in (b"", b"IEND"):
            return total
        if name in TEXT_CHUNKS:
            start = offset + 8
            total += BYTES_PER_TEXT + _unfolded(name, bytes(data[start : start + length]), MAX_UNPACKED_BYTES - total)
        offset += CHUNK_OVERHEAD_BYTES + length
    return total + len(data) - offset


def _unfolded(name: bytes, content: bytes, unpacked: int) -> int:
    """Return the size of a text when it is unpacked; if that is more than ``unpacked`` bytes, an upper bound."""
    rest = content.partition(b"\0")[2]
    if name == b"tEXt" or (name == b"iTXt" and rest[:1] != b"\1"):
        return len(content)
    packed = rest[1:] if name == b"zTXt" else rest[2:].split(b"\0", 2)[-1]
    if unpacked <= 0:
        return len(packed) * MAX_PACKING
    try:
        inflater = zlib.decompressobj()
        return len(inflater.decompress(packed, unpacked)) + len(inflater.unconsumed_tail) * MAX_PACKING
    except zlib.error:
        return len(content)


def profile_in(content: bytes) -> bytes:
    """Return the profile in the ``content`` of an iCCP chunk. libpng drops those that it finds faulty, without a word."""
    _, _, rest = content.partition(b"\0")
    try:
        return zlib.decompressobj().decompress(rest[1:], MAX_PROFILE_BYTES)
    except zlib.error:
        return b""


def with_early_exif(data: Data, place: tuple[int, int]) -> bytes:
    """Return the file ``data`` with the chunk at ``place`` moved before the pixels."""
    start, end = place
    return b"".join((data[:HEADER_END], data[start:end], data[HEADER_END:start], data[end:]))
