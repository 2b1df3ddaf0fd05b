"""How much memory a picture will take, told from its header: for the one who decides what may run beside what."""

from pixmill.imaging.header import Header
from pixmill.imaging.pipeline.identify import wanted_frames
from pixmill.imaging.pipeline.shrink_on_load import MAX_IN_MEMORY, leading_resize, step_chains
from pixmill.imaging.recipe import Recipe

BYTE = 8
COEFFICIENT = 2  # bytes for each sample of a progressive JPEG, all of which are kept until its last pass
ROWS = 64_000_000  # bytes: what a streamed picture takes, whatever its height: rows on their way, and the small result
COPIES = 2  # what a decoder that does not stream holds: its own pixels, and ours


def memory_estimate(header: Header, recipe: Recipe) -> int:
    """Return the bytes of memory that making ``recipe`` of a source with this ``header`` takes at most, beside the source's own.

    A picture that is decoded row by row costs little, whatever its size, if the recipe begins by making it smaller and every
    step before that streams; anything else is held as a whole.
    """
    frames = wanted_frames(header, recipe)
    samples = header.pixels * frames * header.bands
    whole = samples * max(BYTE, header.depth) // BYTE
    if header.progressive:
        return whole + samples * COEFFICIENT
    if not header.format.streams or frames > 1:
        return whole * COPIES
    ways = step_chains(recipe)
    if all(leading_resize(steps) is not None for steps in ways):
        return min(whole, MAX_IN_MEMORY) + ROWS
    held = whole if any(not step.streams for steps in ways for step in steps) else min(whole, MAX_IN_MEMORY)
    return held * COPIES + ROWS
