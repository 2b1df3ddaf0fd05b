"""Write an ICC profile for images that give white point, primaries and transfer curve as numbers, as PNG chunks do.

Source: ICC.1:2022 for the profile; W3C PNG, third edition, sections 11.3.2 (cHRM, gAMA, cICP), for the numbers;
ITU-T H.273, tables 2 and 3, for the codes of cICP.
"""

import struct

import numpy as np

from pixmill.imaging.colour.icc_read import PRIMARIES as SRGB_IN_D50

Point = tuple[float, float]
#: White, red, green and blue in CIE xy.
Chromaticities = tuple[Point, Point, Point, Point]

Curve = float | tuple[float, ...]

D65 = (0.3127, 0.3290)
BT709: Chromaticities = (D65, (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
#: Colour primaries by their code in H.273.
PRIMARIES: dict[int, Chromaticities] = {
    1: BT709,
    9: (D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: ((0.314, 0.351), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    12: (D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
#: Transfer characteristics by their code in H.273, as parameters of an ICC curve of type 3 (g, a, b, c, d). Those of television
#: use the curve of sRGB, as in browsers.
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
TRANSFERS: dict[int, Curve] = {1: SRGB_CURVE, 6: SRGB_CURVE, 13: SRGB_CURVE, 14: SRGB_CURVE, 15: SRGB_CURVE, 4: 2.2, 5: 2.8, 8: 1.0}
WHITE_D50 = (0.9642, 1.0, 0.8249)
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
HEADER_BYTES = 128
CHRM_BYTES = 32
SRGB_GAMMAS = (0, *range(45_000, 46_000))  # absent, or near 1 / 2.2


def from_png(chunks: dict[bytes, bytes], *, gray: bool = False) -> bytes | None:
    """Return a profile for the colour chunks of a PNG: cICP before iCCP before sRGB before gAMA and cHRM.

    ``None`` if no profile is needed or possible: an embedded profile, sRGB, or a code without a profile (HDR).
    """
    described = _named(*chunks.get(b"cICP", b"")[:2])
    if described is None and not chunks.keys() & {b"iCCP", b"sRGB"}:
        described = _from_numbers(chunks.get(b"cHRM", b""), chunks.get(b"gAMA", b""))
    return _profile(described, gray=gray)


def from_codes(primaries: int, transfer: int, *, gray: bool = False) -> bytes | None:
    """Return a profile for the codes of H.273, as HEIF stores them; ``None`` for sRGB and for codes without a profile (HDR)."""
    described = _named(primaries, transfer)
    return None if described == (BT709, SRGB_CURVE) else _profile(described, gray=gray)


def _profile(described: tuple[Chromaticities, Curve] | None, *, gray: bool) -> bytes | None:
    if described is None or (gray and described[1] == SRGB_CURVE):
        return None
    return gray_profile(described[1]) if gray else rgb_profile(*described)


def _named(primaries: int = 0, transfer: int = 0) -> tuple[Chromaticities, Curve] | None:
    is_known = primaries in PRIMARIES and transfer in TRANSFERS
    return (PRIMARIES[primaries], TRANSFERS[transfer]) if is_known else None


def _from_numbers(points: bytes, gamma: bytes) -> tuple[Chromaticities, Curve] | None:
    """Return the values of cHRM and gAMA; ``None`` for sRGB, which encoders declare by a gamma of 1 / 2.2."""
    described = BT709
    if len(points) >= CHRM_BYTES:
        numbers = [value / 100_000 for value in struct.unpack(">8I", points[:CHRM_BYTES])]
        white, red, green, blue = zip(numbers[::2], numbers[1::2], strict=True)
        described = (white, red, green, blue)
    exponent = int.from_bytes(gamma[:4])
    if exponent in SRGB_GAMMAS and np.allclose(described, BT709, atol=0.001):
        return None
    return described, 100_000 / exponent if exponent else SRGB_CURVE


def rgb_profile(chromaticities: Chromaticities, curve: Curve) -> bytes | None:
    """Return an ICC profile for RGB with these primaries; ``None`` if they span no colours."""
    try:
        columns = _columns(chromaticities)
    except (np.linalg.LinAlgError, ZeroDivisionError):
        return None
    elements = {tag: _xyz(column) for tag, column in zip(SRGB_IN_D50, columns, strict=True)}
    return _assembled(b"RGB ", elements | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _curve(curve)))


def gray_profile(curve: Curve) -> bytes:
    """Return an ICC profile for gray."""
    return _assembled(b"GRAY", {b"kTRC": _curve(curve)})


def _assembled(space: bytes, elements: dict[bytes, bytes]) -> bytes:
    """Return a version 4 display profile for ``space`` with these elements and the mandatory ones."""
    elements = {b"wtpt": _xyz(WHITE_D50), b"desc": _text("PNG"), b"cprt": _text("CC0"), **elements}
    table, content = struct.pack(">I", len(elements)), b""
    start = HEADER_BYTES + 4 + 12 * len(elements)
    for tag, element in elements.items():
        table += struct.pack(">4sII", tag, start + len(content), len(element))
        content += element + bytes(-len(element) % 4)
    head = struct.pack(">I4xI12s", start + len(content), 0x04400000, b"mntr" + space + b"XYZ ")
    head += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _xyz(WHITE_D50)[8:]
    return head.ljust(HEADER_BYTES, b"\0") + table + content


def _columns(chromaticities: Chromaticities) -> list[tuple[float, ...]]:
    """Return X, Y, Z of red, green and blue under D50."""
    white, *primaries = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in chromaticities)
    matrix = np.stack(primaries, axis=1)
    matrix = matrix * np.linalg.solve(matrix, white)
    cone = np.diag((BRADFORD @ np.array(WHITE_D50)) / (BRADFORD @ white))
    adapted = np.linalg.inv(BRADFORD) @ cone @ BRADFORD @ matrix
    if not np.isfinite(adapted).all():
        raise ZeroDivisionError
    return [tuple(column) for column in adapted.T.tolist()]


def _fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(*values)


def _curve(curve: Curve) -> bytes:
    if isinstance(curve, tuple):
        return b"para\0\0\0\0\0\x03\0\0" + _fixed(*curve)
    return b"para\0\0\0\0\0\0\0\0" + _fixed(curve)


def _text(text: str) -> bytes:
    return b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", 2 * len(text), 28) + text.encode("utf-16-be")
