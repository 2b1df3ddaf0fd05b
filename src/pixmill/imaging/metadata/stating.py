"""Write settings into EXIF, IPTC, XMP and the texts of PNG alike, as far as the container holds them."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from msgspec import structs

from pixmill.imaging.metadata import directory, exif, iptc, xmp, xmp_credits
from pixmill.imaging.metadata.blocks import Blocks, Text, resolution
from pixmill.imaging.metadata.container import Container
from pixmill.imaging.metadata.directory import Entry
from pixmill.imaging.metadata.setting import DPI, PLACES, Place, Setting

RESOLUTION_TAGS = frozenset((exif.X_RESOLUTION, exif.Y_RESOLUTION, exif.RESOLUTION_UNIT))


def values_to_state(
    always: Sequence[Setting], if_missing: Sequence[Setting], blocks: Blocks, values: Mapping[str, str]
) -> dict[str, str]:
    """Return by name what an output with these ``blocks`` is to state besides; ``values`` are those of variables."""
    wanted = {each.name: each.value(values) for each in if_missing if not _is_stated(each.name, blocks)}
    wanted |= {each.name: each.value(values) for each in always}
    return {name: text for name, text in wanted.items() if text}


def stated(blocks: Blocks, wanted: Mapping[str, str], container: Container) -> tuple[Blocks, bool]:
    """Return ``blocks`` with what is ``wanted``, and whether ``container`` has no place for some of it."""
    texts = {name: text for name, text in wanted.items() if name != DPI}
    places = [PLACES[name] for name in wanted]
    result = structs.replace(
        blocks,
        exif=_exif(blocks.exif, wanted, container),
        iptc=_iptc(blocks.iptc, texts) if "iptc" in container.holds else blocks.iptc,
        xmp=_xmp(blocks.xmp, places, texts, container),
        texts=_texts(blocks.texts, texts, container),
    )
    if DPI in wanted:
        result = structs.replace(result, resolution=resolution(int(wanted[DPI]), int(wanted[DPI]), "inch"))
    return result, any(not _has_place(name, container) for name in wanted)


def _has_place(name: str, container: Container) -> bool:
    place = PLACES[name]
    parts = {"resolution": name == DPI, "exif": place.exif or name == DPI, "iptc": place.iptc, "xmp": place.xmp}
    return any(is_used and part in container.holds for part, is_used in parts.items())


def _is_stated(name: str, blocks: Blocks) -> bool:
    """Return whether any of ``blocks`` says already what the setting ``name`` says."""
    place = PLACES[name]
    if name == DPI:
        return blocks.resolution is not None
    entries = [entry for each in exif.read(blocks.exif).values() for entry in each.entries] if blocks.exif else []
    if any(entry.tag in place.tags and entry.value.strip(b"\0 ") for entry in entries):
        return True
    if any(number == place.iptc and text for number, text in iptc.texts(blocks.iptc)):
        return True
    if any(text.keyword.lower() == place.keyword.lower() and text.value.strip() for text in blocks.texts if place.keyword):
        return True
    with suppress(xmp.Broken):
        packet = xmp.parse(blocks.xmp) if blocks.xmp else None
        return packet is not None and any(xmp.text(packet, *each) for each in place.properties)
    return False


def _exif(block: bytes, wanted: Mapping[str, str], container: Container) -> bytes:
    gone = frozenset(tag for name in wanted for tag in PLACES[name].tags) | (RESOLUTION_TAGS if DPI in wanted else frozenset())
    kept = exif.filtered(block, lambda _, entry: entry.tag not in gone) if block else b""
    new = [(PLACES[name].exif, text) for name, text in wanted.items() if PLACES[name].exif] if "exif" in container.holds else []
    entries = [Entry(tag, directory.ASCII, len(value), value) for tag, text in new if (value := text.encode() + b"\0")]
    return exif.with_entries(kept, entries) if entries else kept


def _iptc(block: bytes, texts: Mapping[str, str]) -> bytes:
    new = {PLACES[name].iptc: _shortened(text, PLACES[name].iptc_bytes) for name, text in texts.items() if PLACES[name].iptc}
    return iptc.with_texts(block, new) if new else block


def _shortened(text: str, limit: int) -> bytes:
    """Return ``text`` in UTF-8 with at most ``limit`` bytes, the most that the dataset may have."""
    return text.encode()[:limit].decode("utf-8", "ignore").encode()


def _xmp(data: bytes, places: Sequence[Place], texts: Mapping[str, str], container: Container) -> bytes:
    gone = frozenset(each for place in places for each in place.properties)
    kept = xmp.filtered(data, lambda namespace, name, _: (namespace, name) not in gone) if data else b""
    new = {target: [text] for name, text in texts.items() if (target := PLACES[name].xmp)}
    if not new or "xmp" not in container.holds:
        return kept
    with suppress(xmp.Broken):
        return xmp_credits.with_properties(kept, new)
    return xmp_credits.with_properties(b"", new)  # a packet without a place for properties has none


def _texts(present: tuple[Text, ...], texts: Mapping[str, str], container: Container) -> tuple[Text, ...]:
    new = {PLACES[name].keyword: text for name, text in texts.items() if PLACES[name].keyword}
    gone = {keyword.lower() for keyword in new}
    kept = tuple(text for text in present if text.keyword.lower() not in gone)
    if "texts" not in container.holds:
        return kept
    return (*kept, *(Text(keyword, text.encode(), "utf-8") for keyword, text in new.items()))
