"""``Sample``: one image in a dataset, with all of its renditions."""

import os
import re
from collections.abc import Iterator

import msgspec

from pixmill.batch.item import OutputRecord, unpack
from pixmill.core.name_text import name_text
from pixmill.engine.ledger import LedgerView, Record
from pixmill.engine.task import State

_KEY = re.compile(rb"((?:.*/|)[^.]+)[.]([^/]*)", re.DOTALL)


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """The outputs of the image ``source``, a key of the ledger. ``members`` are these outputs, named ``KEY.EXTENSION``.

    ``columns`` is a JSON object with the other columns of the manifest row that named the source, such as a label.
    """

    key: bytes
    source: bytes
    members: tuple[OutputRecord, ...]
    columns: bytes = b""

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


def sample_of(record: Record) -> Sample:
    """Return the sample of ``record``, which must be done and have outputs."""
    product = unpack(record.result)
    return Sample(split_name(product.outputs[0].name)[0], record.key, product.outputs, product.all_columns)


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


def description(sample: Sample) -> dict[str, object]:
    """Return the description of a sample as plain data: of its only rendition, or of each rendition by its extension."""
    fields: dict[str, object] = {"source": name_text(sample.source)}
    if sample.columns:
        fields["columns"] = msgspec.json.decode(sample.columns)
    fields |= captured_at(sample)
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
