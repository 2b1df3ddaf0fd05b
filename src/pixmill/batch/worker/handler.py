"""``ImageHandler``: what a worker process does with one image. Imports nothing that a worker does not need."""

import os
import threading
from collections.abc import Iterable
from hashlib import blake2b

import msgspec

from pixmill.batch.item import ImageResult, Item, OutputRecord, from_payload, output_fingerprint, pack
from pixmill.batch.worker.claims import OutputNames
from pixmill.batch.worker.options import HandlerOptions
from pixmill.core.errors import ImageError, ReadError, WriteError
from pixmill.core.phases import Phases, in_lockstep
from pixmill.engine.handler import PendingResult, Stages
from pixmill.imaging.input import Input
from pixmill.imaging.process import EncodedOutput, Result, configure, process
from pixmill.imaging.recipe import Recipe
from pixmill.storage.address import Address
from pixmill.storage.retry.policy import RetryPolicy
from pixmill.storage.retry.storage import open_with_retries

NANOSECONDS = 19  # digits of a modification time, until the year 2286
IN_MEMORY = 64_000_000  # bytes; a larger source is streamed from its file, where it has one


class ImageHandler:
    """Reads one image, makes its renditions, and hands back what writes them, so that the next is made meanwhile."""

    def __init__(self, options: HandlerOptions) -> None:
        """Open both ends and build the recipe, once for the worker's life."""
        self._options = options
        self._at_hand = threading.local()  # its ``stages``: of the task of this thread, which makes one or writes one
        source, destination = Address.parse(options.source), Address.parse(options.destination)
        self._source = open_with_retries(source, follow_symlinks=options.follow_symlinks, policy=self._patience())
        self._destination = open_with_retries(
            destination, tag=options.tag, follow_symlinks=options.follow_output_links, policy=self._patience()
        )
        self._recipe = Recipe.from_builtins(options.recipe)

    def __call__(self, payload: bytes, stages: Stages) -> bytes | PendingResult:
        """Process the item in ``payload``; return the packed ``Product``."""
        item = from_payload(payload)
        self._at_hand.stages = stages
        stages.enter("read")
        if item.source_error:
            raise _refused(item)
        marks = [output_fingerprint(item, index, fingerprint) for index, fingerprint in enumerate(self._options.fingerprints)]
        kept = {
            output.mark: output for output in item.former if output.mark in marks and (item.is_verified or self._stands(output))
        }
        missing = [index for index, each in enumerate(marks) if each not in kept]
        if not missing:
            return pack(ImageResult(tuple(kept[each] for each in marks), (), item.entry.size, item.columns, _left_over(item)))
        names = OutputNames(self._destination, self._options, item, source=lambda: self._identity(item))
        names.check_before([item.names[index] for index in missing])
        result, size = self._make(item, missing, stages)
        outputs = dict(zip(missing, result.outputs, strict=True))
        stages.enter("write")
        made = {marks[index]: _written(item, index, output, marks[index]) for index, output in outputs.items()}

        def settle(stages: Stages) -> Phases:
            self._at_hand.stages = stages
            names.check({item.names[index]: output.data for index, output in outputs.items()})
            yield from in_lockstep(self._writing(item, index, output.data, stages, names) for index, output in outputs.items())
            count_work(size, made.values(), result, stages)

        all_made = tuple(made.get(each) or kept[each] for each in marks)
        product = ImageResult(all_made, result.notes, size, item.columns, _left_over(item))
        return PendingResult(pack(product), settle, sum(each.size for each in made.values()))

    def _make(self, item: Item, indexes: list[int], stages: Stages) -> tuple[Result, int]:
        """Make the renditions with these ``indexes``; return them, and the bytes that were read."""
        renditions = tuple(self._recipe.renditions[index] for index in indexes)
        recipe = self._recipe if len(indexes) == len(self._recipe.renditions) else self._recipe.evolve(renditions=renditions)
        source = self._read(item)
        result = process(source, recipe, enter=stages.enter, claim=stages.reserve_memory)
        self._check_unchanged(item)
        return result, item.entry.size if source.data is None else len(source.data)

    def _patience(self) -> RetryPolicy:
        """Return patience with one end: each has a pace of its own."""
        return RetryPolicy(max_concurrency=1, on_throttled=self._throttled)

    def _throttled(self, seconds: float) -> None:
        """Show that a store asks for less, and that the time from here is spent on waiting for it."""
        stages = getattr(self._at_hand, "stages", None)
        if stages is not None:
            stages.enter("throttled")
            stages.count("throttled", 1)
            stages.count("throttled_ms", int(seconds * 1000))

    def _stands(self, output: OutputRecord) -> bool:
        entry = self._destination.stat(output.name)
        return entry is not None and entry.size == output.size

    def _read(self, item: Item) -> Input:
        limit = self._options.max_bytes
        path = item.locator or item.entry.path
        local = self._source.local_path(path)
        if local is None and not item.locator:
            return Input(self._source.read_version(item.entry, limit=limit))
        is_streamed = local is not None and IN_MEMORY < item.entry.size <= limit
        return Input(path=local) if is_streamed else Input(self._source.read(path, limit=limit))

    def _check_unchanged(self, item: Item) -> None:
        """Refuse a file that was written to while it was read or streamed: what was decoded may be half of each version.

        What has no place in the file system was read in one state or not at all.
        """
        path = item.entry.path
        if not item.locator and self._source.local_path(path) is not None and self._source.stat(path) != item.entry:
            raise ReadError(
                "the file changed or vanished while it was read", code="changed", hint="run again: it will be taken as it is then"
            )

    def _identity(self, item: Item) -> tuple[int, int] | None:
        """Return device and inode of the file that ``item`` is read from, ``None`` where it is none of this machine."""
        path = self._source.file_of(item.locator or item.entry.path)
        if path is None:
            return None
        try:
            status = os.stat(path)  # noqa: PTH116  # bytes
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _writing(self, item: Item, index: int, data: bytes, stages: Stages, names: OutputNames) -> Phases:
        stages.enter("write")
        version = item.entry.version
        is_time = version.isdigit() and len(version) <= NANOSECONDS  # that of a URL is none, nor is a digest
        mtime = int(version) if self._options.keep_mtime and is_time else None
        durable = self._options.durable
        name = item.names[index]
        try:
            yield from self._destination.write_phases(
                name,
                data,
                durable=durable,
                mtime_ns=mtime,
                on_sync=lambda: stages.enter("fsync"),
                replacing=names.replacing(name),
            )
        except WriteError as error:
            raise names.judge(error) from None


