"""Write a DNG, by Adobe's specification 1.7: a preview, and the data of a sensor behind red, green and blue filters."""

import io
from typing import Any

import numpy as np
from PIL import Image

from support.tiff_files import RATIONAL, RAW, SIGNED_RATIONAL, TEXT, YCBCR, Entries, joined_with_pixels_last, page

Array = np.ndarray[Any, np.dtype[np.uint8]]
REDUCED, JPEG, COPYRIGHT, DNG_VERSION, CAMERA_MODEL = 1, 7, 33_432, 50_706, 50_708
WHITE_LEVEL = 16_383
#: From XYZ to the colours of the camera: those of linear sRGB, times 10,000.
MATRIX = (32_404, -15_371, -4_985, -9_692, 18_760, 415, 556, -2_040, 10_572)


def dng(picture: Array, *, preview: Image.Image | None = None, orientation: int = 1) -> bytes:
    """Return a DNG of ``picture`` (height, width, 3; sRGB), both sides even; ``preview`` is stored as a JPEG."""
    height, width, _ = picture.shape
    encoded = picture / 255.0
    light = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    mosaic = np.empty((height, width), np.uint16)
    for row, column, band in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        mosaic[row::2, column::2] = np.rint(light[row::2, column::2, band] * WHITE_LEVEL)
    about: Entries = {
        271: (TEXT, b"Maker\0"),
        272: (TEXT, b"Model\0"),
        274: ("H", [orientation]),
        COPYRIGHT: (TEXT, b"Ann Author\0"),
        DNG_VERSION: ("B", [1, 4, 0, 0]),
        CAMERA_MODEL: (TEXT, b"Maker Model\0"),
        50_721: (SIGNED_RATIONAL, [number for value in MATRIX for number in (value, 10_000)]),
        50_728: (RATIONAL, [1, 1, 1, 1, 1, 1]),
        50_778: ("H", [21]),  # the light of the matrix: D65
    }
    sensor: Entries = {254: ("I", [0]), 33_421: ("H", [2, 2]), 33_422: ("B", [0, 1, 1, 2]), 50_717: ("H", [WHITE_LEVEL])}
    raw = page(mosaic, RAW, tags={**sensor, **({} if preview else about)})
    if preview is None:
        return joined_with_pixels_last([raw])
    file = io.BytesIO()
    preview.save(file, "JPEG", quality=95)
    size: Entries = {256: ("I", [preview.width]), 257: ("I", [preview.height]), 258: ("H", [8, 8, 8]), 277: ("H", [3])}
    kind: Entries = {
        254: ("I", [REDUCED]),
        259: ("H", [JPEG]),
        262: ("H", [YCBCR]),
        278: ("I", [preview.height]),
        330: ("page", [1]),
    }
    return joined_with_pixels_last([({**size, **kind, **about}, [file.getvalue()]), raw])
