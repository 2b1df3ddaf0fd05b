"""Write ICC profiles for colour spaces that files give as codes or numbers.

Source: ICC.1:2022, sections 9.2.17 (cicpTag), by which programs with HDR recognise PQ and HLG, and 9.2.33 (luminanceTag).
"""

import struct

from pixmill.imaging.colour.icc_read import PRIMARIES as SRGB_IN_D50
from pixmill.imaging.colour.spaces import PRIMARIES, WHITE_D50, Chromaticities, Curve, to_xyz
from pixmill.imaging.colour.tone_map import Dynamics, gray_curve

HEADER_BYTES = 128


def rgb_profile(chromaticities: Chromaticities, curve: Curve) -> bytes:
    """Return an ICC profile for RGB with these primaries. Raise ``ValueError`` if they span no colours."""
    return _assembled(b"RGB ", _rgb_elements(chromaticities, curve))


def gray_profile(curve: Curve) -> bytes:
    """Return an ICC profile for gray."""
    return _assembled(b"GRAY", {b"kTRC": _curve(curve)})


def hdr_profile(dynamics: Dynamics, *, gray: bool) -> bytes:
    """Return a profile that states PQ or HLG. Its curve is tone-mapped, for programs that do not know the codes."""
    curve = gray_curve(dynamics)
    elements = {b"kTRC": _curve(curve)} if gray else _rgb_elements(PRIMARIES[dynamics.primaries], curve)
    codes = b"cicp\0\0\0\0" + bytes([dynamics.primaries, dynamics.transfer, 0, 1])
    return _assembled(b"GRAY" if gray else b"RGB ", {**elements, b"cicp": codes, b"lumi": _xyz((0, dynamics.peak, 0))})


def _rgb_elements(chromaticities: Chromaticities, curve: Curve) -> dict[bytes, bytes]:
    columns = to_xyz(chromaticities).T.tolist()
    elements = {tag: _xyz(tuple(column)) for tag, column in zip(SRGB_IN_D50, columns, strict=True)}
    return elements | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _curve(curve))


def _assembled(space: bytes, elements: dict[bytes, bytes]) -> bytes:
    """Return a version 4 display profile for ``space`` with these elements and the mandatory ones."""
    elements = {b"wtpt": _xyz(WHITE_D50), b"desc": _text("pixmill"), b"cprt": _text("CC0"), **elements}
    table, content = struct.pack(">I", len(elements)), b""
    start = HEADER_BYTES + 4 + 12 * len(elements)
    for tag, element in elements.items():
        table += struct.pack(">4sII", tag, start + len(content), len(element))
        content += element + bytes(-len(element) % 4)
    head = struct.pack(">I4xI12s", start + len(content), 0x04400000, b"mntr" + space + b"XYZ ")
    head += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _xyz(WHITE_D50)[8:]
    return head.ljust(HEADER_BYTES, b"\0") + table + content


def _fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(*values)


def _curve(curve: Curve) -> bytes:
    if isinstance(curve, tuple):
        return b"para\0\0\0\0\0\x03\0\0" + _fixed(*curve)
    if not isinstance(curve, float):
        return struct.pack(f">4s4xI{curve.size}H", b"curv", curve.size, *(round(value * 65535) for value in curve.tolist()))
    return b"para\0\0\0\0\0\0\0\0" + _fixed(curve)


def _text(text: str) -> bytes:
    return b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", 2 * len(text), 28) + text.encode("utf-16-be")
