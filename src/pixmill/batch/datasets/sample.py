"""``Sample``: one image in a dataset, with all of its renditions."""

import os
import re
from collections.abc import Iterator
from typing import Self

import msgspec

from pixmill.batch.item import OutputRecord, SourceRecord, unpack
from pixmill.core.name_text import name_text
from pixmill.engine.ledger import LedgerView, Record
from pixmill.engine.task import State

_KEY = re.compile(rb"((?:.*/|)[^.]+)[.]([^/]*)", re.DOTALL)


class Original(msgspec.Struct, frozen=True, array_like=True):
    """The source of a sample: its upright sides in pixels, and the SHA-256 of its bytes in hex."""

    width: int
    height: int
    sha256: str

    @classmethod
    def of(cls, source: SourceRecord) -> Self | None:
        """Return what is known about ``source``; ``None`` in rows of earlier versions."""
        return cls(source.width, source.height, source.sha256) if source.width and source.sha256 else None


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """The outputs of the image ``source``, a key of the ledger. ``members`` are these outputs, named ``KEY.EXTENSION``.

    ``columns`` is a JSON object with the other columns of the manifest row that named the source, such as a label. ``caption`` is
    ``None`` if the dataset has no captions, and empty if only this sample has none. ``original`` is ``None`` if an earlier version
    made the sample.
    """

    key: bytes
    source: bytes
    members: tuple[OutputRecord, ...]
    columns: bytes = b""
    caption: str | None = None
    original: Original | None = None

    @property
    def size(self) -> int:
        """Return the total size of all members in bytes."""
        return sum(member.size for member in self.members)


def split_name(name: bytes) -> tuple[bytes, bytes]:
    """Return key and extension of a member: its last component is split at the first dot, as WebDataset does.

    ``ValueError`` if ``name`` is not the name of a member.
    """
    match = _KEY.fullmatch(name)
    if match is None:
        raise ValueError(f"{name!r} names no member of a sample")
    return match[1], match[2]


def with_samples(ledger: LedgerView) -> Iterator[Record]:
    """Yield the records in ``ledger`` of finished images, in order, without those that were rejected."""
    return (record for record in ledger.records(State.DONE) if unpack(record.result).outputs)


def sample_of(record: Record, caption: str | None = None) -> Sample:
    """Return the sample of ``record``, which must be done and have outputs. ``caption`` is the column with the captions, if any."""
    product = unpack(record.result)
    columns = product.all_columns
    text = None if caption is None else caption_in(columns, caption)
    key = split_name(product.outputs[0].name)[0]
    return Sample(key, record.key, product.outputs, columns, text, Original.of(product.source))


def caption_in(columns: bytes, name: str) -> str:
    """Return the column ``name`` of the JSON object ``columns`` as text: a list or a table as JSON, nothing if it is missing."""
    value = msgspec.json.decode(columns).get(name) if columns else None
    if value is None or isinstance(value, str):
        return value or ""
    return msgspec.json.encode(value).decode()


def is_sample(record: Record) -> bool:
    """Return whether the outputs of ``record``, which must be done, have names of members."""
    return all(_KEY.fullmatch(output.name) for output in unpack(record.result).outputs)


def captured_at(sample: Sample) -> dict[str, str]:
    """Return when the picture was taken, as the field ``captured_at``; nothing if no member has traits.

    It is text also if it is not known: readers derive types from the first samples.
    """
    known = next((member.traits for member in sample.members if member.traits), None)
    return {"captured_at": known.captured_at} if known else {}


def look(member: OutputRecord) -> dict[str, str]:
    """Return how ``member`` looks, as fields; nothing if it has no traits."""
    traits = member.traits
    return {} if traits is None else {"thumbhash": traits.thumbhash, "dominant_color": traits.dominant_color, "dhash": traits.dhash}


def additions(sample: Sample) -> dict[str, object]:
    """Return the fields that samples of earlier versions do not have: ``caption``, and the size and hash of the source."""
    fields: dict[str, object] = {} if sample.caption is None else {"caption": sample.caption}
    if sample.original is not None:
        original = sample.original
        fields |= {"original_width": original.width, "original_height": original.height, "sha256": original.sha256}
    return fields


def description(sample: Sample) -> dict[str, object]:
    """Return the description of a sample as plain data: of its only rendition, or of each rendition by its extension."""
    fields: dict[str, object] = {"key": name_text(sample.key)} if sample.original else {}
    fields["source"] = name_text(sample.source)
    if sample.columns:
        fields["columns"] = msgspec.json.decode(sample.columns)
    fields |= captured_at(sample) | additions(sample)
    if len(sample.members) == 1:
        return fields | _properties(sample.members[0])
    return fields | {"renditions": {os.fsdecode(split_name(member.name)[1]): _properties(member) for member in sample.members}}


def _properties(member: OutputRecord) -> dict[str, object]:
    return {
        "format": member.format,
        "width": member.width,
        "height": member.height,
        "bytes": member.size,
        "hash": member.digest.hex(),
        **look(member),
    }
