"""Read what a HEIF or AVIF file states about its primary image, as far as decoders do not pass it on.

Source: ISO/IEC 14496-12, section 12.1.5 (colr); ISO/IEC 23008-12, section 6.5 (properties); ISO/IEC 14496-15, section 8.3.3 (hvcC);
AV1 Codec ISO Media File Format Binding, section 2.3 (av1C).
"""

import math
import struct
from collections.abc import Sequence

import msgspec

from pixmill.imaging.input import Data
from pixmill.imaging.parsers.boxes import FULL_BOX_BYTES
from pixmill.imaging.parsers.heif import av1, hevc, items
from pixmill.imaging.parsers.heif.bitstream import ColourConfig
from pixmill.imaging.parsers.heif.items import Directory

MAX_SEQUENCE_HEADER = 1024  # bytes from the beginning of a bitstream that are searched for its first header
FULL_RANGE_BIT = 0x80
AV1_CONFIG_BYTES = 4  # of av1C, before a copy of the sequence header
DEEP_BIT, TWELVE_BIT, MONOCHROME_BIT = 0x40, 0x20, 0x10  # in the third byte of av1C


class Primary(msgspec.Struct, frozen=True, kw_only=True):
    """What a file states about its primary image.

    ``codes``: primaries, transfer characteristics and matrix coefficients by H.273, from the ``colr`` box of kind ``nclx``, or else
    the bitstream; ``None`` if both are silent. ``full_range`` is from the same place. ``depth`` is in bits per channel, 0 if
    unknown. ``pixels`` is their number; ``is_cropped``: a clean aperture (``clap``) is to be cut out of them. ``max_light``: the
    brightest light of the image in cd/m2 (``clli``), 0 if unknown. ``is_premultiplied``: its colours were multiplied by alpha,
    which has the full range or not: ``has_full_alpha``.
    """

    codes: tuple[int, int, int] | None = None
    full_range: bool = True
    depth: int = 0
    monochrome: bool = False
    pixels: int = 0
    is_cropped: bool = False
    max_light: int = 0
    is_premultiplied: bool = False
    has_full_alpha: bool = True

    @property
    def nclx(self) -> bytes:
        """Return the codes of primaries and transfer as two numbers of 16 bits; empty if there are none."""
        return struct.pack(">2H", *self.codes[:2]) if self.codes else b""

    @property
    def max_cll(self) -> bytes:
        """Return ``max_light`` as the chunk cLLI of PNG has it, in units of 0.0001 cd/m2; empty if there is none."""
        return struct.pack(">I", self.max_light * 10_000) if self.max_light else b""


def read_primary(data: Data) -> Primary:
    """Return the properties of the primary image of the file ``data``, as far as they can be read."""
    directory = items.read_directory(data)
    try:
        return Primary() if directory is None else _read(data, directory)
    except (struct.error, IndexError, KeyError, ValueError):
        return Primary()


def _read(data: Data, directory: Directory) -> Primary:
    numbers = _with_first_tile(data, directory)
    stated = [(box.kind, bytes(data[box.content : box.end])) for box in items.properties(data, directory, numbers)]
    coding = next(((kind, content) for kind, content in stated if kind in (b"av1C", b"hvcC")), (b"", b""))
    depth, monochrome = _depth(*coding)
    colour = _nclx(stated) or _from_bitstream(data, directory, numbers[-1], *coding)
    alpha = _alpha(data, directory)
    return Primary(
        codes=colour and colour.codes,
        full_range=colour is None or colour.full_range,
        depth=depth,
        monochrome=monochrome,
        pixels=next(
            (math.prod(struct.unpack_from(">2I", content, FULL_BOX_BYTES)) for kind, content in stated if kind == b"ispe"), 0
        ),
        max_light=next((struct.unpack_from(">H", content)[0] for kind, content in stated if kind == b"clli"), 0),
        is_cropped=any(kind == b"clap" for kind, _ in stated),
        is_premultiplied=any(each.kind == b"prem" and each.item == directory.primary for each in items.references(data, directory)),
        has_full_alpha=alpha is None or alpha.full_range,
    )


def _with_first_tile(data: Data, directory: Directory) -> tuple[int, ...]:
    """Return the primary item and the first that it is derived from: tiles have the properties that the whole does not repeat."""
    tiles = (
        each.others[:1] for each in items.references(data, directory) if each.kind == b"dimg" and each.item == directory.primary
    )
    return (directory.primary, *next(tiles, ()))


def _alpha(data: Data, directory: Directory) -> ColourConfig | None:
    """Return what is stated of the plane of alpha, as of the colours; ``None`` if there is none."""
    for reference in items.references(data, directory):
        if reference.kind == b"auxl" and directory.primary in reference.others:
            stated = [(box.kind, bytes(data[box.content : box.end])) for box in items.properties(data, directory, [reference.item])]
            if any(kind == b"auxC" and b":alpha" in content for kind, content in stated):
                coding = next(((kind, content) for kind, content in stated if kind in (b"av1C", b"hvcC")), (b"", b""))
                return _nclx(stated) or _from_bitstream(data, directory, reference.item, *coding)
    return None


def _depth(kind: bytes, configuration: bytes) -> tuple[int, bool]:
    """Return the bits per channel, and whether there is only luma."""
    if kind == b"av1C":
        flags = configuration[2]
        depth = (12 if flags & TWELVE_BIT else 10) if flags & DEEP_BIT else 8
        return depth, bool(flags & MONOCHROME_BIT)
    return (8 + (configuration[17] & 7), not configuration[16] & 3) if kind == b"hvcC" else (0, False)


def _nclx(properties: Sequence[tuple[bytes, bytes]]) -> ColourConfig | None:
    for kind, content in properties:
        if kind == b"colr" and content[:4] == b"nclx":
            return ColourConfig(struct.unpack_from(">3H", content, 4), full_range=bool(content[10] & FULL_RANGE_BIT))
    return None


def _from_bitstream(data: Data, directory: Directory, item: int, kind: bytes, configuration: bytes) -> ColourConfig | None:
    """Return what the bitstream of ``item`` says: its first header, which HEVC has in its configuration, and AV1 may have there."""
    try:
        if kind == b"hvcC":
            return hevc.colour_config(configuration)
        if kind != b"av1C":
            return None
        coded = items.content(data, directory, directory.items[item], most=MAX_SEQUENCE_HEADER)
        return av1.colour_config(coded) or av1.colour_config(configuration[AV1_CONFIG_BYTES:])
    except (IndexError, ValueError):
        return None