def _left_over(item: Item) -> tuple[OutputRecord, ...]:
    """Return what earlier recipes made of ``item`` under other names; what is in the shards of a dataset is none of ours."""
    return () if item.is_verified else tuple(output for output in item.former if output.name not in item.names)


def _written(item: Item, index: int, output: EncodedOutput, mark: bytes) -> OutputRecord:
    digest = blake2b(output.data, digest_size=16).digest()
    name, size = item.names[index], len(output.data)
    return OutputRecord(name, size, output.width, output.height, output.format, digest, output.rendition, mark)


def count_work(size: int, outputs: Iterable[OutputRecord], result: Result, stages: Stages) -> None:
    """Count what was read (``size`` bytes) and written, and what was noted on the way, as the measures of this task."""
    sizes = [output.size for output in outputs]
    stages.count("bytes_in", size)
    stages.count("bytes_out", sum(sizes))
    stages.count("pixels_in", result.header.pixels)
    stages.count("outputs", len(sizes))
    for note in result.notes:
        stages.count(f"note.{note}", 1)


def image_handler(options: bytes) -> ImageHandler:
    """Build the handler from packed ``Assignment``: what a ``HandlerRef`` names."""
    configure()
    return ImageHandler(msgspec.msgpack.decode(options, type=HandlerOptions))


def _refused(item: Item) -> ImageError:
    if item.is_reserved:
        return WriteError(item.source_error, code="reserved", hint="give it another name with --name")
    return ReadError(item.source_error, hint="make it readable, then: pixmill retry DST")
