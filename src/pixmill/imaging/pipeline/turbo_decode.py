"""Decode JPEG: shrink in the DCT, then one convolution from the exact box, both with vector instructions.

The result matches that of libvips in less time; ``tests/golden/test_turbo.py`` compares the two. Anything that this path cannot
reproduce exactly is left to libvips, and so is every damaged file, because libvips reports the cause.

Measured on 18 photographs of 3 to 22 megapixels, milliseconds per decode: 30 at 1/8 of the size, 33 at 2/8, 37 at 3/8, 36 at
4/8, 46 at full size. Most of this is Huffman decoding, so additional pixels cost little and improve fidelity.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import simplejpeg
from PIL import Image as Pillow

from pixmill.imaging.backends.vector_resize import COLOUR, GRAY, KERNELS, Raster
from pixmill.imaging.backends.vips_load import load
from pixmill.imaging.codecs.jpeg import Jpeg
from pixmill.imaging.colour.icc_read import is_srgb
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata import fields as metadata
from pixmill.imaging.pipeline.shrink_on_load import MAX_IN_MEMORY, leading_resize, step_chains, stored_size
from pixmill.imaging.recipe import Recipe
from pixmill.imaging.scaling import Scaling

FULL_EIGHTHS = 8
#: Decode sizes, in eighths, whose inverse DCT uses vector instructions; 3/8 uses them too, but is slower than 4/8.
FAST_EIGHTHS = (1, 2, 4)
#: Decoded pixels per output pixel and side. Measured against a full decode of 174 images: 45 dB and more with 2, the limit that
#: libvips uses; 33 dB with 1.
MIN_OVERSAMPLE = 2.0
#: At half size, large images may have fewer, because their finest detail is mostly noise: with 1.5, the worst of 16 photographs
#: is at 46 dB from a full decode, but a sharp image of 320x240 is at 32 dB.
MIN_OVERSAMPLE_AT_HALF, LARGE_IMAGE_PIXELS = 1.5, 6_000_000
#: By number of bands: the decoder's name of the pixel format, the mode of ``Raster``, and the bytes per pixel.
LAYOUTS: Mapping[int, tuple[str, str, int]] = {1: ("GRAY", GRAY, 1), 3: ("RGBX", COLOUR, 4)}
MIN_SIDE_FOR_REDUCED = 8  # pixels on the longest side; below, several sizes in eighths are the same in pixels


#: A size and the kernel to resize with; the kernel is empty for the unscaled image.
ResizeTarget = tuple[Size, str]


class DecodePlan(NamedTuple):
    """The first size of each chain of steps, all made from one decode at ``eighths`` of the image's size."""

    targets: tuple[ResizeTarget, ...]
    eighths: int


class NotHandled(Exception):
    """The decoder reported a problem with the file: use libvips."""


def plan_decode(source: Input, header: Header, recipe: Recipe) -> DecodePlan | None:
    """Return how to decode ``source`` exactly as ``recipe`` requires; ``None`` if the header shows that this is not possible."""
    if recipe.engine != "auto" or header.format != Jpeg.format or source.data is None or header.bands not in LAYOUTS:
        return None
    resizes = tuple(map(leading_resize, step_chains(recipe)))
    targets = tuple(_resize_target(resize, header) for resize in resizes)
    if not any(resizes) or not all(
        resize is None or _is_supported(target, header) for resize, target in zip(resizes, targets, strict=True)
    ):
        return None
    eighths = _eighths(header, [size for size, _ in targets])
    _, _, bytes_per_pixel = LAYOUTS[header.bands]
    width, height = _decoded_size(header, eighths)
    return DecodePlan(targets, eighths) if width * height * bytes_per_pixel <= MAX_IN_MEMORY else None


def _resize_target(leading: Scaling | None, header: Header) -> ResizeTarget:
    """Return the first size of a chain of steps: the size of the image if the chain does not begin with a scaling."""
    return (stored_size(leading, header), leading.kernel) if leading else ((header.width, header.height), "")


