"""Decide whether the fast path of JPEG decodes a source, and at which size."""

from collections.abc import Sequence

from pixmill.imaging.backends.vector_resize import KERNELS
from pixmill.imaging.codecs.jpeg import Jpeg
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.header import Header
from pixmill.imaging.input import Input
from pixmill.imaging.scaling import Scaling

FULL_EIGHTHS = 8
#: Decode sizes, in eighths, whose inverse DCT uses vector instructions; 3/8 uses them too, but is slower than 4/8.
FAST_EIGHTHS = (1, 2, 4)
#: Decoded pixels per output pixel and side. Measured against a full decode of 174 images: 45 dB and more with 2, the limit that
#: libvips uses; 33 dB with 1.
MIN_OVERSAMPLE = 2.0
#: Large images may have fewer, because their finest detail is mostly noise. Decoded at half size, with 1.5, the worst of 16
#: photographs is at 46 dB from a full decode, but a sharp image of 320x240 is at 32 dB. Resized from a larger output instead of
#: from all decoded pixels, the worst photograph loses 0.24 dB in its file, but a smaller scan of text 0.8 dB (decision 72).
MIN_OVERSAMPLE_OF_LARGE, LARGE_IMAGE_PIXELS = 1.5, 6_000_000
#: The bytes per decoded pixel, by the number of bands of the source.
BYTES_PER_PIXEL = {1: 1, 3: 4}
MIN_SIDE_FOR_REDUCED = 8  # pixels on the longest side; below, several sizes in eighths are the same in pixels


def why_not(source: Input, header: Header, engine: str, targets: Sequence[tuple[Scaling | None, Size]], max_bytes: int) -> str:
    """Return why the fast path cannot make exactly ``targets``, the first size of each chain of steps; empty if it can."""
    if engine != "auto":
        return f"the engine is {engine}"
    if header.format != Jpeg.format or header.bands not in BYTES_PER_PIXEL:
        return f"the source is {header.format.label} with {header.bands} channels"
    if source.data is None:
        return "the source is streamed"
    if not any(leading for leading, _ in targets):
        return "the recipe does not begin with a resize"
    return _why_not_resized(header, targets, max_bytes)


def _why_not_resized(header: Header, targets: Sequence[tuple[Scaling | None, Size]], max_bytes: int) -> str:
    if kernels := {leading.kernel for leading, _ in targets if leading} - KERNELS.keys():
        return f"the kernel is {kernels.pop()}"
    sizes = [size for _, size in targets]
    if any(width > header.width or height > header.height for width, height in sizes):
        return "the image is enlarged"
    width, height = decoded_size(header, eighths(header, sizes))
    is_held = width * height * BYTES_PER_PIXEL[header.bands] <= max_bytes
    return "" if is_held else f"{width} x {height} decoded pixels are too many to keep in memory"


def eighths(header: Header, sizes: Sequence[Size]) -> int:
    """Return the decode size, in eighths: the smallest with enough oversampling for all ``sizes``."""
    if max(header.width, header.height) < MIN_SIDE_FOR_REDUCED:
        return FULL_EIGHTHS
    ratio = min(min(header.width / width, header.height / height) for width, height in sizes)
    return next(
        (eighths for eighths in FAST_EIGHTHS if ratio * eighths >= _min_oversample(header, eighths) * FULL_EIGHTHS), FULL_EIGHTHS
    )


def min_oversample(header: Header) -> float:
    """Return how many pixels an image needs per pixel and side of a smaller one that is resized from it."""
    return MIN_OVERSAMPLE_OF_LARGE if header.pixels >= LARGE_IMAGE_PIXELS else MIN_OVERSAMPLE


def _min_oversample(header: Header, eighths: int) -> float:
    """Return the decoded pixels per output pixel that are enough. The DCT reduces chroma of 4:2:2 by its coarser direction."""
    least = min_oversample(header) if eighths * 2 == FULL_EIGHTHS else MIN_OVERSAMPLE
    return least * header.chroma_stretch


def decoded_size(header: Header, eighths: int) -> Size:
    """Return the size of the decoded image; a partial pixel at an edge counts as a whole one."""
    return -(-header.width * eighths // FULL_EIGHTHS), -(-header.height * eighths // FULL_EIGHTHS)
