"""Map high dynamic range (PQ and HLG) to sRGB.

Light is measured in units of the reference white, 203 cd/m2 (ITU-R BT.2408), which paper has in a film. With ``peak`` as the
brightest light, that of the file's MaxCLL or 1,000 cd/m2, the brightest channel of each pixel is mapped by

    f(x) = x * (1 + x / peak^2) / (1 + x)

(E. Reinhard et al., "Photographic Tone Reproduction for Digital Images", 2002, equation 4): it has no flat part, and maps black
to black and ``peak`` to white. The other channels are scaled with it, which keeps the hue. Light beyond the peak gets the
brightest colour of its hue.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import pyvips

from pixmill.imaging.colour.icc_read import HLG
from pixmill.imaging.colour.spaces import BT709, PRIMARIES, Curve, to_xyz
from pixmill.imaging.depth import WIDE_FORMATS

Samples = np.ndarray[tuple[int], np.dtype[np.float64]]

REFERENCE_WHITE, DEFAULT_PEAK = 203.0, 1000.0  # cd/m2
HLG_SYSTEM_GAMMA = 1.2  # for a display with the default peak, BT.2100, table 5, note 5e
TABLE_SIZE = {"uchar": 2**8, "ushort": 2**16}


class Dynamics(NamedTuple):
    """Codes of H.273 for the primaries and the transfer (PQ or HLG), and the brightest light in cd/m2."""

    primaries: int
    transfer: int
    peak: float = DEFAULT_PEAK


def to_srgb(pixels: pyvips.Image, dynamics: Dynamics, *, bits: int) -> pyvips.Image:
    """Return ``pixels`` of 8 or 16 bits and these ``dynamics`` as sRGB of ``bits``, gray if they are gray; alpha is kept."""
    alpha = pixels[pixels.bands - 1] if pixels.hasalpha() else None
    colour = pixels.extract_band(0, n=pixels.bands - 1) if alpha is not None else pixels
    is_gray = colour.bands == 1
    table = _light(dynamics.transfer, TABLE_SIZE[pixels.format])
    light = colour.maplut(pyvips.Image.new_from_array(table.reshape(1, -1)).cast("float"))
    to_d50 = to_xyz(PRIMARIES[dynamics.primaries])
    if dynamics.transfer == HLG:
        scene = light if is_gray else light.recomb(pyvips.Image.new_from_array([to_d50[1].tolist()]))
        light = light * (scene ** (HLG_SYSTEM_GAMMA - 1)) * (DEFAULT_PEAK / REFERENCE_WHITE)
    brightest = light if is_gray else light[0].maxpair(light[1]).maxpair(light[2])
    mapped = light * _gain(brightest, dynamics.peak / REFERENCE_WHITE)
    if is_gray:
        linear = mapped.bandjoin([mapped, mapped])
    else:
        linear = mapped.recomb(pyvips.Image.new_from_array((np.linalg.inv(to_xyz(BT709)) @ to_d50).tolist()))
    deep = bits > 8  # noqa: PLR2004  # bits of a byte
    encoded = linear.copy(interpretation="scrgb").colourspace("rgb16" if deep else "srgb")
    if is_gray:
        encoded = encoded[0].copy(interpretation="grey16" if deep else "b-w")
    if alpha is None:
        return encoded
    scaled = alpha.linear(encoded_max(encoded.format) / encoded_max(alpha.format), 0).rint().cast(encoded.format)
    return encoded.bandjoin(scaled).copy(interpretation=encoded.interpretation)


def encoded_max(value_format: str) -> int:
    """Return the value of white."""
    return 65535 if value_format in WIDE_FORMATS else 255


def _gain(brightest: pyvips.Image, peak: float) -> pyvips.Image:
    """Return the factor by which each pixel is scaled, from its brightest channel; all light is in units of white."""
    curve = brightest.linear(1 / peak**2, 1) / brightest.linear(1, 1)
    return (brightest > peak).ifthenelse(1 / brightest, curve)


@cache
def _light(transfer: int, size: int) -> Samples:
    """Return the light of each of ``size`` values: in units of the reference white for PQ, of the scene (0 to 1) for HLG."""
    signal = np.linspace(0, 1, size)
    return _hlg_scene(signal) if transfer == HLG else _pq_light(signal)


def _pq_light(signal: Samples) -> Samples:
    """Return the light by the EOTF of BT.2100, table 4."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 4096 * 128, 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    root = signal ** (1 / m2)
    light: Samples = 10_000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1) / REFERENCE_WHITE
    return light


def _hlg_scene(signal: Samples) -> Samples:
    """Return the light of the scene by the inverse OETF of BT.2100, table 5."""
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
    scene: Samples = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)  # noqa: PLR2004  # the standard's
    return scene


def gray_curve(dynamics: Dynamics, samples: int = 4096) -> Curve:
    """Return the tone-mapped linear light of gray, for profiles that programs without HDR apply."""
    light, peak = _light(dynamics.transfer, samples), dynamics.peak / REFERENCE_WHITE
    if dynamics.transfer == HLG:
        light = light**HLG_SYSTEM_GAMMA * (DEFAULT_PEAK / REFERENCE_WHITE)
    return np.minimum(light * (1 + light / peak**2) / (1 + light), 1.0)
