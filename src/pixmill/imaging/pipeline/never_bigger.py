"""``--never-bigger``: decide whether the pixels of the source can replace those of an output."""

from collections.abc import Sequence

from pixmill.imaging.colour.icc_read import is_srgb
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.metadata.fields import PROFILE, field
from pixmill.imaging.operation import Operation
from pixmill.imaging.pipeline.encode import EncodedOutput
from pixmill.imaging.scaling import Scaling


def has_same_pixels(
    header: Header, decoded: Image, output: EncodedOutput, *, steps: Sequence[Operation], keeps_colour: bool
) -> bool:
    """Return whether the source, as ``decoded``, has the pixels of ``output``, which ``steps`` made, in the same format."""
    same_shape = (header.format.name, header.width, header.height) == (output.format, output.width, output.height)
    untouched = header.orientation == 1 and header.frames == decoded.frames and all(isinstance(step, Scaling) for step in steps)
    profile = field(decoded.pixels, PROFILE)
    # Colours that EXIF states, in place of a profile, would not be stated any more by a copy.
    is_stated = keeps_colour and "icc" in header.metadata
    return same_shape and untouched and (profile is None or is_stated or is_srgb(profile))
