"""Which kinds of metadata each policy copies to an output."""

from collections.abc import Mapping
from enum import Enum
from typing import Literal

Policy = Literal["strip", "copyright", "keep", "no-gps"]


class Kind(Enum):
    """What a field of metadata is about, as listed in ``table``. The value says it in words."""

    CREDIT = "who made the picture, and under which terms"
    PLACE = "where the picture was taken, or a block that may say so and cannot be searched"
    RESOLUTION = "how large the picture is to be printed"
    GEOMETRY = "where something is in the picture, in pixels or fractions of its size"
    GEOREFERENCE = "where each pixel is on the Earth"
    STORAGE = "how the source stores its pixels, its thumbnails, or what belongs to another file"
    OTHER = "everything else"


#: ``STORAGE`` is in none. ``GEOMETRY`` and ``GEOREFERENCE`` travel only if the output has exactly the pixels of the source.
KINDS: Mapping[Policy, frozenset[Kind]] = {
    "strip": frozenset(),
    "copyright": frozenset({Kind.CREDIT, Kind.RESOLUTION}),
    "no-gps": frozenset({Kind.CREDIT, Kind.RESOLUTION, Kind.GEOMETRY, Kind.OTHER}),
    "keep": frozenset({Kind.CREDIT, Kind.PLACE, Kind.RESOLUTION, Kind.GEOMETRY, Kind.GEOREFERENCE, Kind.OTHER}),
}


def travelling(policy: Policy, *, is_resampled: bool, is_same_grid: bool) -> frozenset[Kind]:
    """Return the kinds that ``policy`` copies to an output.

    ``is_resampled``: a step scaled the pixels, so that their number per inch is another; only ``keep`` copies it then.
    ``is_same_grid``: each pixel of the output has the position that it has in the source.
    """
    kinds = KINDS[policy]
    if is_resampled and policy != "keep":
        kinds -= {Kind.RESOLUTION}
    return kinds if is_same_grid else kinds - {Kind.GEOMETRY, Kind.GEOREFERENCE}
