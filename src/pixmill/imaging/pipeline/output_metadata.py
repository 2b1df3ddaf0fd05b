"""Give each output the metadata that the policy keeps, written into the encoded file."""

from collections.abc import Sequence
from typing import NamedTuple

from pixmill.imaging.codec import Codec
from pixmill.imaging.colour.icc_read import is_srgb
from pixmill.imaging.formats import codec_for
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata.blocks import Blocks
from pixmill.imaging.metadata.fields import PROFILE, field
from pixmill.imaging.metadata.selection import OutputFacts, select
from pixmill.imaging.operation import Operation
from pixmill.imaging.recipe import Recipe
from pixmill.imaging.scaling import Scaling

GRAY_BANDS = 2  # gray and its alpha
METADATA_DROPPED, GAIN_MAP_DROPPED = "metadata-dropped", "gain-map-dropped"


class Written(NamedTuple):
    """A file with its metadata, and notes as in ``Result``."""

    data: bytes
    notes: tuple[str, ...] = ()


def read(source: Input, header: Header) -> Blocks:
    """Return the metadata of ``source``."""
    return codec_for(header.format).metadata(source)


def notes_on(blocks: Blocks) -> tuple[str, ...]:
    """Return the note on a second image of the source, which no output has."""
    return (GAIN_MAP_DROPPED,) if blocks.has_gain_map else ()


def facts_about(image: Image, header: Header, steps: Sequence[Operation]) -> OutputFacts:
    """Return what metadata may state about an output of ``image``, made from a source with this ``header`` by ``steps``."""
    profile = None if image.has_raster else field(image.pixels, PROFILE)
    size = (image.width, image.height)
    is_resampled = _is_resampled(header, steps)
    is_untouched = header.orientation == 1 and not is_resampled and all(isinstance(step, Scaling) for step in steps)
    return OutputFacts(
        width=image.width,
        height=image.height,
        is_srgb=profile is None or is_srgb(profile),
        is_gray=image.raster.mode == "L" if image.raster else image.pixels.bands <= GRAY_BANDS,
        is_resampled=is_resampled,
        is_same_grid=is_untouched and size == (header.width, header.height),
    )


def _is_resampled(header: Header, steps: Sequence[Operation]) -> bool:
    """Return whether ``steps`` scale the image, or may do so: what a user's function does is not known."""
    size: Size | None = header.upright
    for step in steps:
        if step.runs_foreign_code or (step.rescales and not isinstance(step, Scaling)):
            return True
        if isinstance(step, Scaling) and (size is None or step.target(size) != size):
            return True
        size = None if size is None else step.size_after(size)
    return False


def write(data: bytes, codec: Codec | type[Codec], blocks: Blocks, facts: OutputFacts, recipe: Recipe) -> Written:
    """Return the encoded file ``data`` with what it may have of ``blocks``."""
    if codec.container is None:
        return Written(data, (METADATA_DROPPED,) if recipe.set else ())
    selected = select(blocks, recipe.metadata, facts, codec.container, recipe.set, recipe.set_if_missing)
    return Written(codec.container.write(data, selected.blocks), (METADATA_DROPPED,) if selected.is_incomplete else ())


def rewritten(source: Input, header: Header, blocks: Blocks, facts: OutputFacts, recipe: Recipe) -> Written | None:
    """Return the file of ``source`` with what an output may have of ``blocks``, and nothing else but its pixels.

    ``None`` if it is not known what else the file holds.
    """
    codec = codec_for(header.format)
    bare = codec.container.bare(source.read()) if codec.container is not None else None
    if bare is None:
        return None
    written = write(bare, codec, blocks, facts, recipe)
    return Written(written.data, (*written.notes, "copied"))
