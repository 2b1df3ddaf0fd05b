"""Find what can be removed from an output, by reading its ledgers once; nothing is changed."""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from heapq import merge
from itertools import groupby

import msgspec

from pixmill.batch.datasets.contents import Outputs
from pixmill.batch.inspect.verify import MAX_CONCURRENT, difference, in_order
from pixmill.batch.item import OutputRecord, unpack
from pixmill.batch.outputs.reuse import recorded_outputs
from pixmill.batch.pruning.origins import Origin, Origins
from pixmill.batch.pruning.presence import Presence
from pixmill.batch.pruning.result import (
    ADOPTED,
    CHANGED,
    NOT_IN_LIST,
    NOT_REQUESTED,
    OTHERS_NAME,
    SOURCE_GONE,
    UNCERTAIN_REQUEST,
    Part,
    PruneResult,
    count,
)
from pixmill.core.external_sort import ExternalSort
from pixmill.engine.ledger import LedgerView, Record
from pixmill.engine.task import State
from pixmill.storage.address import Address
from pixmill.storage.local.inodes import real

MISSING = "missing"
CACHED_FOLDERS = 1000
#: returns the keys of the images that own the name of an output
OwnersOf = Callable[[bytes], set[bytes]]


class Removal(msgspec.Struct, frozen=True, array_like=True):
    """One output to remove of the image with ``key``, or that image's record if ``name`` is empty.

    ``ledgers`` are the numbers of those that record the image. ``difference`` is how the file differs from its record, and
    ``version`` that of the file when it was compared; it must not have changed since.
    """

    key: bytes
    ledgers: tuple[int, ...]
    reason: str
    name: bytes = b""
    size: int = 0
    version: bytes = b""
    difference: str = ""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Removal).decode
_Candidate = tuple[Removal, OutputRecord | None]


