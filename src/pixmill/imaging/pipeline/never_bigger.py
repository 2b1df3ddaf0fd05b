"""``--never-bigger``: decide whether the source can replace an output."""

from collections.abc import Sequence
from typing import NamedTuple

from pixmill.imaging.colour.icc_read import is_srgb
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.metadata.fields import PROFILE, field
from pixmill.imaging.operation import Operation
from pixmill.imaging.pipeline.encode import EncodedOutput
from pixmill.imaging.scaling import Scaling


class Keeps(NamedTuple):
    """Whether outputs keep the colour profile and all metadata of the source."""

    colour: bool
    metadata: bool


def is_equivalent_output(
    header: Header, decoded: Image, output: EncodedOutput, *, steps: Sequence[Operation], keeps: Keeps
) -> bool:
    """Return whether the source (``picture`` as decoded) can replace ``output``: same pixels and no additional metadata.

    A source with metadata that an output must not have (such as GPS) never qualifies, however small it is.
    """
    same_shape = (header.format.name, header.width, header.height) == (output.format, output.width, output.height)
    untouched = header.orientation == 1 and header.frames == decoded.frames and all(isinstance(step, Scaling) for step in steps)
    profile = field(decoded.pixels, PROFILE)
    same_colour = profile is None or keeps.colour or is_srgb(profile)
    return same_shape and untouched and same_colour and (keeps.metadata or header.metadata <= {"icc"})
