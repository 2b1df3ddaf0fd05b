"""``DecodePlan``: how a source is decoded for a recipe. Computed once, from the header, before anything is decoded."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from pixmill.imaging.codec import Codec
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.header import SIDEWAYS, Header
from pixmill.imaging.input import Input
from pixmill.imaging.operation import Operation
from pixmill.imaging.pipeline import fast_path
from pixmill.imaging.pipeline.identify import wanted_frames
from pixmill.imaging.recipe import Recipe
from pixmill.imaging.scaling import Scaling

MAX_IN_MEMORY = 128_000_000  # bytes; a larger image is streamed through the encoder instead of kept in memory
BITS_PER_BYTE = 8
BYTES_PER_COEFFICIENT = 2  # per sample of a progressive JPEG, all kept until the last scan
STREAMING_BYTES = 64_000_000  # used by a streamed image of any size: buffers, and the small result
#: Rows that a resize of a streamed image holds at once: of a very flat image about all, of others fewer than half of them.
MAX_HELD_ROWS, FLAT_ROWS = 1800, 400
BYTES_PER_FLOAT = 4  # of each value of a row with alpha, which is premultiplied for the resize
HELD_TILE_ROWS = 2  # rows of tiles that are unpacked at once
COPIES = 2  # of an image that is not resized while it is decoded
ENLARGED_COPIES = 13  # of an enlarged image, in which every value is a number of 4 bytes for a while
SEARCH_COPIES = 2  # of an image that is encoded several times: in memory, and made smaller
SCALES_BYTES_PER_PIXEL = 7  # of an image whose appearance is compared: in 8 bits, and smaller scales as numbers of 4 bytes
TERMS_BYTES_PER_PIXEL, MAX_PIXELS_WITH_TERMS = 27, 4_000_000  # of the original, of at most so many pixels
MAX_SCORED_FRAMES = 5  # of an animation
SCORING_BYTES = 24_000_000  # for an image of any size: numpy, and the strip that is being compared
BASE_BYTES = 16_000_000  # for an image of any size: tables, and what malloc keeps

_log = logging.getLogger(__name__)


class Chain(NamedTuple):
    """Steps that start from the decoded image.

    ``leading`` is the first of ``steps`` if it is a scaling that may run before colour management. In linear light it may not,
    because colour management must come first. ``size`` is that of the image in its stored orientation, after ``leading``.
    """

    steps: Sequence[Operation]
    leading: Scaling | None
    size: Size

    def shrink(self, header: Header) -> float:
        """Return the largest factor by which the image may be shrunk during decoding."""
        if self.leading is None or self.leading.kernel == "nearest":
            return 1.0
        return max(1.0, min(header.width / self.size[0], header.height / self.size[1]))


class DecodePlan(msgspec.Struct, frozen=True, kw_only=True):
    """How a source with this ``header`` is decoded for ``recipe``.

    ``chains`` has the shared steps, or else those of each rendition. ``shrink``: the decoder may reduce the image by this factor.
    ``eighths``: the size at which the fast path decodes a JPEG; 0 if libvips decodes. ``memory``: an upper bound, in bytes, on
    the memory to process the source, without the source itself.
    """

    header: Header
    recipe: Recipe
    frames: int
    chains: tuple[Chain, ...]
    shrink: float
    eighths: int
    memory: int


def plan_decode(source: Input, header: Header, recipe: Recipe) -> DecodePlan:
    """Return how to decode ``source``."""
    frames = wanted_frames(header, recipe)
    rows = (recipe.shared_steps,) if recipe.shared_steps else tuple(map(recipe.steps_of, recipe.renditions))
    chains = tuple(_chain(steps, header) for steps in rows)
    reason = fast_path.why_not(source, header, recipe.engine, [(chain.leading, chain.size) for chain in chains], MAX_IN_MEMORY)
    if reason:
        _log.debug("libvips decodes, not the fast path: %s", reason)
    return DecodePlan(
        header=header,
        recipe=recipe,
        frames=frames,
        chains=chains,
        shrink=min(chain.shrink(header) for chain in chains),
        eighths=0 if reason else fast_path.eighths(header, [chain.size for chain in chains]),
        memory=_memory_estimate(header, recipe, frames, chains),
    )


def _chain(steps: Sequence[Operation], header: Header) -> Chain:
    leading = steps[0] if steps and isinstance(steps[0], Scaling) and not steps[0].linear else None
    width, height = header.upright if leading is None else leading.target(header.upright)
    return Chain(steps, leading, (height, width) if header.orientation in SIDEWAYS else (width, height))


def _memory_estimate(header: Header, recipe: Recipe, frames: int, chains: Sequence[Chain]) -> int:
    """Return an upper bound, in bytes, on the memory to process a source with this ``header``.

    Decoding comes before encoding, which keeps the image, and makes a file that is at most as large as the pixels.
    """
    bytes_per_pixel = frames * header.bands * max(BITS_PER_BYTE, header.depth) // BITS_PER_BYTE
    pixels = max(width * height for _, _, (width, height) in chains)
    result = pixels * bytes_per_pixel
    is_scored = any(rendition.target_quality is not None for rendition in recipe.renditions)
    is_searched = is_scored or any(rendition.max_size is not None for rendition in recipe.renditions)
    is_streamed = _decoder_streams(header, frames) and all(step.streams for chain in chains for step in chain.steps)
    is_streamed = is_streamed and not is_searched
    held = _held_bytes(header, frames, chains, is_streamed=is_streamed)
    codecs = [rendition.encode.for_source(header.format) for rendition in recipe.renditions]
    encoding = min(held, result) + max(_encoder_bytes(codec, result, is_streamed=is_streamed) for codec in codecs)
    encoding += SEARCH_COPIES * result if is_searched else 0
    encoding += _scoring_bytes(header, frames, pixels) if is_scored else 0
    enlarging = ENLARGED_COPIES * result if pixels > header.pixels else 0
    return BASE_BYTES + max(held, encoding, enlarging)


def _scoring_bytes(header: Header, frames: int, pixels: int) -> int:
    """Return the bytes to score files of ``pixels`` per frame: on two backgrounds with alpha, by some frames of an animation."""
    views = min(frames, MAX_SCORED_FRAMES) * (2 if header.has_alpha else 1)
    kept = views * (SCALES_BYTES_PER_PIXEL * pixels + TERMS_BYTES_PER_PIXEL * min(pixels, MAX_PIXELS_WITH_TERMS))
    return kept + (SCALES_BYTES_PER_PIXEL + header.bands * (frames + 1)) * pixels + SCORING_BYTES


def _decoder_streams(header: Header, frames: int) -> bool:
    return header.format.streams and not header.progressive and frames == 1


def _held_bytes(header: Header, frames: int, chains: Sequence[Chain], *, is_streamed: bool) -> int:
    """Return the bytes that are held after decoding, or while it lasts.

    An image of any size that is decoded row by row takes little memory if the recipe begins with a resize; otherwise the whole
    image is kept in memory.
    """
    samples = header.pixels * frames * header.bands
    image_bytes = samples * max(BITS_PER_BYTE, header.depth) // BITS_PER_BYTE
    if header.progressive:
        return image_bytes + samples * BYTES_PER_COEFFICIENT
    if not _decoder_streams(header, frames):
        return image_bytes * header.format.decoder_copies
    tiles = HELD_TILE_ROWS * header.tile_row_pixels * header.bands * max(BITS_PER_BYTE, header.depth) // BITS_PER_BYTE
    if all(chain.leading is not None for chain in chains):
        kept = min(image_bytes, MAX_IN_MEMORY) * (COPIES if header.has_alpha else 1)
        return max(kept, _rows_in_flight(header)) + tiles + STREAMING_BYTES
    return (min(image_bytes, MAX_IN_MEMORY) if is_streamed else image_bytes) * COPIES + tiles + STREAMING_BYTES


def _rows_in_flight(header: Header) -> int:
    """Return the bytes of the rows that a resize holds, which grow with the width of the image."""
    bytes_per_value = BYTES_PER_FLOAT if header.has_alpha else max(BITS_PER_BYTE, header.depth) // BITS_PER_BYTE
    return min(MAX_HELD_ROWS, header.height // 2 + FLAT_ROWS) * header.width * header.bands * bytes_per_value


def _encoder_bytes(codec: Codec, result: int, *, is_streamed: bool) -> int:
    """Return the bytes that ``codec`` needs for a ``result`` of so many, its file included."""
    kept = min(result, MAX_IN_MEMORY) if is_streamed and codec.format.streams else result
    return codec.encoder_copies * kept + codec.format.file_copies * (result - kept)
