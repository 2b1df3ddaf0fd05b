"""Colour spaces by the codes and the numbers that files state: primaries, and transfer characteristics as curves.

Source: ITU-T H.273, tables 2 and 3, for the codes; ITU-R BT.2100, tables 4 and 5, for PQ and HLG.
"""

import numpy as np

Point = tuple[float, float]
#: White, red, green and blue in CIE xy.
Chromaticities = tuple[Point, Point, Point, Point]
#: An exponent, the parameters of an ICC curve of type 3 (g, a, b, c, d), or samples at equal distances.
Curve = float | tuple[float, ...] | np.ndarray[tuple[int], np.dtype[np.float64]]
Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]

D65, ILLUMINANT_C = (0.3127, 0.3290), (0.310, 0.316)
BT709: Chromaticities = (D65, (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
BT601: Chromaticities = (D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070))
#: Adobe RGB (1998), section 4.3.1: the colour space of DCF option files.
ADOBE_RGB: Chromaticities = (D65, (0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
ADOBE_RGB_GAMMA = 563 / 256
#: Colour primaries by their code in H.273.
PRIMARIES: dict[int, Chromaticities] = {
    1: BT709,
    4: (ILLUMINANT_C, (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: (D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: BT601,
    7: BT601,
    8: (ILLUMINANT_C, (0.681, 0.319), (0.243, 0.692), (0.145, 0.049)),
    9: (D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: ((0.314, 0.351), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    12: (D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    22: (D65, (0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}
#: Transfer characteristics of standard dynamic range by their code in H.273. Those of television use the curve of sRGB, as in
#: browsers.
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
TRANSFERS: dict[int, Curve] = {
    **dict.fromkeys((1, 6, 7, 11, 12, 13, 14, 15), SRGB_CURVE), 4: 2.2, 5: 2.8, 8: 1.0, 17: 2.6,
}  # fmt: skip
UNSPECIFIED, BT709_CODE, SRGB_CODE = 2, 1, 13

WHITE_D50 = (0.9642, 1.0, 0.8249)
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def to_xyz(chromaticities: Chromaticities) -> Matrix:
    """Return the matrix from linear RGB to CIE XYZ under D50. Raise ``ValueError`` if the primaries span no colours."""
    try:
        white, *primaries = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in chromaticities)
        matrix = np.stack(primaries, axis=1)
        matrix = matrix * np.linalg.solve(matrix, white)
    except (np.linalg.LinAlgError, ZeroDivisionError) as error:
        raise ValueError(str(error)) from error
    cone = np.diag((BRADFORD @ np.array(WHITE_D50)) / (BRADFORD @ white))
    adapted: Matrix = np.linalg.inv(BRADFORD) @ cone @ BRADFORD @ matrix
    if not np.isfinite(adapted).all():
        raise ValueError("the white point is not a colour")
    return adapted
