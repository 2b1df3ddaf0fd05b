"""Give an output the gain map of its source, moved as the picture was."""

from collections.abc import Sequence

import pyvips

from pixmill.imaging.gain_maps.reading import gain_map
from pixmill.imaging.gain_maps.transform import transformed
from pixmill.imaging.gain_maps.writing import attached
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.header import Header
from pixmill.imaging.input import Input
from pixmill.imaging.operation import Operation

COPIES, MAX_BANDS = 2, 3


def with_gain_map(
    data: bytes, source: Input, header: Header, steps: Sequence[Operation], size: Size, *, is_converted: bool
) -> bytes | None:
    """Return the JPEG ``data`` of this ``size``, made by ``steps`` from ``source``, with the gain map of that.

    ``None`` if that is not possible, or if the colours were converted (``is_converted``) and the map has a gain for each of the
    former red, green and blue of the picture.
    """
    found = gain_map(source.mapped())
    if found is None:
        return None
    try:
        picture = transformed(found, header, steps, size)
        if picture is None or (is_converted and found.uses_base_colours and pyvips.Image.jpegload_buffer(picture).bands > 1):
            return None
    except pyvips.Error:  # the map is damaged; the picture is not
        return None
    return attached(data, found, picture)


def memory_estimate(header: Header) -> int:
    """Return an upper bound, in bytes, on the memory to move a map, which is scaled to the size of the picture for a crop."""
    return COPIES * header.pixels * MAX_BANDS
