"""``--never-bigger``: where the source itself is the better result."""

from collections.abc import Sequence
from typing import NamedTuple

from pixmill.imaging.colour.icc_read import is_srgb
from pixmill.imaging.colour.management import PROFILE
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.metadata.fields import field
from pixmill.imaging.operation import Operation
from pixmill.imaging.pipeline.encode import Output
from pixmill.imaging.scaling import Scaling


class Keeps(NamedTuple):
    """What an output keeps of its source: the profile, all metadata."""

    colour: bool
    metadata: bool


def is_equivalent_output(header: Header, picture: Image, output: Output, *, steps: Sequence[Operation], keeps: Keeps) -> bool:
    """Tell whether the source (``picture`` as decoded) could stand for ``output``: its pixels unchanged, nothing more said.

    A source that says anything about its picture where an output may not (GPS) never does, however small it is.
    """
    same_shape = (header.format.name, header.width, header.height) == (output.format, output.width, output.height)
    untouched = header.orientation == 1 and header.frames == picture.frames and all(isinstance(step, Scaling) for step in steps)
    profile = field(picture.pixels, PROFILE)
    same_colour = profile is None or keeps.colour or is_srgb(profile)
    return same_shape and untouched and same_colour and (keeps.metadata or header.metadata <= {"icc"})
