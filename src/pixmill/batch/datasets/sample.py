"""``Sample``: one image in a dataset, with all of its renditions."""

import os
import re

import msgspec

from pixmill.batch.item import OutputRecord, unpack
from pixmill.engine.ledger import Record

_KEY = re.compile(rb"((?:.*/|)[^.]+)[.]([^/]*)", re.DOTALL)


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """What was made of the image ``source``, a key of the ledger. ``members`` are its outputs, named ``KEY.EXTENSION``.

    ``columns`` is what the list that named the source says of it besides, such as a label, as a JSON object.
    """

    key: bytes
    source: bytes
    members: tuple[OutputRecord, ...]
    columns: bytes = b""

    @property
    def size(self) -> int:
        """Return the bytes of all members together."""
        return sum(member.size for member in self.members)


def split_name(name: bytes) -> tuple[bytes, bytes]:
    """Return key and extension of a member: its last component is split at the first dot, as WebDataset does it.

    ``ValueError`` for a name that is no member's.
    """
    match = _KEY.fullmatch(name)
    if match is None:
        raise ValueError(f"{name!r} names no member of a sample")
    return match[1], match[2]


def sample_of(record: Record) -> Sample:
    """Return the sample that the done ``record`` tells of."""
    product = unpack(record.result)
    return Sample(split_name(product.outputs[0].name)[0], record.key, product.outputs, product.columns)


def is_sample(record: Record) -> bool:
    """Tell whether the outputs of the done ``record`` are named as members are."""
    return all(_KEY.fullmatch(output.name) for output in unpack(record.result).outputs)


def description(sample: Sample) -> dict[str, object]:
    """Return what a sample says of itself, as plain data: of its one rendition, or of each by its extension."""
    told: dict[str, object] = {"source": os.fsdecode(sample.source)}
    if sample.columns:
        told["columns"] = msgspec.json.decode(sample.columns)
    if len(sample.members) == 1:
        return told | _facts(sample.members[0])
    return told | {"renditions": {os.fsdecode(split_name(member.name)[1]): _facts(member) for member in sample.members}}


def _facts(member: OutputRecord) -> dict[str, object]:
    return {
        "format": member.format,
        "width": member.width,
        "height": member.height,
        "bytes": member.size,
        "hash": member.digest.hex(),
    }