class Search:
    """What can be removed. ``removals`` are sorted by key once ``read`` has counted them in ``result``."""

    def __init__(self, ledgers: Sequence[LedgerView], origins: Origins, whole: Sequence[dict[bytes, bool]]) -> None:
        """Take the ledgers, the most recent first, and for each by prefix whether its last run left nothing out."""
        self.result = PruneResult()
        self._ledgers = ledgers
        self._origins = origins
        self._whole = whole
        self._removals = ExternalSort(())

    def read(self, outputs: Outputs | None, owners: OwnersOf, *, selected: set[bytes] | None, compare: "Compare") -> None:
        """Read the ledgers and compare what can be removed with its record; only sources with the ``selected`` prefixes."""
        candidates = self._candidates(owners, selected)
        concurrency = 1 if compare.is_local or outputs is None else MAX_CONCURRENT
        compared = in_order(compare, candidates, concurrency=concurrency)
        self._removals = ExternalSort((each.key, _encode(each)) for each in self._counted(compared))
        iter(self._removals)  # reads everything
        for origin in self._origins.all:
            self.result.remarks.extend(origin.remarks())

    def removals(self) -> Iterator[tuple[bytes, list[Removal]]]:
        """Yield each image with what to remove of it."""
        for key, group in groupby(self._removals, key=lambda each: each[0]):
            yield key, [_decode(content) for _, content in group]

    def _candidates(self, owners: OwnersOf, selected: set[bytes] | None) -> Iterator[_Candidate]:
        for record, numbers in self._records():
            origin = self._origins.of(record.key)
            if origin is None or (selected is not None and origin.prefix not in selected) or record.key.endswith(b"/"):
                continue  # a key with a slash at its end stands for a folder that could not be read
            outputs = recorded_outputs(record)
            self.result.outputs += len(outputs)
            seen = self._origins.look(origin, record.key)
            if seen is Presence.GONE:
                reason = NOT_IN_LIST if origin.is_of_list else SOURCE_GONE
                self._part(self.result.removed, reason).images += 1
                yield Removal(record.key, numbers, reason), None
                yield from self._outputs(record, numbers, reason, outputs, owners)
            elif record.state is State.DONE and (former := unpack(record.result).former):
                yield from self._former(origin, record, numbers, former, owners)

    def _former(
        self, origin: Origin, record: Record, numbers: tuple[int, ...], former: tuple[OutputRecord, ...], owners: OwnersOf
    ) -> Iterator[_Candidate]:
        if origin.is_unreachable:
            return
        if self._whole[numbers[0]].get(origin.prefix, False):
            self._part(self.result.removed, NOT_REQUESTED).images += 1
            yield from self._outputs(record, numbers, NOT_REQUESTED, former, owners)
        else:
            part = self._part(self.result.kept, UNCERTAIN_REQUEST)
            part.images += 1
            for output in former:
                count(part, output.name, output.size)

    def _outputs(
        self, record: Record, numbers: tuple[int, ...], reason: str, outputs: Sequence[OutputRecord], owners: OwnersOf
    ) -> Iterator[_Candidate]:
        for output in {output.name: output for output in reversed(outputs)}.values():  # the latest record of a name counts
            if output.is_adopted or owners(output.name) - {record.key}:
                part = self._part(self.result.kept, ADOPTED if output.is_adopted else OTHERS_NAME)
                count(part, output.name, output.size)
            else:
                yield Removal(record.key, numbers, reason, output.name, output.size), output

    def _counted(self, compared: Iterator[tuple[_Candidate, tuple[str, bytes]]]) -> Iterator[Removal]:
        for (removal, output), (what, version) in compared:
            if output is not None and what == "":
                count(self._part(self.result.removed, removal.reason), removal.name, removal.size)
            elif output is not None and what != MISSING:
                count(self._part(self.result.kept, CHANGED), removal.name, removal.size)
            yield msgspec.structs.replace(removal, difference=what, version=version)

    def _records(self) -> Iterator[tuple[Record, tuple[int, ...]]]:
        """Yield the records in order of their keys, each with the numbers of its ledgers; of several, the most recent one."""

        def numbered(number: int, ledger: LedgerView) -> Iterator[tuple[Record, int]]:
            return ((record, number) for record in ledger.records())

        streams = [numbered(number, ledger) for number, ledger in enumerate(self._ledgers)]
        for _, group in groupby(merge(*streams, key=_key), key=_key):
            same = list(group)
            yield same[0][0], tuple(number for _, number in same)

    @staticmethod
    def _part(parts: dict[str, Part], reason: str) -> Part:
        return parts.setdefault(reason, Part())


class Compare:
    """Compares an output with its record: returns how it differs, empty if it does not, and its version.

    A file that is reached through a link below a local ``destination`` counts as changed, unless outputs are written through links.
    """

    def __init__(self, outputs: Outputs | None, destination: Address, *, follow_links: bool) -> None:
        """Take the outputs; ``None`` for those in shards, which change only as a whole."""
        self.is_local = destination.local is not None
        self._outputs = outputs
        self._root = real(destination.location) if self.is_local and not follow_links else None
        self._is_behind_link = lru_cache(CACHED_FOLDERS)(self._passes_link)

    def __call__(self, candidate: _Candidate) -> tuple[str, bytes]:
        """Compare one output."""
        _, output = candidate
        if output is None or self._outputs is None:
            return "", b""
        if self._is_behind_link(output.name.rpartition(b"/")[0]):
            return "link", b""
        before = self._outputs.stat(output.name)
        what = difference(self._outputs, output) if before else MISSING
        return what, before.version if before else b""

    def _passes_link(self, folder: bytes) -> bool:
        if self._root is None or not folder:
            return False
        expected = os.path.join(self._root, folder)  # noqa: PTH118  # bytes
        return os.path.isdir(expected) and real(expected) != expected  # noqa: PTH112  # bytes


def _key(each: tuple[Record, int]) -> bytes:
    return each[0].key
