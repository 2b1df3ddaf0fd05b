"""Find the gain map of a JPEG."""

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from pixmill.imaging.gain_maps import multi_picture
from pixmill.imaging.input import Data
from pixmill.imaging.metadata import xmp
from pixmill.imaging.metadata.containers.jpeg import APP1, APP2, ISO_GAIN_MAP, MULTI_PICTURE, PROFILE, XMP, segments

ADOBE = "http://ns.adobe.com/hdr-gain-map/1.0/"
FLAGS_OFFSET, BASE_COLOURS = len(ISO_GAIN_MAP) + 4, 0x40  # behind two versions of two bytes each
Parameter = tuple[int, bytes]  # a segment: its marker and its content


class GainMap(NamedTuple):
    """A gain map: its ``picture``, a JPEG, and the segments that say how it is to be applied.

    ``has_iso``: they do so by ISO 21496-1; ``has_xmp``: by the namespace ``hdrgm`` of Adobe, as Ultra HDR does.
    """

    picture: bytes
    parameters: tuple[Parameter, ...]
    has_iso: bool
    has_xmp: bool

    @property
    def uses_base_colours(self) -> bool:
        """Tell whether gains are those of red, green and blue as the picture has them, not as the brighter one has them."""
        stated = next((content for _, content in self.parameters if content.startswith(ISO_GAIN_MAP)), b"")
        flags = stated[FLAGS_OFFSET : FLAGS_OFFSET + 1]
        return self.has_xmp or not flags or bool(flags[0] & BASE_COLOURS)


def gain_map(data: Data) -> GainMap | None:
    """Return the gain map of the JPEG ``data``; ``None`` if it has none of a known kind, which Apple's is not."""
    for segment in segments(data):
        if segment.code == APP2 and bytes(data[segment.content : segment.end]).startswith(MULTI_PICTURE):
            found = (_examined(bytes(data[start:end])) for start, end in multi_picture.images(data, segment))
            return next((each for each in found if each), None)
    return None


def _examined(picture: bytes) -> GainMap | None:
    parameters = tuple(_parameters(picture))
    has_iso = any(content.startswith(ISO_GAIN_MAP) for _, content in parameters)
    has_xmp = any(content.startswith(XMP) for _, content in parameters)
    return GainMap(picture, parameters, has_iso, has_xmp) if has_iso or has_xmp else None


def _is_parameter(namespace: str, name: str, size: int) -> bool:
    del name, size
    return namespace == ADOBE


def _parameters(picture: bytes) -> Iterator[Parameter]:
    """Yield what says how the map is applied: nothing else in it is kept."""
    for segment in segments(picture) if picture.startswith(b"\xff\xd8") else ():
        content = picture[segment.content : segment.end]
        if segment.code == APP1 and content.startswith(XMP):
            with suppress(xmp.Broken):
                packet = xmp.filtered(content[len(XMP) :], _is_parameter)
                if packet:
                    yield APP1, XMP + packet
        elif segment.code == APP2 and content.startswith((ISO_GAIN_MAP, PROFILE)):
            yield APP2, content
