"""Decide in which colour space an image is, from every place of a file that states it.

``ORDER`` is that of the standards and of browsers: W3C PNG, third edition, section 4.3, puts cICP before iCCP, sRGB, and gAMA with
cHRM; ISO/IEC 23008-12 lets an ICC profile replace the primaries and the curve of an nclx, whose matrix and range the decoder has
applied; CIPA DC-010 (DCF), section 3.2.4, declares Adobe RGB in EXIF. An image without any of them is in sRGB.
"""

import struct
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import pyvips

from pixmill.imaging.colour.icc_read import HDR, PQ, SPACE, codes_in, describe_same_colours, describes
from pixmill.imaging.image import Image
from pixmill.imaging.metadata.fields import PROFILE, field

if TYPE_CHECKING:
    from pixmill.imaging.colour import spaces

GRAY = ("b-w", "grey16")
RGB = ("srgb", "rgb", "rgb16")
#: The colour space that a profile must declare, by libvips' name for the pixels' interpretation.
SPACES = {
    **dict.fromkeys(GRAY, b"GRAY"), **dict.fromkeys(RGB, b"RGB "), "cmyk": b"CMYK", "lab": b"Lab ", "labs": b"Lab ",
}  # fmt: skip
SRGB = b""  # in place of a profile
SRGB_GAMMAS = range(45_000, 46_000)  # near 1 / 2.2, by which encoders declare sRGB
GAMMAS = range(10_000, 1_000_001)  # exponents from 0.1 to 10; others are errors, which browsers ignore
CHRM_TOLERANCE = 0.001
MAX_CLL_UNITS, MAX_PEAK = 10_000, 10_000  # units per cd/m2, and cd/m2

#: What a file says, by the names in ``ORDER``, as the file has it; without what it does not say. ``MaxCLL`` is the brightest light
#: of an image in PQ, in units of 0.0001 cd/m2, as in the chunk cLLI of PNG.
Statements = Mapping[str, bytes]
Reader = Callable[[Statements, bytes], bytes | None]


class Rule(NamedTuple):
    """Statements, how to read them, and the notes if they are unusable and if they decide.

    ``read`` returns a profile, or ``SRGB``; ``None`` if they say nothing. It raises ``ValueError`` if they have no meaning.
    """

    names: tuple[str, ...]
    read: Reader
    if_unusable: str = "colour-ignored"
    if_used: str = ""


class Decision(NamedTuple):
    """The profile of the pixels, ``SRGB`` for none, and notes on what was ignored or decided."""

    profile: bytes
    notes: tuple[str, ...] = ()


def with_stated_colours(image: Image, statements: Statements) -> Image:
    """Return ``image`` with the profile for its pixels by ``statements``, and the notes of that decision."""
    profile, notes = decide(statements, SPACES.get(image.pixels.interpretation, b""))
    notes = (*image.notes, *notes)
    if profile == field(image.pixels, PROFILE, SRGB):
        return image.evolve(notes=notes) if notes != image.notes else image
    pixels = image.pixels.copy()
    pixels.remove(PROFILE)
    if profile:
        pixels.set_type(pyvips.GValue.blob_type, PROFILE, profile)
    return image.evolve(pixels=pixels, notes=notes)


def decide(statements: Statements, space: bytes) -> Decision:
    """Return the decision for pixels of ``space`` (``RGB ``, ``GRAY``, ...): the first usable statement in ``ORDER`` counts."""
    notes: list[str] = []
    for rule in ORDER:
        if not any(statements.get(name) for name in rule.names):
            continue
        try:
            profile = rule.read(statements, space)
        except (ValueError, struct.error):
            notes.append(rule.if_unusable)
            continue
        if profile is not None:
            notes += [rule.if_used] if rule.if_used else []
            return Decision(profile, (*notes, *_contradicted(rule, profile, statements)))
    return Decision(SRGB, tuple(notes))


def _contradicted(rule: Rule, profile: bytes, statements: Statements) -> tuple[str, ...]:
    embedded = statements.get("ICC", b"")
    return ("profile-ignored",) if rule.names == ("cICP",) and embedded and not describe_same_colours(profile, embedded) else ()


def _by_cicp(statements: Statements, space: bytes) -> bytes | None:
    primaries, transfer = struct.unpack_from(">2B", statements["cICP"])
    return _by_codes(primaries, transfer, statements, space)


def _by_nclx(statements: Statements, space: bytes) -> bytes | None:
    primaries, transfer = struct.unpack(">2H", statements["nclx"])
    return _by_codes(primaries, transfer, statements, space)


