"""Read from the metadata of an image the values of variables: its date, its camera, its author, its copyright notice."""

from collections.abc import Callable, Mapping
from contextlib import suppress

from pixmill.imaging.input import Data
from pixmill.imaging.metadata import exif, iptc, xmp
from pixmill.imaging.metadata.blocks import Blocks
from pixmill.imaging.metadata.capture_time import capture_time
from pixmill.imaging.metadata.table import NAMESPACES

MAX_CHARACTERS = 1000  # of a value
MODEL, ARTIST, COPYRIGHT = 0x0110, 0x013B, 0x8298
#: Where each value is: in EXIF, in IPTC, and in XMP.
PLACES: Mapping[str, tuple[int, str, tuple[str, str]]] = {
    "camera": (MODEL, "", ("tiff", "Model")),
    "artist": (ARTIST, "2:80", ("dc", "creator")),
    "copyright": (COPYRIGHT, "2:116", ("dc", "rights")),
}


def values_in(blocks: Blocks, exif_block: Data = b"") -> dict[str, str]:
    """Return the values of ``blocks`` by the name of the variable, those that are known; EXIF counts before IPTC and XMP.

    A date is as in ``capture_time``; ``exif_block`` is what it is read from, if it is not that of ``blocks``.
    """
    readers: tuple[Callable[[], Mapping[str, str]], ...] = (
        lambda: _from_exif(blocks.exif),
        lambda: _from_iptc(blocks.iptc),
        lambda: _from_xmp(blocks.xmp),
    )
    values: dict[str, str] = {"date": capture_time(exif_block or blocks.exif)}
    for reader in readers:
        values = {**reader(), **{name: value for name, value in values.items() if value}}
    return {name: value[:MAX_CHARACTERS] for name, value in values.items() if value}


def _from_exif(block: bytes) -> dict[str, str]:
    tree = exif.read(block) if block else {}
    texts = {entry.tag: iptc.decoded(entry.value.partition(b"\0")[0]) for entry in tree[0].entries} if tree else {}
    return {name: texts.get(tag, "").strip() for name, (tag, _, _) in PLACES.items()}


def _from_iptc(block: bytes) -> dict[str, str]:
    texts: dict[str, list[str]] = {}
    for number, text in iptc.texts(block):
        texts.setdefault(number, []).append(text)
    return {name: "; ".join(texts.get(number, ())) for name, (_, number, _) in PLACES.items()}


def _from_xmp(data: bytes) -> dict[str, str]:
    if not data:
        return {}
    with suppress(xmp.Broken):
        packet = xmp.parse(data)
        return {name: xmp.text(packet, NAMESPACES[prefix], local) for name, (_, _, (prefix, local)) in PLACES.items()}
    return {}
