"""Estimate from the header how much memory an image will take, for admission control."""

from pixmill.imaging.header import Header
from pixmill.imaging.pipeline.identify import wanted_frames
from pixmill.imaging.pipeline.shrink_on_load import MAX_IN_MEMORY, leading_resize, step_chains
from pixmill.imaging.recipe import Recipe

BITS_PER_BYTE = 8
BYTES_PER_COEFFICIENT = 2  # per sample of a progressive JPEG, all kept until the last scan
STREAMING_BYTES = 64_000_000  # used by a streamed image of any height: rows in flight, and the small result
DECODER_COPIES = 2  # a decoder that does not stream keeps its own pixels in addition to ours


def memory_estimate(header: Header, recipe: Recipe) -> int:
    """Return an upper bound, in bytes, on the memory to process a source with this ``header``, without the source itself.

    An image of any size that is decoded row by row takes little memory if the recipe begins with a resize; otherwise the whole
    image is kept in memory.
    """
    frames = wanted_frames(header, recipe)
    samples = header.pixels * frames * header.bands
    image_bytes = samples * max(BITS_PER_BYTE, header.depth) // BITS_PER_BYTE
    if header.progressive:
        return image_bytes + samples * BYTES_PER_COEFFICIENT
    if not header.format.streams or frames > 1:
        return image_bytes * DECODER_COPIES
    chains = step_chains(recipe)
    if all(leading_resize(steps) is not None for steps in chains):
        return min(image_bytes, MAX_IN_MEMORY) + STREAMING_BYTES
    bytes_in_memory = (
        image_bytes if any(not step.streams for steps in chains for step in steps) else min(image_bytes, MAX_IN_MEMORY)
    )
    return bytes_in_memory * DECODER_COPIES + STREAMING_BYTES
