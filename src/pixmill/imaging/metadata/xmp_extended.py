"""Join XMP with its extension, and divide what does not fit into one segment of a JPEG.

Source: XMP specification, part 3, section 1.1.3.1.
"""

import hashlib
import re
from contextlib import suppress
from typing import NamedTuple

from pixmill.imaging.metadata import xmp
from pixmill.imaging.metadata.policy import Kind
from pixmill.imaging.metadata.table import NAMESPACES, xmp_kind

MAX_PACKET = 65_502  # bytes of the packet in the main segment
LONG_PROPERTY = 2_000  # bytes; a shorter one stays in the main packet if all of those fit
ROOM_FOR_REFERENCE = 300  # bytes
NOTE = NAMESPACES["xmpNote"]
WRAPPER = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="%s">%%s</rdf:RDF></x:xmpmeta>' % xmp.RDF.encode()
#: A packet of its own begins and ends with instructions by which programs find it.
PACKET = b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>%s<?xpacket end="w"?>' % WRAPPER
INSTRUCTION = re.compile(rb"<\?xpacket[^>]*>")
REFERENCE = b'<rdf:Description xmlns:rdf="%s" rdf:about="%%s" xmlns:xmpNote="%s" xmpNote:HasExtendedXMP="%%s"/>' % (
    xmp.RDF.encode(),
    NOTE.encode(),
)


class Divided(NamedTuple):
    """A packet for the main segment, and its extension with the identifier that the packet names."""

    main: bytes
    extension: bytes
    identifier: bytes


def identifier(extension: bytes) -> bytes:
    """Return the identifier of an extension: its MD5 in capital hexadecimal digits."""
    return hashlib.md5(extension, usedforsecurity=False).hexdigest().upper().encode()


def joined(main: bytes, extension: bytes) -> bytes:
    """Return ``main`` with the content of ``extension``. Raise ``xmp.Broken`` if one is, or if they cannot be joined."""
    outer, inner = xmp.parse(main), xmp.parse(extension)
    if outer.content == (0, 0) or inner.content == (0, 0):
        raise xmp.Broken
    declared, needed = _declarations(outer), _declarations(inner)
    if any(declared.get(prefix, value) != value for prefix, value in needed.items()):
        raise xmp.Broken
    missing = b"".join(b' xmlns:%s="%s"' % (prefix, value) for prefix, value in needed.items() if prefix not in declared)
    result = inserted(outer, inner.data[slice(*inner.content)])
    start = outer.content[0] - 1  # of the sign that ends the tag of rdf:RDF
    return xmp.parse(result[:start] + missing + result[start:]).data


def _declarations(packet: xmp.Packet) -> dict[bytes, bytes]:
    """Return the namespaces that the elements around the content declare, by prefix."""
    found = xmp.DECLARATION.finditer(packet.data[: packet.content[0]])
    return {each[1]: each[0].partition(b"=")[2].strip()[1:-1] for each in found}


def inserted(packet: xmp.Packet, descriptions: bytes) -> bytes:
    """Return ``packet`` with more descriptions behind its own."""
    data, (start, end) = packet.data, packet.content
    if data[start - 2 : start] == b"/>":  # <rdf:RDF/> has no place for them
        raise xmp.Broken
    return data[:end] + descriptions + data[end:]


def divided(data: bytes) -> Divided | None:
    """Return ``data`` as a packet that fits and an extension; ``None`` if it cannot be divided so."""
    with suppress(xmp.Broken):
        return next(filter(None, (_divided(data, is_main) for is_main in (_is_short, _is_credit))), None)
    return None


def _is_short(_namespace: str, _name: str, size: int) -> bool:
    return size < LONG_PROPERTY


def _is_credit(namespace: str, name: str, _size: int) -> bool:
    return xmp_kind(namespace, name) is Kind.CREDIT


def _divided(data: bytes, is_main: xmp.Keep) -> Divided | None:
    main = xmp.filtered(data, is_main) or PACKET % b""
    if len(main) > MAX_PACKET - ROOM_FOR_REFERENCE:
        return None
    rest = xmp.filtered(data, lambda namespace, name, size: not is_main(namespace, name, size))
    extension = INSTRUCTION.sub(b"", rest).strip()
    name = identifier(extension)
    return Divided(inserted(xmp.parse(main), REFERENCE % (about(main), name)), extension, name)


def about(data: bytes) -> bytes:
    """Return the subject of the first description of a packet, as it is written there."""
    start = data.find(b'rdf:about="')
    return data[start + 11 : data.index(b'"', start + 11)] if start >= 0 else b""
