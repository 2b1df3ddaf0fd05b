"""Filter a packet of XMP by property, and cut what goes out of its bytes; the rest stays as it was written.

The packet is parsed as XML with namespaces. Document types and entities are refused, and depth and size are limited.

Source: XMP specification, part 1, sections 6 and 7.
"""

import html
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple
from xml.parsers import expat

from pixmill.imaging.metadata.policy import Kind
from pixmill.imaging.metadata.table import xmp_kind

RDF, XML, META = "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "http://www.w3.org/XML/1998/namespace", "adobe:ns:meta/"
MAX_DEPTH, MAX_BYTES = 60, 32_000_000
#: The namespaces of elements that are no properties.
STRUCTURE = (RDF, META)
TAG = re.compile(rb"""<[^>"']*(?:"[^"]*"[^>"']*|'[^']*'[^>"']*)*>""")
# No pattern begins with a repetition, which would be tried again at each place of a long run of spaces.
ATTRIBUTE = re.compile(rb"""(?<=\s)([^\s=>"']+)\s*=\s*(?:"[^"]*"|'[^']*')""")
DECLARATION = re.compile(rb"""(?<=\s)xmlns:([^\s=]+)\s*=\s*(?:"[^"]*"|'[^']*')""")
USED_PREFIX = re.compile(rb"(?:<|</|\s)([^\s=<>:/\"']+):")
PACKET_END = re.compile(rb"<\?xpacket\s+end")

#: Whether a property may stay, by its namespace, its name, and the size of its element.
Keep = Callable[[str, str, int], bool]


class Broken(ValueError):
    """The packet is not XML, or is not safe to read."""


class Property(NamedTuple):
    """A property: its namespace and name, where its bytes are, and the properties in it."""

    namespace: str
    name: str
    start: int
    end: int
    fields: "tuple[Property, ...]" = ()
    is_attribute: bool = False


class Packet(NamedTuple):
    """A parsed packet: its bytes, its properties, and where the content of ``rdf:RDF`` begins and ends."""

    data: bytes
    properties: tuple[Property, ...]
    content: tuple[int, int]


def parse(data: bytes) -> Packet:
    """Return the properties of a packet. Raise ``Broken``."""
    data = _utf8(data)
    if len(data) > MAX_BYTES:
        raise Broken
    reader = _Reader(data)
    reader.parse()
    return Packet(data, tuple(reader.properties), reader.content)


def filtered(data: bytes, keep: Keep) -> bytes:
    """Return the packet ``data`` with those properties that ``keep`` accepts, at every depth; empty if none is left.

    Raise ``Broken``.
    """
    packet = parse(data)
    cuts = list(_cuts(packet.properties, keep))
    if {(each.start, each.end) for each in packet.properties if each.namespace != META} <= set(cuts):
        return b""
    return _without_unused(_cut(packet.data, cuts)) if cuts else packet.data


def text(packet: Packet, namespace: str, name: str) -> str:
    """Return the text of a property of ``packet``, the members of a list joined; empty if it has none."""
    found = next((each for each in packet.properties if (each.namespace, each.name) == (namespace, name)), None)
    if found is None:
        return ""
    raw = packet.data[found.start : found.end]
    if found.is_attribute:
        return unescaped(raw.partition(b"=")[2].strip()[1:-1])
    return "; ".join(filter(None, (unescaped(part) for part in TAG.split(raw))))


def unescaped(value: bytes) -> str:
    """Return the text that ``value`` stands for in XML, without white space around it."""
    return html.unescape(value.decode("utf-8", "replace")).strip()


def by_kind(kinds: frozenset[Kind]) -> Keep:
    """Return the function that accepts properties of these ``kinds``; ``x:xmptk`` and the like only with ``OTHER``."""

    def keep(namespace: str, name: str, size: int) -> bool:
        del size
        return xmp_kind(namespace, name) in kinds

    return keep


def _utf8(data: bytes) -> bytes:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            try:
                data = data.decode(encoding).encode()
            except UnicodeError as error:
                raise Broken from error
    return data.removeprefix(b"\xef\xbb\xbf").strip(b"\0 \t\r\n")


