"""Read the colour description in the sequence header of an AV1 bitstream.

Source: AV1 Bitstream & Decoding Process Specification, sections 5.3 (OBU), 5.5 (sequence header) and 5.5.2 (colour config).
"""

from pixmill.imaging.parsers.heif.bitstream import Bits, ColourConfig

SEQUENCE_HEADER, SIZE_FLAG, EXTENSION_FLAG = 1, 0x02, 0x04
UNSPECIFIED = (2, 2, 2)
IDENTITY_SRGB = (1, 13, 0)  # BT.709, sRGB, RGB: always in full range
PROFESSIONAL, HIGH = 2, 1  # sequence profiles
SELECT = 2  # whether screen content tools are used is decided in each frame


def colour_config(units: bytes) -> ColourConfig | None:
    """Return the colour description of the first sequence header in ``units``; ``None`` if there is none."""
    offset = 0
    while offset < len(units):
        head = units[offset]
        offset += 2 if head & EXTENSION_FLAG else 1
        size, offset = _size(units, offset) if head & SIZE_FLAG else (len(units) - offset, offset)
        if head >> 3 & 15 == SEQUENCE_HEADER:
            return _sequence_header(Bits(units[offset : offset + size]))
        offset += size
    return None


def _size(units: bytes, offset: int) -> tuple[int, int]:
    """Return a number in base 128, least significant digit first, and the offset behind it."""
    size, shift = 0, 0
    while True:
        byte = units[offset]
        size, shift, offset = size | (byte & 0x7F) << shift, shift + 7, offset + 1
        if not byte & 0x80:
            return size, offset


def _sequence_header(bits: Bits) -> ColourConfig:
    profile, _, is_reduced = bits.read(3), bits.read(1), bits.read(1)
    if is_reduced:
        bits.read(5)
    else:
        _skip_operating_points(bits)
    width_bits, height_bits = bits.read(4) + 1, bits.read(4) + 1
    bits.read(width_bits + height_bits)
    if not is_reduced:
        bits.skip_if(4, 3)
    bits.read(3)
    if not is_reduced:
        _skip_tools(bits)
    bits.read(3)
    return _colour_config(bits, profile)


def _skip_operating_points(bits: Bits) -> None:
    delay_bits = 0
    if bits.read(1):  # timing
        bits.read(64)
        if bits.read(1):
            bits.golomb()
        if bits.read(1):  # decoder model
            delay_bits = bits.read(5) + 1
            bits.read(32 + 5 + 5)
    has_delays = bits.read(1)
    for _ in range(bits.read(5) + 1):
        bits.read(12)
        if bits.read(5) > 7:  # noqa: PLR2004  # levels above 7 have a tier
            bits.read(1)
        if delay_bits:
            bits.skip_if(delay_bits, delay_bits, 1)
        if has_delays:
            bits.skip_if(4)


def _skip_tools(bits: Bits) -> None:
    bits.read(4)
    has_order_hint = bits.skip_if(1, 1)
    screen_content = SELECT if bits.read(1) else bits.read(1)
    if screen_content and not bits.read(1):
        bits.read(1)
    if has_order_hint:
        bits.read(3)


def _colour_config(bits: Bits, profile: int) -> ColourConfig:
    is_deep = bits.read(1)
    if is_deep and profile == PROFESSIONAL:
        bits.read(1)
    is_monochrome = profile != HIGH and bits.read(1)
    codes = (bits.read(8), bits.read(8), bits.read(8)) if bits.read(1) else UNSPECIFIED
    return ColourConfig(codes, full_range=(codes == IDENTITY_SRGB and not is_monochrome) or bool(bits.read(1)))
