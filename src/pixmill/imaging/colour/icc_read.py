"""Read ICC profiles, to recognise sRGB, which needs no conversion, and high dynamic range, which is tone-mapped.

Source: ICC.1:2022, sections 7.2 (header), 7.3 (tag table), 10.5 (cicp), 10.6 and 10.18 (curves), 10.31 (XYZ).
"""

import struct

HEADER_BYTES = 128
SPACE = slice(16, 20)  # of a profile: the signature of its colour space, such as RGB
# The primaries of sRGB, adapted to D50, as ICC.1 stores them; real profiles differ in the third digit.
PRIMARIES = {b"rXYZ": (0.4361, 0.2225, 0.0139), b"gXYZ": (0.3851, 0.7169, 0.0971), b"bXYZ": (0.1431, 0.0606, 0.7141)}
TOLERANCE = 0.0025
CURVE_TOLERANCE = 0.004
CICP_BYTES, XYZ_BYTES = 12, 20  # of an element
#: The transfer characteristics of high dynamic range by their code in H.273: PQ and HLG.
PQ, HLG = 16, 18
HDR = (PQ, HLG)
CURVE_SAMPLES = tuple(step / 16 for step in range(17))


def tags(profile: bytes) -> dict[bytes, bytes]:
    """Return the tagged elements of ``profile`` by signature; empty if it is not a profile."""
    if len(profile) < HEADER_BYTES + 4 or profile[36:40] != b"acsp":
        return {}
    count = min(int.from_bytes(profile[HEADER_BYTES : HEADER_BYTES + 4]), 100)
    entries = (profile[HEADER_BYTES + 4 + 12 * index :][:12] for index in range(count))
    elements = (struct.unpack(">4sII", entry) for entry in entries if len(entry) == 12)  # noqa: PLR2004  # bytes of an entry
    return {signature: profile[offset : offset + size] for signature, offset, size in elements}


def codes_in(profile: bytes) -> tuple[int, int]:
    """Return primaries and transfer of ``profile`` by their codes in H.273; 2, "unspecified", if it does not state them."""
    element = tags(profile).get(b"cicp", b"")
    return (element[8], element[9]) if len(element) >= CICP_BYTES else (2, 2)


def peak_in(profile: bytes) -> float:
    """Return the brightest light that ``profile`` states, in cd/m2; 0 if it does not."""
    element = tags(profile).get(b"lumi", b"")
    return float(struct.unpack_from(">i", element, 12)[0]) / 65536 if len(element) >= XYZ_BYTES else 0.0


def describes(profile: bytes, space: bytes) -> bool:
    """Return whether ``profile`` appears to describe pixels of ``space`` (``RGB ``, ``GRAY``, ...).

    If it does not, libvips silently uses its own default.
    """
    return bool(tags(profile)) and profile[SPACE] == space


def is_srgb(profile: bytes) -> bool:
    """Return whether ``profile`` describes sRGB to 8-bit precision, so that its pixels need no conversion."""
    elements = tags(profile)
    if profile[SPACE] != b"RGB " or b"A2B0" in elements:
        return False
    return all(_is_near(elements.get(tag, b""), xyz) for tag, xyz in PRIMARIES.items()) and all(
        _is_srgb_curve(elements.get(tag, b"")) for tag in (b"rTRC", b"gTRC", b"bTRC")
    )


def describe_same_colours(first: bytes, second: bytes) -> bool:
    """Return whether two profiles of RGB or gray have the same primaries and curves to 8-bit precision; an empty one is sRGB."""
    try:
        pairs = zip(_numbers(first, like=second), _numbers(second, like=first), strict=True)
        return all(abs(one - other) < CURVE_TOLERANCE for one, other in pairs)
    except (struct.error, ValueError, IndexError, ZeroDivisionError, OverflowError):
        return False


def _numbers(profile: bytes, *, like: bytes) -> list[float]:
    """Return the primaries and samples of the curves of ``profile``; those of sRGB, in the space of ``like``, if it is empty."""
    if not profile:
        is_gray = like[SPACE] == b"GRAY"
        primaries = [] if is_gray else [value for xyz in PRIMARIES.values() for value in xyz]
        return primaries + [_srgb_to_linear(x) for x in CURVE_SAMPLES] * (1 if is_gray else 3)
    elements = tags(profile)
    xyz = [value / 65536 for tag in PRIMARIES if tag in elements for value in struct.unpack(">3i", elements[tag][8:20])]
    curves = [elements[tag] for tag in (b"rTRC", b"gTRC", b"bTRC", b"kTRC") if tag in elements]
    return xyz + [_curve(curve, x) for curve in curves for x in CURVE_SAMPLES]


def _is_near(element: bytes, reference: tuple[float, ...]) -> bool:
    if len(element) < XYZ_BYTES or element[:4] != b"XYZ ":
        return False
    xyz = (value / 65536 for value in struct.unpack(">3i", element[8:20]))
    return all(abs(value - expected) < TOLERANCE for value, expected in zip(xyz, reference, strict=True))


def _is_srgb_curve(element: bytes) -> bool:
    try:
        return all(abs(_curve(element, x) - _srgb_to_linear(x)) < CURVE_TOLERANCE for x in CURVE_SAMPLES)
    except (struct.error, ValueError, IndexError, ZeroDivisionError, OverflowError):
        return False


def _srgb_to_linear(x: float) -> float:
    """Return the linear light of the sRGB value ``x`` (IEC 61966-2-1)."""
    return x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4  # noqa: PLR2004  # the standard's constants


def _curve(element: bytes, x: float) -> float:
    """Return the linear light of ``x`` by a ``curv`` or ``para`` element; never complex for a curve near sRGB."""
    if element[:4] == b"curv":
        count = int.from_bytes(element[8:12])
        if count < 2:  # noqa: PLR2004  # none is the identity, one a power
            return float(x ** (int.from_bytes(element[12:14]) / 256)) if count else x
        position = x * (count - 1)
        low = min(int(position), count - 2)
        first, second = struct.unpack_from(">2H", element, 12 + 2 * low)
        return float(first + (second - first) * (position - low)) / 65535
    if element[:4] == b"para" and element[8:10] == b"\x00\x00":
        return float(x ** (struct.unpack_from(">i", element, 12)[0] / 65536))
    if element[:4] == b"para" and element[8:10] == b"\x00\x03":
        power, scale, offset, slope, start = (value / 65536 for value in struct.unpack_from(">5i", element, 12))
        return float((scale * x + offset) ** power) if x >= start else slope * x
    raise ValueError(element[:4])
