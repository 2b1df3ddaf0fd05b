"""Bring a catalogue up to date with the indexes of a dataset: on a machine that has not seen it of late, or lost its own."""

import json
import os
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from pixmill.batch.datasets.catalogue import Catalogue, DatasetShard, OutputLocation, Stage
from pixmill.batch.datasets.dataset import SAMPLES_INDEX, SHARDS_INDEX, Dataset
from pixmill.batch.datasets.sample import Sample
from pixmill.batch.datasets.shard_layout import ShardPlan
from pixmill.batch.datasets.shard_store import ShardStore
from pixmill.batch.item import OutputRecord

Line = dict[str, Any]
WRONG = (ValueError, LookupError, TypeError)  # what an index that is not ours, or damaged, may make of the code that reads it


def import_index(dataset: Dataset, catalogue: Catalogue, shelf: ShardStore, *, is_ours: Callable[[], bool]) -> None:
    """Tell ``catalogue`` of the shards that the indexes on ``shelf`` describe and that it does not know, as far as they are there.

    ``is_ours`` is asked when there are any: what somebody finds who begins anew is not his. An index that cannot be understood
    tells of nothing more from there on.
    """
    lines, table = (dataset.index_name(name) for name in (SAMPLES_INDEX, SHARDS_INDEX))
    known = {(shard.name, shard.size, shard.digest): shard for shard in catalogue.shards() if shard.stage is Stage.SEALED}
    try:
        rows = {row["name"]: row for row in json.loads(shelf.path(table).read_bytes())["shards"]}
        new = {name for name, row in rows.items() if (name, row["bytes"], bytes.fromhex(row["hash"])) not in known}
        if not new or not is_ours():
            return
        sizes = shelf.sizes()
        for shard in known.values():
            if shard.name in new or sizes.get(shard.name) != shard.size:
                catalogue.delete(shard)
        for name, described in groupby(_lines(shelf.path(lines)), key=lambda line: str(line["shard"])):
            samples = list(described) if name in new and sizes.get(name) == rows[name]["bytes"] else []
            if len(samples) == rows[name]["samples"]:
                _adopt_shard(dataset, catalogue, rows[name], samples)
    except WRONG:
        return


def _adopt_shard(dataset: Dataset, catalogue: Catalogue, row: Line, described: list[Line]) -> None:
    samples = tuple(map(_sample, described))
    fingerprint = ShardPlan(0, samples).fingerprint(dataset.identity)
    shard = DatasetShard(0, row["name"], Stage.SEALED, fingerprint, row["bytes"], row["samples"], bytes.fromhex(row["hash"]))
    catalogue.add(shard, _spots(dataset, samples, described))


def _spots(dataset: Dataset, samples: tuple[Sample, ...], described: list[Line]) -> Iterator[tuple[bytes, OutputLocation]]:
    for sample, line in zip(samples, described, strict=True):
        for member, told in zip(sample.members, line["members"], strict=True):
            yield member.name, OutputLocation(0, sample.source, told[dataset.packs.position], member.size, member.digest)


def _lines(path: Path) -> Iterator[Line]:
    with path.open("rb") as file:
        for line in file:
            yield json.loads(line)  # unlike msgspec, it reads a path that is not UTF-8


def _sample(line: Line) -> Sample:
    columns = msgspec.json.encode(line["columns"]) if line["columns"] else b""
    return Sample(os.fsencode(line["key"]), os.fsencode(line["source"]), tuple(map(_member, line["members"])), columns)


def _member(told: Line) -> OutputRecord:
    return OutputRecord(
        name=os.fsencode(told["name"]),
        size=told["bytes"],
        width=told["width"],
        height=told["height"],
        format=told["format"],
        digest=bytes.fromhex(told["hash"]),
        rendition=told["rendition"],
    )
