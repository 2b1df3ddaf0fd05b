"""The table of metadata that outputs carry, for ``explain metadata`` and the reference: from ``imaging.metadata.table``."""

from collections.abc import Iterator

from pixmill.imaging.metadata.policy import KINDS, Kind, Policy
from pixmill.imaging.metadata.table import ROWS, Row

SUMMARY = "Which metadata outputs carry, by the policy that ``--metadata`` names."
TEXT = """\
Values keep the bytes and the encoding that they have in the source, in EXIF, IPTC, XMP, PNG texts and comments. What an output
format has no place for is noted as ``metadata-dropped``; credits become XMP there.

Thumbnails never travel, with any policy. Orientation, colour space, width and height are corrected where the source states them,
and nothing is stated that it does not state. The resolution (dpi) is copied where the pixels are not resampled, after a resize
only with ``keep``. XMP that is damaged or declares entities is dropped, and noted.

``no-gps`` removes places and blocks that may name one and cannot be searched, maker notes, and nothing else. It does not search
titles, descriptions and comments."""
POLICIES: tuple[Policy, ...] = ("strip", "copyright", "no-gps", "keep")
CONDITIONS = {Kind.RESOLUTION: "if not resampled", Kind.GEOMETRY: "if no pixel moved", Kind.GEOREFERENCE: "if no pixel moved"}


def travels(kind: Kind, policy: Policy) -> str:
    """Return ``yes``, ``no``, or the condition on which fields of ``kind`` travel with ``policy``."""
    if kind not in KINDS[policy]:
        return "no"
    is_unconditional = kind is Kind.RESOLUTION and policy == "keep"
    return "yes" if is_unconditional else CONDITIONS.get(kind, "yes")


def fields_of(row: Row) -> str:
    """Return the names of the fields of ``row``."""
    prefix = f"{row.prefix}:" if row.prefix and row.prefix != "*" else ""
    names = ", ".join(prefix + name.replace(".*", "...") for name in row.fields.values())
    return f"{names} ({row.note})" if row.note else names


def facts() -> Iterator[tuple[str, str]]:
    """Yield for each kind, block by block, who carries it and its fields."""
    for kind in Kind:
        policies = [f"{policy} {answer}" if answer != "yes" else policy for policy, answer in _positive(kind)]
        yield kind.value, "travels with " + ", ".join(policies) if policies else "never travels"
        yield from ((f"  {row.block}", fields_of(row)) for row in ROWS if row.kind is kind)


def _positive(kind: Kind) -> Iterator[tuple[Policy, str]]:
    answers = ((policy, travels(kind, policy)) for policy in POLICIES)
    yield from ((policy, answer) for policy, answer in answers if answer != "no")


def markdown() -> str:
    """Return the table as Markdown."""
    head = [*("block", "fields", "about"), *POLICIES]
    rows = [[row.block, fields_of(row), row.kind.value, *(travels(row.kind, policy) for policy in POLICIES)] for row in ROWS]
    rows.append(["all", "everything else", Kind.OTHER.value, *(travels(Kind.OTHER, policy) for policy in POLICIES)])
    cells = ([cell.replace("|", "\\|") for cell in row] for row in rows)
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *cells])
