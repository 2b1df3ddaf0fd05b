"""Enlarge an image with exactly the kernel that is asked for, in its place.

libvips enlarges with bicubic or bilinear interpolation whatever the kernel, and shifts the result by up to half a pixel.
"""

from typing import TYPE_CHECKING, Any

import pyvips

from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.metadata import fields

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[np.float32]]

#: The kernels of the resizer, by ours; ``nearest`` is exact in libvips, and ``lanczos2`` is computed here.
FILTERS = {"linear": "bilinear", "cubic": "catmull_rom", "mitchell": "mitchell", "lanczos3": "lanczos3"}
FRACTIONS = ("float", "double")
MAX_BANDS = 4  # that the resizer takes together
LANCZOS_LOBES = 2


def enlarge(pixels: pyvips.Image, size: Size, kernel: str) -> pyvips.Image:
    """Return ``pixels`` at ``size``, which is larger in at least one direction, resampled with ``kernel``, with their profile."""
    if kernel == "nearest":
        return pixels.resize(size[0] / pixels.width, vscale=size[1] / pixels.height, kernel=kernel)
    values = pixels.cast("float")  # as integers, what overshoots after the first of both directions would be cut off
    groups = [values.extract_band(start, n=min(MAX_BANDS, values.bands - start)) for start in range(0, values.bands, MAX_BANDS)]
    resample = _by_lanczos2 if kernel not in FILTERS else _by_resizer
    first, *others = (resample(group, size, kernel) for group in groups)
    joined = first.bandjoin(others) if others else first
    resampled = (
        (joined if pixels.format in FRACTIONS else joined.rint()).cast(pixels.format).copy(interpretation=pixels.interpretation)
    )
    return fields.attach(resampled, fields.profile(pixels))


def _by_resizer(pixels: pyvips.Image, size: Size, kernel: str) -> pyvips.Image:
    from cykooz_resizer import FilterType, ImageData, PixelType, ResizeAlg, ResizeOptions, Resizer  # noqa: PLC0415  # not in help

    kind = getattr(PixelType, "F32" if pixels.bands == 1 else f"F32x{pixels.bands}")
    source, result = ImageData(pixels.width, pixels.height, kind, bytes(pixels.write_to_memory())), ImageData(*size, kind)
    algorithm = ResizeAlg.convolution(getattr(FilterType, FILTERS[kernel]))
    Resizer().resize(source, result, ResizeOptions(resize_alg=algorithm, use_alpha=False))
    return pyvips.Image.new_from_memory(bytes(result.get_buffer()), *size, pixels.bands, "float")


def _by_lanczos2(pixels: pyvips.Image, size: Size, _: str) -> pyvips.Image:
    import numpy as np  # noqa: PLC0415  # as everywhere in imaging: most images never become an array

    array = pixels.numpy().reshape(pixels.height, pixels.width, pixels.bands)
    across = _resampled(array.transpose(1, 0, 2), size[0]).transpose(1, 0, 2)
    result = np.ascontiguousarray(_resampled(across, size[1]))
    return pyvips.Image.new_from_memory(result.tobytes(), *size, pixels.bands, "float")


def _resampled(rows: "Array", count: int) -> "Array":
    """Return ``rows`` resampled to ``count`` of them; weights are normalised, also at the edges."""
    import numpy as np  # noqa: PLC0415  # as above

    scale = len(rows) / count
    stretch = max(scale, 1.0)
    centres = (np.arange(count) + 0.5) * scale - 0.5
    reach = LANCZOS_LOBES * stretch
    first: Any = np.ceil(centres - reach).astype(int)
    total = np.zeros(count)
    result: Array = np.zeros((count, *rows.shape[1:]), np.float32)
    for offset in range(int(2 * reach) + 1):
        index = first + offset
        distance = (index - centres) / stretch
        weight: Any = np.where(np.abs(distance) < LANCZOS_LOBES, np.sinc(distance) * np.sinc(distance / LANCZOS_LOBES), 0.0)
        weight = np.where((index >= 0) & (index < len(rows)), weight, 0.0)
        total += weight
        result += weight[:, None, None].astype(np.float32) * rows[index.clip(0, len(rows) - 1)]
    weights: Any = total[:, None, None].astype(np.float32)
    scaled: Array = np.divide(result, weights, dtype=np.float32)
    return scaled