def _by_profile(statements: Statements, space: bytes) -> bytes | None:
    """Return the embedded profile. One that states PQ or HLG becomes ours, which is converted by our own curve."""
    profile = statements["ICC"]
    if not describes(profile, space):
        raise ValueError(profile[SPACE])
    primaries, transfer = codes_in(profile)
    return _by_codes(primaries, transfer, statements, space) if transfer in HDR else profile


def _by_codes(primaries: int, transfer: int, statements: Statements, space: bytes) -> bytes | None:
    """Return the profile for codes of H.273; one of the two may be unspecified, which means that of sRGB."""
    from pixmill.imaging.colour import icc_write, spaces, tone_map  # noqa: PLC0415  # imports numpy, and most files have no codes

    if (primaries, transfer) == (spaces.UNSPECIFIED, spaces.UNSPECIFIED):
        return None
    primaries = spaces.BT709_CODE if primaries == spaces.UNSPECIFIED else primaries
    transfer = spaces.SRGB_CODE if transfer == spaces.UNSPECIFIED else transfer
    if primaries not in spaces.PRIMARIES or transfer not in (*spaces.TRANSFERS, *HDR):
        raise ValueError(f"codes {primaries}, {transfer}")
    if transfer in HDR:
        stated_peak = int.from_bytes(statements.get("MaxCLL", b"")) / MAX_CLL_UNITS
        peak = max(stated_peak, tone_map.REFERENCE_WHITE) if stated_peak and transfer == PQ else tone_map.DEFAULT_PEAK
        return icc_write.hdr_profile(tone_map.Dynamics(primaries, transfer, min(peak, MAX_PEAK)), gray=space == b"GRAY")
    return _profile(spaces.PRIMARIES[primaries], spaces.TRANSFERS[transfer], is_gray=space == b"GRAY")


def _by_numbers(statements: Statements, space: bytes) -> bytes | None:
    """Return the profile for cHRM and gAMA; ``None`` for what encoders of sRGB write."""
    from pixmill.imaging.colour import spaces  # noqa: PLC0415  # as above

    points, gamma = statements.get("cHRM", b""), statements.get("gAMA", b"")
    chromaticities = _chromaticities(points) if points else spaces.BT709
    exponent = struct.unpack(">I", gamma)[0] if gamma else SRGB_GAMMAS[0]
    if exponent not in GAMMAS:
        raise ValueError(f"gamma {exponent}")
    curve = spaces.SRGB_CURVE if not gamma or (exponent in SRGB_GAMMAS and _is_bt709(chromaticities)) else 100_000 / exponent
    return _profile(chromaticities, curve, is_gray=space == b"GRAY")


def _chromaticities(points: bytes) -> "spaces.Chromaticities":
    numbers = [value / 100_000 for value in struct.unpack(">8I", points)]
    white, red, green, blue = zip(numbers[::2], numbers[1::2], strict=True)
    return white, red, green, blue


def _is_bt709(chromaticities: "spaces.Chromaticities") -> bool:
    from pixmill.imaging.colour.spaces import BT709  # noqa: PLC0415  # as above

    pairs = zip(chromaticities, BT709, strict=True)
    return all(abs(value - expected) <= CHRM_TOLERANCE for one, other in pairs for value, expected in zip(one, other, strict=True))


def _adobe_rgb(_: Statements, space: bytes) -> bytes | None:
    """Return the profile of Adobe RGB, which EXIF declares only for RGB."""
    from pixmill.imaging.colour import spaces  # noqa: PLC0415  # as above

    return _profile(spaces.ADOBE_RGB, spaces.ADOBE_RGB_GAMMA, is_gray=False) if space == b"RGB " else None


def _profile(chromaticities: "spaces.Chromaticities", curve: "spaces.Curve", *, is_gray: bool) -> bytes:
    from pixmill.imaging.colour import icc_write, spaces  # noqa: PLC0415  # as above

    if curve == spaces.SRGB_CURVE and (is_gray or chromaticities == spaces.BT709):
        return SRGB
    return icc_write.gray_profile(curve) if is_gray else icc_write.rgb_profile(chromaticities, curve)


ORDER = (
    Rule(("cICP",), _by_cicp),
    Rule(("ICC",), _by_profile, if_unusable="profile-ignored"),
    Rule(("nclx",), _by_nclx),
    Rule(("sRGB",), lambda *_: SRGB),
    Rule(("gAMA", "cHRM"), _by_numbers),
    Rule(("DCF",), _adobe_rgb, if_used="adobe-rgb-by-exif"),
)
