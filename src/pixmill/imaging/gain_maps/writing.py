"""Put a gain map behind a JPEG, with everything that says it is there: an Ultra HDR file.

Sources: ISO 21496-1, annex C; Android, Ultra HDR Image Format 1.1; Google, GContainer.
"""

from collections.abc import Iterator

from pixmill.imaging.gain_maps import multi_picture
from pixmill.imaging.gain_maps.reading import ADOBE, GainMap, Parameter
from pixmill.imaging.metadata import exif, xmp, xmp_extended
from pixmill.imaging.metadata.containers.jpeg import APP0, APP1, APP2, ISO_GAIN_MAP, XMP, segments

VERSION = bytes(4)  # the least version of ISO 21496-1 that a reader must know, and that of the writer
EMPTY_PACKET = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF></x:xmpmeta>'
)
CONTAINER = (
    '<rdf:Description xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" rdf:about="" '
    'xmlns:Container="http://ns.google.com/photos/1.0/container/" xmlns:Item="http://ns.google.com/photos/1.0/container/item/" '
    f'xmlns:hdrgm="{ADOBE}" hdrgm:Version="1.0"><Container:Directory><rdf:Seq>'
    '<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="Primary" Item:Mime="image/jpeg"/></rdf:li>'
    '<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="GainMap" Item:Mime="image/jpeg" Item:Length="{size}"/>'
    "</rdf:li>"
    "</rdf:Seq></Container:Directory></rdf:Description>"
)


def attached(data: bytes, gain_map: GainMap, picture: bytes) -> bytes | None:
    """Return the JPEG ``data`` with ``picture`` as its gain map, which is applied as the ``gain_map`` it was made from.

    ``None`` if its XMP has no room for the statement.
    """
    second = picture[:2] + b"".join(_segment(*parameter) for parameter in gain_map.parameters) + picture[2:]
    found = list(segments(data))
    place = next((each.end for each in found if each.code == APP0), 2)
    old = next((each for each in found if each.code == APP1 and data[each.content : each.end].startswith(XMP)), None)
    block = next((each for each in found if each.code == APP1 and data[each.content : each.end].startswith(exif.PREFIX)), None)
    place = max(place, block.end if block else 0)
    rest = data[place:] if old is None else data[place : old.start] + data[old.end :]
    stated = _statements(data[old.content + len(XMP) : old.end] if old else EMPTY_PACKET, gain_map, len(second))
    if stated is None:
        return None
    head = data[:place] + b"".join(_segment(*each) for each in stated)
    size = len(head) + multi_picture.SEGMENT_HEAD + multi_picture.INDEX_BYTES + len(rest)
    index = _segment(APP2, multi_picture.index(len(head), (size, len(second))))
    return b"".join([head, index, rest, second])


def _statements(packet: bytes, gain_map: GainMap, size: int) -> list[Parameter] | None:
    """Return the segments that say that a map of ``size`` bytes follows, one with the properties of ``packet``, too."""
    stated: list[Parameter] = []
    if gain_map.has_xmp:
        try:
            parsed = xmp.parse(packet)
        except xmp.Broken:
            return None
        packet, (_, end) = parsed.data, parsed.content
        packet = packet[:end] + CONTAINER.format(size=size).encode() + packet[end:]
    if len(packet) > xmp_extended.MAX_PACKET:
        return None
    if packet != EMPTY_PACKET:
        stated.append((APP1, XMP + packet))
    return [*stated, *_iso(gain_map)]


def _iso(gain_map: GainMap) -> Iterator[Parameter]:
    if gain_map.has_iso:
        yield APP2, ISO_GAIN_MAP + VERSION


def _segment(code: int, content: bytes) -> bytes:
    return bytes((0xFF, code)) + (len(content) + 2).to_bytes(2) + content
