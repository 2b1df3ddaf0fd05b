"""Update a catalogue from the indexes of a dataset, on a machine that was not used for its last run or lost its catalogue."""

import json
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from pixmill.batch.datasets.catalogue import Catalogue, DatasetShard, OutputLocation, Stage
from pixmill.batch.datasets.dataset import Dataset
from pixmill.batch.datasets.index import index_names
from pixmill.batch.datasets.sample import Original, Sample
from pixmill.batch.datasets.shard_layout import ShardPlan
from pixmill.batch.datasets.shard_store import ShardStore
from pixmill.batch.item import OutputRecord
from pixmill.core.name_text import name_bytes
from pixmill.imaging.traits.traits import Traits

Line = dict[str, Any]
MALFORMED_INDEX_ERRORS = (ValueError, LookupError, TypeError)  # raised on reading a foreign or damaged index


def import_index(dataset: Dataset, catalogue: Catalogue, store: ShardStore, *, is_ours: Callable[[], bool]) -> None:
    """Add to ``catalogue`` the shards that the indexes in ``store`` list and it lacks, if their files exist.

    ``is_ours`` is called if there are any: shards found by a run that starts from scratch are not its own. Reading stops where
    an index is malformed.
    """
    names = index_names(dataset, store)
    if names is None:
        return
    lines, table = names
    known = {(shard.name, shard.size, shard.digest): shard for shard in catalogue.shards() if shard.stage is Stage.SEALED}
    try:
        rows = {row["name"]: row for row in json.loads(store.path(table).read_bytes())["shards"]}
        new = {name for name, row in rows.items() if (name, row["bytes"], bytes.fromhex(row["hash"])) not in known}
        if not new or not is_ours():
            return
        sizes = store.sizes()
        for shard in known.values():
            if shard.name in new or sizes.get(shard.name) != shard.size:
                catalogue.delete(shard)
        for name, described in groupby(_lines(store.path(lines)), key=lambda line: str(line["shard"])):
            samples = list(described) if name in new and sizes.get(name) == rows[name]["bytes"] else []
            if len(samples) == rows[name]["samples"]:
                _import_shard(dataset, catalogue, rows[name], samples)
    except MALFORMED_INDEX_ERRORS:
        return


def _import_shard(dataset: Dataset, catalogue: Catalogue, row: Line, described: list[Line]) -> None:
    samples = tuple(map(_sample, described))
    fingerprint = ShardPlan(0, samples).fingerprint(dataset.identity)
    shard = DatasetShard(0, row["name"], Stage.SEALED, fingerprint, row["bytes"], row["samples"], bytes.fromhex(row["hash"]))
    catalogue.add(shard, _locations(dataset, samples, described))


def _locations(dataset: Dataset, samples: tuple[Sample, ...], described: list[Line]) -> Iterator[tuple[bytes, OutputLocation]]:
    for sample, line in zip(samples, described, strict=True):
        for member, fields in zip(sample.members, line["members"], strict=True):
            yield (
                member.name,
                OutputLocation(0, sample.source, fields[dataset.packing_class.position_name], member.size, member.digest),
            )


def _lines(path: Path) -> Iterator[Line]:
    with path.open("rb") as file:
        for line in file:
            yield json.loads(line)  # unlike msgspec, it reads the surrogates that earlier versions wrote


def _sample(line: Line) -> Sample:
    columns = msgspec.json.encode(line["columns"]) if line["columns"] else b""
    original = Original(line["original_width"], line["original_height"], line["sha256"]) if "sha256" in line else None
    members = tuple(_member(fields, line) for fields in line["members"])
    return Sample(name_bytes(line["key"]), name_bytes(line["source"]), members, columns, line.get("caption"), original)


def _member(fields: Line, sample: Line) -> OutputRecord:
    return OutputRecord(
        name=name_bytes(fields["name"]),
        size=fields["bytes"],
        width=fields["width"],
        height=fields["height"],
        format=fields["format"],
        digest=bytes.fromhex(fields["hash"]),
        rendition=fields["rendition"],
        traits=_traits(fields, sample) if "thumbhash" in fields else None,
    )


def _traits(fields: Line, sample: Line) -> Traits:
    return Traits(fields["thumbhash"], fields["dominant_color"], fields["dhash"], sample["captured_at"])
