"""Read the colour description in the sequence parameter set of an HEVC bitstream.

Source: ITU-T H.265, sections 7.3.1.1 (NAL unit), 7.3.2.2 (sequence parameter set), 7.3.3 (profile, tier and level), 7.3.4 (scaling
lists), 7.3.7 and 7.4.8 (reference pictures), and E.2.1 (VUI); ISO/IEC 14496-15, section 8.3.3 (hvcC).
"""

from collections.abc import Iterator, Sequence

from pixmill.imaging.parsers.heif.bitstream import Bits, ColourConfig

ARRAYS = 22  # offset of their number in hvcC
SEQUENCE_PARAMETER_SET, NAL_TYPE_BITS = 33, 0x3F
NAL_HEADER_BITS, PROFILE_BITS, LEVEL_BITS = 16, 88, 8
MAX_PARAMETER_SET = 4096  # bytes
MAX_SUBLAYERS, MAX_REFERENCE_SETS, MAX_REFERENCES, MAX_LONG_TERM = 7, 64, 16, 32
UNSPECIFIED = (2, 2, 2)
YUV_444, OTHER_ASPECT = 3, 255


def colour_config(configuration: bytes) -> ColourConfig | None:
    """Return the colour description in the box ``hvcC``; ``None`` if there is none. Raise ``ValueError`` if it is damaged."""
    unit = next(_parameter_sets(configuration), None)
    return None if unit is None else _sequence(Bits(unit.replace(b"\0\0\3", b"\0\0")))


def _parameter_sets(configuration: bytes) -> Iterator[bytes]:
    """Yield the sequence parameter sets."""
    offset = ARRAYS + 1
    for _ in range(int.from_bytes(configuration[ARRAYS:offset])):
        kind, count = configuration[offset : offset + 1], int.from_bytes(configuration[offset + 1 : offset + 3])
        offset += 3
        for _ in range(count):
            size = int.from_bytes(configuration[offset : offset + 2])
            offset += 2 + size
            if offset > len(configuration):
                return
            if kind[0] & NAL_TYPE_BITS == SEQUENCE_PARAMETER_SET and size <= MAX_PARAMETER_SET:
                yield configuration[offset - size : offset]


def _sequence(bits: Bits) -> ColourConfig | None:
    bits.read(NAL_HEADER_BITS + 4)
    sublayers = bits.read(3)
    bits.read(1)
    _skip_profile(bits, sublayers)
    bits.golomb()
    if bits.golomb() == YUV_444:
        bits.read(1)
    bits.golombs(2)
    if bits.read(1):  # a part of the picture is shown
        bits.golombs(4)
    bits.golombs(2)
    order_bits = bits.golomb() + 4
    for _ in range(sublayers + 1 if bits.read(1) else 1):
        bits.golombs(3)
    bits.golombs(6)
    if bits.read(1) and bits.read(1):
        _skip_scaling_lists(bits)
    bits.read(2)
    if bits.read(1):  # uncoded samples
        bits.read(8)
        bits.golombs(2)
        bits.read(1)
    _skip_references(bits, order_bits)
    bits.read(2)
    return _usability(bits) if bits.read(1) else None


def _skip_profile(bits: Bits, sublayers: int) -> None:
    _check(sublayers, MAX_SUBLAYERS)
    bits.read(PROFILE_BITS + LEVEL_BITS)
    present = [(bits.read(1), bits.read(1)) for _ in range(sublayers)]
    if sublayers:
        bits.read(2 * (8 - sublayers))
    for has_profile, has_level in present:
        bits.read(PROFILE_BITS * has_profile + LEVEL_BITS * has_level)


def _skip_scaling_lists(bits: Bits) -> None:
    for size in range(4):
        for _ in range(2 if size == 3 else 6):  # noqa: PLR2004  # of the largest size there are fewer
            if bits.read(1):
                bits.golombs(min(64, 16 << 2 * size) + (size > 1))
            else:
                bits.golomb()


def _skip_references(bits: Bits, order_bits: int) -> None:
    """Skip the sets of pictures that others refer to: those before and after, and those of long ago."""
    sets: list[list[int]] = []
    for _ in range(_check(bits.golomb(), MAX_REFERENCE_SETS)):
        is_predicted = bool(sets) and bool(bits.read(1))
        sets.append(_predicted(bits, sets[-1]) if is_predicted else _explicit(bits))
    if bits.read(1):
        bits.read((order_bits + 1) * _check(bits.golomb(), MAX_LONG_TERM))


def _explicit(bits: Bits) -> list[int]:
    """Return the distances of the pictures of a set: those before, from the nearest on, then those after."""
    counts = [_check(count, MAX_REFERENCES) for count in bits.golombs(2)]
    found = []
    for sign, count in zip((-1, 1), counts, strict=True):
        distance = 0
        for _ in range(count):
            distance += sign * (bits.golomb() + 1)
            bits.read(1)
            found.append(distance)
    return found


def _predicted(bits: Bits, previous: Sequence[int]) -> list[int]:
    """Return the distances of a set that is stated as a difference from the previous one."""
    sign = -1 if bits.read(1) else 1
    shift = sign * (bits.golomb() + 1)
    is_used = [bits.read(1) or bits.read(1) for _ in range(len(previous) + 1)]
    moved = [distance + shift for distance, used in zip((*previous, 0), is_used, strict=True) if used and distance + shift]
    return sorted((each for each in moved if each < 0), reverse=True) + sorted(each for each in moved if each > 0)


def _usability(bits: Bits) -> ColourConfig | None:
    if bits.read(1) and bits.read(8) == OTHER_ASPECT:
        bits.read(32)
    bits.skip_if(1)
    if not bits.read(1):
        return None
    bits.read(3)
    is_full = bool(bits.read(1))
    codes = (bits.read(8), bits.read(8), bits.read(8)) if bits.read(1) else UNSPECIFIED
    return ColourConfig(codes, full_range=is_full)


def _check(number: int, most: int) -> int:
    """Return ``number``, which the standard bounds. Raise ``ValueError`` if it is more."""
    if number > most:
        raise ValueError("the parameter set is damaged")
    return number
