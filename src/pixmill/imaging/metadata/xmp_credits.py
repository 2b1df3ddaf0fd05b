"""State credits as XMP, for outputs whose container has no place for the block that they come from.

The pairs are those of the IPTC Photo Metadata Standard and of the guidelines of the Metadata Working Group.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from pixmill.imaging.metadata import directory, exif, iptc, xmp, xmp_extended
from pixmill.imaging.metadata.blocks import Blocks
from pixmill.imaging.metadata.table import NAMESPACES

Form = Literal["list", "languages", "text"]
FORMS: Mapping[Form, str] = {
    "list": "<rdf:Seq>{}</rdf:Seq>",
    "languages": '<rdf:Alt><rdf:li xml:lang="x-default">{}</rdf:li></rdf:Alt>',
    "text": "{}",
}


class Target(NamedTuple):
    """A property of XMP, and the form of its value."""

    prefix: str
    name: str
    form: Form


CREATOR, RIGHTS = Target("dc", "creator", "list"), Target("dc", "rights", "languages")
EXIF_TARGETS = {0x013B: CREATOR, 0x8298: RIGHTS}
IPTC_TARGETS = {
    "2:80": CREATOR, "2:116": RIGHTS, "2:110": Target("photoshop", "Credit", "text"),
    "2:115": Target("photoshop", "Source", "text"), "2:85": Target("photoshop", "AuthorsPosition", "text"),
}  # fmt: skip
TEXT_TARGETS = {"author": CREATOR, "copyright": RIGHTS, "disclaimer": Target("xmpRights", "UsageTerms", "languages")}


def stated(blocks: Blocks, sources: Iterable[str]) -> bytes:
    """Return the XMP of ``blocks`` with the credits of the blocks named in ``sources`` that it lacks.

    ``sources``: ``exif``, ``iptc``, ``texts``. Raise ``xmp.Broken``.
    """
    packet = xmp.parse(blocks.xmp) if blocks.xmp else None
    present = {(each.namespace, each.name) for each in packet.properties} if packet else set()
    values: dict[Target, list[str]] = {}
    for source in sources:
        found: dict[Target, list[str]] = {}
        for target, text in READERS[source](blocks):
            found.setdefault(target, []).append(text)
        values = {**found, **values}
    missing = {target: texts for target, texts in values.items() if (NAMESPACES[target.prefix], target.name) not in present}
    return with_properties(blocks.xmp, missing) if missing else blocks.xmp


def with_properties(data: bytes, values: Mapping[Target, list[str]]) -> bytes:
    """Return the packet ``data``, or a new one, with more properties. Raise ``xmp.Broken``."""
    packet = xmp.parse(data) if data else None
    subject = xmp_extended.about(packet.data) if packet else b""
    description = _description(values, subject)
    return xmp_extended.inserted(packet, description) if packet else xmp_extended.PACKET % description


def _description(values: Mapping[Target, list[str]], subject: bytes) -> bytes:
    prefixes = sorted({target.prefix for target in values})
    declarations = "".join(f' xmlns:{prefix}="{NAMESPACES[prefix]}"' for prefix in prefixes)
    elements = "".join(
        f"<{each.prefix}:{each.name}>{_value(each.form, texts)}</{each.prefix}:{each.name}>" for each, texts in values.items()
    )
    return b'<rdf:Description xmlns:rdf="%s" rdf:about="%s"%s>%s</rdf:Description>' % (
        xmp.RDF.encode(), subject, declarations.encode(), elements.encode(),
    )  # fmt: skip


def _value(form: Form, texts: list[str]) -> str:
    escaped = [_escaped("".join(sign for sign in text if sign >= " " or sign in "\t\n\r")) for text in texts]
    inner = "".join(f"<rdf:li>{text}</rdf:li>" for text in escaped) if form == "list" else escaped[0]
    return FORMS[form].format(inner)


def _from_exif(blocks: Blocks) -> Iterator[tuple[Target, str]]:
    tree = exif.read(blocks.exif)
    for entry in tree[0].entries if tree else ():
        text = iptc.decoded(entry.value.replace(b"\0", b" ")) if entry.kind in (directory.ASCII, 129) else ""
        if entry.tag in EXIF_TARGETS and text:
            yield EXIF_TARGETS[entry.tag], text


def _from_iptc(blocks: Blocks) -> Iterator[tuple[Target, str]]:
    yield from ((IPTC_TARGETS[key], text) for key, text in iptc.texts(blocks.iptc) if key in IPTC_TARGETS and text)


def _from_texts(blocks: Blocks) -> Iterator[tuple[Target, str]]:
    for text in blocks.texts:
        target, value = TEXT_TARGETS.get(text.keyword.lower()), iptc.decoded(text.value, text.encoding)
        if target and value:
            yield target, value


READERS = {"exif": _from_exif, "iptc": _from_iptc, "texts": _from_texts}


def _escaped(text: str) -> str:
    """Return ``text`` as XML has it; ``xml.sax.saxutils`` would import a client for HTTP."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