def _is_supported(target: ResizeTarget, header: Header) -> bool:
    """Return whether ``target`` is no larger than the image, with a kernel that is the same as in libvips."""
    (width, height), kernel = target
    return kernel in KERNELS and width <= header.width and height <= header.height


def decode(source: Input, header: Header, recipe: Recipe, plan: DecodePlan) -> tuple[Image, ...]:
    """Return the image of ``source`` in its stored orientation, once per chain of steps, in the first size of that chain.

    Raise ``NotHandled`` if the decoder reports any problem.
    """
    decoded = _decode_reduced(source.read(), header, plan.eighths)
    fields = _kept_metadata(source, recipe) if header.metadata else {}
    scaled = _resize_pyramid(decoded, plan.targets)
    return tuple(_with_metadata(scaled[target].to_image(), fields) for target in plan.targets)


def _resize_pyramid(decoded: Raster, targets: Sequence[ResizeTarget]) -> Mapping[ResizeTarget, Raster]:
    """Return the image in each of the ``targets``, resized with the target's kernel.

    Each size is made from the smallest earlier result with enough oversampling, because a resize costs what it reads.
    """
    resized: dict[ResizeTarget, Raster] = {}
    for size, kernel in sorted(targets, reverse=True):
        width, height = (MIN_OVERSAMPLE * side for side in size)
        candidates = (raster for raster in resized.values() if raster.width >= width and raster.height >= height)
        source = min(candidates, key=lambda candidate: candidate.width * candidate.height, default=decoded)
        resized[size, kernel] = source.resized(size, kernel=kernel) if kernel else decoded
    return resized


def _kept_metadata(source: Input, recipe: Recipe) -> metadata.Metadata:
    """Return the metadata that ``recipe`` keeps, and the profile unless the pixels are in sRGB already."""
    image = load(source, "jpegload")
    profile = metadata.profile(image)
    is_srgb_already = recipe.color == "srgb" and any(is_srgb(data) for data in profile.values() if isinstance(data, bytes))
    return {**metadata.collect(image, recipe.metadata), **({} if is_srgb_already else profile)}


def _with_metadata(image: Image, fields: metadata.Metadata) -> Image:
    """Return ``image`` with ``fields`` as its metadata."""
    return image.evolve(pixels=metadata.attach(image.pixels, fields)) if fields else image


def _eighths(header: Header, sizes: Sequence[Size]) -> int:
    """Return the decode size, in eighths: the smallest with enough oversampling for all ``sizes``."""
    if max(header.width, header.height) < MIN_SIDE_FOR_REDUCED:
        return FULL_EIGHTHS
    ratio = min(min(header.width / width, header.height / height) for width, height in sizes)
    return next(
        (eighths for eighths in FAST_EIGHTHS if ratio * eighths >= _min_oversample(header, eighths) * FULL_EIGHTHS), FULL_EIGHTHS
    )


def _min_oversample(header: Header, eighths: int) -> float:
    return MIN_OVERSAMPLE_AT_HALF if eighths * 2 == FULL_EIGHTHS and header.pixels >= LARGE_IMAGE_PIXELS else MIN_OVERSAMPLE


def _decoded_size(header: Header, eighths: int) -> Size:
    """Return the size of the decoded image; a partial pixel at an edge counts as a whole one."""
    return -(-header.width * eighths // FULL_EIGHTHS), -(-header.height * eighths // FULL_EIGHTHS)


def _decode_reduced(data: bytes, header: Header, eighths: int) -> Raster:
    """Return the image decoded at ``eighths`` of its size, with its exact box."""
    space, mode, _ = LAYOUTS[header.bands]
    width, height = _decoded_size(header, eighths)
    # The decoder uses the smallest size that is not below these; without them it decodes at full size.
    size_options = {} if eighths == FULL_EIGHTHS else {"min_width": width, "min_height": height}
    try:
        pixels = simplejpeg.decode_jpeg(data, space, **size_options)
    except ValueError as error:
        raise NotHandled from error
    view = Pillow.frombuffer(mode, (width, height), pixels, "raw", mode, 0, 1)
    return Raster(view, header.width * eighths / FULL_EIGHTHS, header.height * eighths / FULL_EIGHTHS)
