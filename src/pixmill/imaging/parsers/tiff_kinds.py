"""Decide which image of a TIFF is the picture, and refuse the kinds that libvips does not refuse but shows wrongly.

Source: TIFF 6.0, sections 8, 21 and 23; Adobe DNG 1.7, chapter 4, where the first directory may be a thumbnail.
"""

from collections.abc import Sequence

from pixmill.core.errors import UnsupportedError
from pixmill.imaging.parsers.tiff import (
    BITS,
    COMPRESSION,
    PHOTOMETRIC,
    PLANAR,
    REFERENCE_BLACK_WHITE,
    SAMPLE_FORMAT,
    SAMPLES,
    YCBCR_COEFFICIENTS,
    YCBCR_SUBSAMPLING,
    Directory,
    Tags,
)

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR, LAB = 0, 1, 2, 3, 5, 6, 8
LOG_LUMA, LOG_LUV = 32844, 32845
SHOWN = (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR, LAB, LOG_LUMA, LOG_LUV)
#: Kinds of pixels that no program can show as they are.
OTHER_KINDS = {
    4: "a transparency mask", 9: "ICC Lab", 10: "ITU Lab", 32803: "a raw photograph", 34892: "a raw photograph",
    51177: "a depth map",
}  # fmt: skip
SENSOR_DATA = {32803, 34892}
WITH_RAW = {"allow": "raw"}  # the option that reads them, with a package of its own
JPEG_KINDS = (6, 7)
SEPARATE_PLANES = 2
PILLOW_COMPRESSIONS = (34925, 50000)  # LZMA, Zstandard
UNSIGNED = 1  # as a sample format
PILLOW_KINDS = (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE)  # whose colours its modes keep
#: The channels of a colour.
COLOURS = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, LAB: 3}
#: The entries that define YCbCr, if they are there: luma by BT.601 (as rationals), and the full range.
USUAL_COEFFICIENTS = (0.299, 0.587, 0.114)
USUAL_RANGE = (0, 255, 128, 255, 128, 255)
TOLERANCE = 0.001


def picture_of(directories: Sequence[Directory]) -> Directory:
    """Return the directory of the picture: the first, unless that is a reduced image; then the largest complete or else reduced.

    Raise ``UnsupportedError`` if only a thumbnail can be shown of a larger image, such as a raw photograph.
    """
    first, *others = directories
    if not first.is_reduced or not others:
        return first
    readable = [each for each in others if each.tags.get(PHOTOMETRIC, (0,))[0] in SHOWN]
    if not readable:
        kinds = {each.tags.get(PHOTOMETRIC, (0,))[0] for each in others}
        message = f"this kind of TIFF is not supported: {_kind(next(iter(kinds)))} with a thumbnail"
        is_raw = bool(kinds & SENSOR_DATA)
        raise UnsupportedError(
            message, hint="to read it with the extra raw" if is_raw else "", options=WITH_RAW if is_raw else None
        )
    return max(readable, key=lambda each: (not each.is_reduced, each.pixels))


def check(tags: Tags) -> None:
    """Raise ``UnsupportedError`` for kinds of samples that libvips would show wrongly."""
    if PHOTOMETRIC not in tags:
        return  # which libvips refuses
    photometric = tags[PHOTOMETRIC][0]
    if photometric not in SHOWN:
        raise UnsupportedError(f"this kind of TIFF is not supported: {_kind(photometric)}")
    samples, is_split = tags.get(SAMPLES, (1,))[0], tags.get(PLANAR) == (SEPARATE_PLANES,)
    if photometric == YCBCR and is_split:
        raise UnsupportedError("this kind of TIFF is not supported: YCbCr in separate planes")
    if is_split and samples > 1 and photometric in COLOURS:
        raise UnsupportedError(f"this kind of TIFF is not supported: {_kind(photometric)} with {samples} separate planes")
    if photometric == LAB and samples > COLOURS[LAB]:
        raise UnsupportedError("this kind of TIFF is not supported: Lab with more than three channels")
    if is_bare_ycbcr(tags) and not _is_usual(tags):
        raise UnsupportedError("this kind of TIFF is not supported: YCbCr with other coefficients or another range than JPEG")


def needs_pillow(tags: Tags) -> bool:
    """Return whether Pillow reads the samples and libvips does not: two compressions that its wheel lacks, and Lab of 8 bits."""
    photometric, bits = tags.get(PHOTOMETRIC, (0,))[0], tags.get(BITS, (1,))
    if photometric == LAB:
        return set(bits) == {8}
    is_plain = set(tags.get(SAMPLE_FORMAT, (UNSIGNED,))) == {UNSIGNED} and (max(bits) <= 8 or len(bits) == 1)  # noqa: PLR2004
    return tags.get(COMPRESSION, (1,))[0] in PILLOW_COMPRESSIONS and photometric in PILLOW_KINDS and is_plain


def is_bare_ycbcr(tags: Tags) -> bool:
    """Return whether the samples are YCbCr that libvips passes on as if it were RGB: not JPEG, and not subsampled."""
    is_jpeg = tags.get(COMPRESSION, (1,))[0] in JPEG_KINDS
    return tags.get(PHOTOMETRIC) == (YCBCR,) and not is_jpeg and tags.get(YCBCR_SUBSAMPLING) == (1, 1)


def _is_usual(tags: Tags) -> bool:
    coefficients, limits = (_rationals(tags.get(tag, ())) for tag in (YCBCR_COEFFICIENTS, REFERENCE_BLACK_WHITE))
    return _are_near(coefficients, USUAL_COEFFICIENTS) and _are_near(limits, USUAL_RANGE)


def _rationals(numbers: Sequence[int]) -> list[float]:
    return [above / (below or 1) for above, below in zip(numbers[::2], numbers[1::2], strict=False)]


def _are_near(values: Sequence[float], usual: Sequence[float]) -> bool:
    return not values or (
        len(values) == len(usual) and all(abs(one - other) <= TOLERANCE for one, other in zip(values, usual, strict=True))
    )


def _kind(photometric: int) -> str:
    names = {WHITE_IS_ZERO: "gray", BLACK_IS_ZERO: "gray", LAB: "Lab", **OTHER_KINDS}
    return names.get(photometric, f"photometric interpretation {photometric}")
