"""``--never-bigger``: where the source itself is the better result."""

from collections.abc import Sequence

from pixmill.imaging.colour import PROFILE
from pixmill.imaging.encoding import Output
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.metadata import Kept, collect
from pixmill.imaging.operation import Operation
from pixmill.imaging.profile import is_srgb
from pixmill.imaging.scaling import Scaling
from pixmill.imaging.vips import field


def serves(header: Header, picture: Image, output: Output, *, steps: Sequence[Operation], kept: Kept, keeps_colour: bool) -> bool:
    """Tell whether the source (``picture`` as decoded) could stand for ``output``: its pixels unchanged, nothing more said.

    A source that says more about its picture than the output may (GPS) never does, however small it is.
    """
    same_shape = (header.format.name, header.width, header.height) == (output.format, output.width, output.height)
    untouched = header.orientation == 1 and header.frames == picture.frames and all(isinstance(step, Scaling) for step in steps)
    profile = field(picture.pixels, PROFILE)
    same_colour = profile is None or keeps_colour or is_srgb(profile)
    return same_shape and untouched and same_colour and set(collect(picture.pixels, "keep")) <= set(kept)