def _cuts(properties: Sequence[Property], keep: Keep) -> Iterator[tuple[int, int]]:
    """Yield the ranges to remove: properties that may not stay, and those of whose fields none may."""
    for each in properties:
        inner = list(_cuts(each.fields, keep))
        is_emptied = bool(each.fields) and {(field.start, field.end) for field in each.fields} <= set(inner)
        if is_emptied or not keep(each.namespace, each.name, each.end - each.start):
            yield each.start, each.end
        else:
            yield from inner


def _cut(data: bytes, cuts: Sequence[tuple[int, int]]) -> bytes:
    """Return ``data`` without these ranges and the white space before them."""
    parts, offset = [], 0
    for start, end in sorted(cuts):
        parts.append(data[offset:start].rstrip())
        offset = end
    return b"".join([*parts, data[offset:]])


def _without_unused(data: bytes) -> bytes:
    """Return ``data`` without declarations of prefixes that nothing uses, and without padding."""
    if end := PACKET_END.search(data):
        data = data[: end.start()].rstrip() + b"\n" + data[end.start() :]
    used = set(USED_PREFIX.findall(data))
    return TAG.sub(lambda tag: DECLARATION.sub(lambda found: found[0] if found[1] in used else b"", tag[0]), data)


class _Reader:
    """Follows an XML parser through a packet, and notes where each property is."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.properties: list[Property] = []
        self.content = (0, 0)
        self._parser = parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        self._prefixes: dict[str, list[str]] = {}
        #: For each open element: namespace, name, start, end of its tag, and the list that its properties go into.
        self._open: list[tuple[str, str, int, int, list[Property]]] = []
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.StartNamespaceDeclHandler, parser.EndNamespaceDeclHandler = self._declare, self._undeclare
        parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = self._refuse

    def parse(self) -> None:
        try:
            self._parser.Parse(self.data, True)  # noqa: FBT003  # the library's own signature
        except (expat.ExpatError, ValueError, KeyError, IndexError) as error:
            raise Broken from error

    def _refuse(self, *_: object) -> None:
        raise Broken

    def _declare(self, prefix: str | None, uri: str) -> None:
        self._prefixes.setdefault(prefix or "", []).append(uri)

    def _undeclare(self, prefix: str | None) -> None:
        self._prefixes[prefix or ""].pop()

    def _start(self, qualified: str, _: object) -> None:
        namespace, _, name = qualified.rpartition(" ")
        start = self._parser.CurrentByteIndex
        tag = TAG.match(self.data, start)
        if tag is None or len(self._open) > MAX_DEPTH:
            raise Broken
        fields = self._open[-1][4] if self._open else self.properties
        if namespace not in STRUCTURE:
            fields = []
        if (namespace, name) == (RDF, "RDF"):
            self.content = (tag.end(), tag.end())
        self._open.append((namespace, name, start, tag.end(), fields))
        fields.extend(self._attributes(tag[0], start))

    def _attributes(self, tag: bytes, offset: int) -> Iterator[Property]:
        for found in ATTRIBUTE.finditer(tag):
            prefix, colon, name = found[1].decode().partition(":")
            uri = self._prefixes[prefix][-1] if colon and prefix not in ("xml", "xmlns") else ""
            if uri and uri != RDF:
                yield Property(uri, name, offset + found.start(), offset + found.end(), is_attribute=True)

    def _end(self, _: str) -> None:
        namespace, name, start, tag_end, fields = self._open.pop()
        index = self._parser.CurrentByteIndex
        is_empty = self.data[tag_end - 2 : tag_end] == b"/>"
        end = tag_end if is_empty else self.data.index(b">", index) + 1
        if (namespace, name) == (RDF, "RDF"):
            self.content = (tag_end, tag_end if is_empty else index)
        if namespace not in STRUCTURE:
            (self._open[-1][4] if self._open else self.properties).append(Property(namespace, name, start, end, tuple(fields)))
