"""Select what an output gets of the metadata of its source, by the policy and by what its container holds."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from msgspec import structs

from pixmill.imaging.metadata import directory, exif, iptc, xmp, xmp_credits, xmp_extended
from pixmill.imaging.metadata.blocks import EMPTY, Blocks
from pixmill.imaging.metadata.container import Container
from pixmill.imaging.metadata.directory import Entry
from pixmill.imaging.metadata.orientation import orientation_in
from pixmill.imaging.metadata.policy import Kind, Policy, travelling
from pixmill.imaging.metadata.setting import Setting
from pixmill.imaging.metadata.stating import stated, values_to_state
from pixmill.imaging.metadata.table import (
    EXIF_POINTER,
    GPS_POINTER,
    INTEROP_POINTER,
    MAKER_NOTE,
    comment_kind,
    exif_kind,
    keyword_kind,
)
from pixmill.imaging.metadata.values import values_in

COLOR_SPACE, WIDTH, HEIGHT, CHROMA_POSITION, COMPONENTS = 0xA001, 0xA002, 0xA003, 0x0213, 0x9101
SRGB, UNCALIBRATED, CENTRED, YCBCR = 1, 0xFFFF, 1, b"\1\2\3\0"
UPRIGHT = 1
#: by which EXIF states Adobe RGB, each with its directory
ADOBE_RGB_TAGS = {(EXIF_POINTER, COLOR_SPACE), (INTEROP_POINTER, 1)}
ORIENTED = (0, exif.ORIENTATION)
OVERHEAD_BYTES = 64  # of the header, and of four directories
RESOLUTION_TAGS = {exif.X_RESOLUTION, exif.Y_RESOLUTION, exif.RESOLUTION_UNIT}
CREDIT_DATASETS = {*xmp_credits.IPTC_TARGETS, "1:90", "1:0", "2:0"}


class OutputFacts(NamedTuple):
    """What metadata may state about an output: its size in pixels, whether it is in sRGB or gray, and how its pixels came about.

    ``orientation``: how the pixels must be turned to be upright. ``is_adobe_rgb``: only EXIF says that they are in Adobe RGB. Both
    are stated in EXIF by every policy.
    """

    width: int
    height: int
    is_srgb: bool
    is_gray: bool
    is_resampled: bool
    is_same_grid: bool
    orientation: int = UPRIGHT
    is_adobe_rgb: bool = False


class Selected(NamedTuple):
    """The blocks for an output; ``is_incomplete`` if the policy keeps something that the container or the output cannot have."""

    blocks: Blocks
    is_incomplete: bool


def select(
    source: Blocks,
    policy: Policy,
    facts: OutputFacts,
    container: Container,
    settings: Sequence[Setting] = (),
    if_missing: Sequence[Setting] = (),
) -> Selected:
    """Return what of ``source`` goes into an output in ``container``, with ``settings``, and those that the rest lacks."""
    is_stripped = policy == "strip" and facts.orientation == UPRIGHT and not facts.is_adobe_rgb
    is_empty = is_stripped or source == EMPTY
    if is_empty and not settings and not if_missing:
        return Selected(EMPTY, is_incomplete=False)
    allowed, is_damaged = (EMPTY, False) if is_empty else _allowed(source, policy, facts, container)
    is_lost = False
    if settings or if_missing:
        values = {**values_in(source), "width": str(facts.width), "height": str(facts.height)}
        allowed, is_lost = stated(allowed, values_to_state(settings, if_missing, allowed, values), container)
    fitted, is_cut = _for_container(allowed, container)
    return Selected(fitted, is_damaged or is_cut or is_lost)


def _allowed(source: Blocks, policy: Policy, facts: OutputFacts, container: Container) -> tuple[Blocks, bool]:
    """Return what ``policy`` keeps of ``source``, and whether something is damaged."""
    kinds = travelling(policy, is_resampled=facts.is_resampled, is_same_grid=facts.is_same_grid)
    packet, is_broken = _packet(source.xmp, kinds)
    allowed = Blocks(
        exif=_oriented(_exif(source.exif, kinds, facts, container), facts.orientation),
        xmp=packet,
        iptc=iptc.filtered(source.iptc, kinds),
        resources=source.resources if policy != "strip" else (),
        texts=tuple(text for text in source.texts if keyword_kind(text.keyword) in kinds),
        comments=tuple(text for text in source.comments if comment_kind(text) in kinds & {Kind.OTHER}),
        resolution=source.resolution if Kind.RESOLUTION in kinds else None,
    )
    is_damaged = is_broken or source.is_incomplete or bool(source.exif and not exif.read(source.exif))
    return allowed, is_damaged


def _packet(data: bytes, kinds: frozenset[Kind]) -> tuple[bytes, bool]:
    """Return the XMP that may stay, and whether it is broken, so that nothing of it may."""
    if not data:
        return b"", False
    try:
        return xmp.filtered(data, xmp.by_kind(kinds)), False
    except xmp.Broken:
        return b"", True


def _exif(block: bytes, kinds: frozenset[Kind], facts: OutputFacts, container: Container) -> bytes:
    is_ycbcr = container.is_ycbcr and not facts.is_gray
    stated = (ADOBE_RGB_TAGS if facts.is_adobe_rgb else set()) | ({ORIENTED} if facts.orientation != UPRIGHT else set())

    def keep(key: int, entry: Entry) -> bool:
        if entry.tag in container.omits:
            return False
        if (key, entry.tag) in stated:
            return True
        if entry.tag == CHROMA_POSITION or (entry.tag == COMPONENTS and entry.value == YCBCR):
            return is_ycbcr and Kind.OTHER in kinds
        kind = exif_kind(key) if key in (GPS_POINTER, INTEROP_POINTER) else exif_kind(entry.tag)
        is_blank = kind is Kind.CREDIT and not entry.value.strip(b"\0 ")
        return kind in kinds and not is_blank

    if not block or directory.is_big(block):
        return b""
    colour = SRGB if facts.is_srgb else UNCALIBRATED
    values = {
        exif.ORIENTATION: facts.orientation,
        COLOR_SPACE: colour,
        WIDTH: facts.width,
        HEIGHT: facts.height,
        CHROMA_POSITION: CENTRED,
    }
    return exif.filtered(exif.corrected(block, values), keep)


def _oriented(block: bytes, orientation: int) -> bytes:
    """Return ``block`` with the orientation, if the source states it elsewhere; upright needs none."""
    if orientation in (UPRIGHT, orientation_in(block)):
        return block
    order = directory.byte_order(block) or ">"
    return exif.with_entries(block, [directory.number(exif.ORIENTATION, orientation, order, directory.SHORT)])


def _for_container(blocks: Blocks, container: Container) -> tuple[Blocks, bool]:
    """Return ``blocks`` as ``container`` holds them, and whether something is lost."""
    lost = list(_lost(blocks, container))
    result = blocks
    if "xmp" in container.holds:
        moved = [part for part in ("exif", "iptc", "texts") if getattr(blocks, part) and part not in container.holds]
        with suppress(xmp.Broken):
            result = structs.replace(result, xmp=xmp_credits.stated(blocks, moved))
    result = structs.replace(result, exif=_with_resolution(result, container))
    if len(result.exif) > container.max_exif:
        result = structs.replace(result, exif=_shortened(result.exif, container.max_exif))
        lost.append("exif")
    if container.max_xmp < len(result.xmp) and xmp_extended.divided(result.xmp) is None:
        result = structs.replace(result, xmp=b"")
        lost.append("xmp")
    absent = {
        part: type(getattr(result, part))()
        for part in ("exif", "xmp", "iptc", "resources", "texts", "comments")
        if part not in container.holds
    }
    if "resolution" not in container.holds:
        absent["resolution"] = None
    return structs.replace(result, **absent), bool(lost)


def _lost(blocks: Blocks, container: Container) -> Iterator[str]:
    """Yield the parts of ``blocks`` that ``container`` does not hold, and that are more than credits, which become XMP."""
    has_xmp = "xmp" in container.holds
    if blocks.exif and "exif" not in container.holds:
        tags = {entry.tag for each in exif.read(blocks.exif).values() for entry in each.entries} - RESOLUTION_TAGS
        if tags and not (has_xmp and tags <= set(xmp_credits.EXIF_TARGETS)):
            yield "exif"
    if blocks.xmp and not has_xmp:
        yield "xmp"
    if blocks.iptc and "iptc" not in container.holds:
        numbers = {f"{each.record}:{each.number}" for each in iptc.datasets(blocks.iptc)}
        if not (has_xmp and numbers <= CREDIT_DATASETS):
            yield "iptc"
    if "texts" not in container.holds and not (
        has_xmp and all(text.keyword.lower() in xmp_credits.TEXT_TARGETS for text in blocks.texts)
    ):
        yield from ["texts"] if blocks.texts else []
    if blocks.comments and "comments" not in container.holds:
        yield "comments"


def _with_resolution(blocks: Blocks, container: Container) -> bytes:
    """Return the block of EXIF with the resolution if no other place has it, and without it if nothing else is in the block."""
    if blocks.resolution is None:
        return blocks.exif
    if "resolution" in container.holds:
        tags = {entry.tag for each in exif.read(blocks.exif).values() for entry in each.entries}
        return b"" if tags <= RESOLUTION_TAGS else blocks.exif
    if "exif" not in container.holds or exif.resolution(blocks.exif) is not None:
        return blocks.exif
    return exif.with_resolution(blocks.exif, blocks.resolution)


def _shortened(block: bytes, limit: int) -> bytes:
    """Return ``block`` without its longest values, so that it has at most ``limit`` bytes."""
    entries = [entry for each in exif.read(block).values() for entry in each.entries]
    left, longest = limit - OVERHEAD_BYTES - directory.ENTRY_BYTES * len(entries), 0
    for size in sorted(len(entry.value) for entry in entries):
        left -= size + size % 2
        longest = size if left >= 0 else longest
    shorter = exif.filtered(block, lambda _, entry: len(entry.value) <= longest)
    if len(shorter) <= limit:
        return shorter
    # A maker note keeps the block as long as it is.
    return exif.filtered(block, lambda _, entry: len(entry.value) <= longest and entry.tag != MAKER_NOTE)
