"""``ImageHandler`` processes one image in a worker process. The module imports only what workers need."""

import os
import socket
import threading
from collections.abc import Iterable, Mapping
from hashlib import blake2b

import msgspec

from pixmill.batch.item import (
    REJECTED,
    ImageResult,
    Item,
    Origin,
    OutputRecord,
    SourceRecord,
    from_payload,
    output_fingerprint,
    pack,
)
from pixmill.batch.worker.adoption import ADOPTED, Adoption
from pixmill.batch.worker.claims import OutputNames
from pixmill.batch.worker.late_facts import LateFactsReader
from pixmill.batch.worker.options import NEWER, HandlerOptions
from pixmill.batch.worker.source_content import (
    DIGEST_BYTES,
    content_digest,
    content_sha256,
    described,
    is_compared,
    with_current_fingerprints,
)
from pixmill.batch.worker.web_reader import WebReader, is_web
from pixmill.core.errors import ImageError, PixmillError, ReadError, Skip, WriteError
from pixmill.core.phases import Phases
from pixmill.core.text import printable
from pixmill.engine.broker import wait_for_the_end
from pixmill.engine.handler import Deferred, PendingResult, Stages
from pixmill.engine.task import UNCHANGED
from pixmill.imaging.input import Input
from pixmill.imaging.process import EncodedOutput, Result, configure, process
from pixmill.imaging.recipe import Recipe
from pixmill.imaging.user_steps.batching import gathering
from pixmill.storage.address import Address
from pixmill.storage.entry import FileVersion, time_of
from pixmill.storage.retry.policy import SICK, THROTTLED, RetryPolicy
from pixmill.storage.retry.storage import open_with_retries
from pixmill.storage.writer.client import WriterClient
from pixmill.storage.writer.files import DirectWriter, NewFile

SCORE_DECIMALS = 2  # of recorded scores
MAX_REASON = 100  # characters of the reason for which an image was rejected
DOWNLOAD = "download"  # the stage in which an image of the web is read: usually beside other images, so not time of a worker
MAX_IN_MEMORY = 64_000_000  # bytes; a larger source is streamed from its file, if it is a local file


class ImageHandler:
    """Reads one image, makes its renditions, and returns a ``PendingResult`` that writes them while the next image is processed."""

    def __init__(self, options: HandlerOptions, writer: socket.socket | None = None) -> None:
        """Open source, destination and the steps of the recipe, once per worker. ``writer``: a connection to one that writes."""
        self._options = options
        self._current = threading.local()  # ``stages`` of the task that this thread is making or writing
        source, destination = Address.parse(options.source), Address.parse(options.destination)
        self._source = open_with_retries(source, follow_symlinks=options.follow_symlinks, policy=self._retry_policy())
        self._destination = open_with_retries(
            destination, tag=options.tag, follow_symlinks=options.follow_output_links, policy=self._retry_policy()
        )
        self._writer = WriterClient(writer, on_lost=wait_for_the_end) if writer else DirectWriter(self._destination)
        self._recipe = Recipe.from_builtins(options.recipe)
        self._recipe.open()
        self._web = WebReader(source, limit=options.max_bytes, timeout=options.timeout)
        self._late_facts = LateFactsReader(self._source, self._recipe, limit=options.max_bytes)
        self._adoption = Adoption(self._destination, self._recipe, limit=options.max_bytes)

    def __call__(self, payload: bytes, stages: Stages) -> bytes | PendingResult | Deferred:
        """Process the item in ``payload``; return the encoded ``ImageResult``, or what late names are made of."""
        item = from_payload(payload)
        self._current.stages = stages
        stages.enter("read")
        if item.source_error:
            raise _source_error(item)
        if item.is_unnamed:
            stages.enter("header")
            return Deferred(self._late_facts.read(item))
        fingerprints = [output_fingerprint(item, index, each) for index, each in enumerate(self._options.fingerprints)]
        source = self._read(item) if is_compared(item, self._options) else None
        digest = content_digest(source) if source else None
        if item.former:
            item = with_current_fingerprints(item, fingerprints, self._options, digest)
        names = OutputNames(self._destination, self._options, item, source=lambda: self._identity(item))
        reusable = {
            output.fingerprint: output
            for output in item.former
            if output.fingerprint in fingerprints and (item.is_verified or names.keeps(output))
        }
        missing = [index for index, each in enumerate(fingerprints) if each not in reusable]
        if not missing:
            reused = tuple(reusable[each] for each in fingerprints)
            return self._reused(item, reused, digest)
        adopted: tuple[OutputRecord, ...] = ()
        if self._options.existing == "adopt" and (foreign := [each for each in missing if names.may_adopt(item.names[each])]):
            source = source or self._read(item)
            adopted = tuple(self._adoption.adopt(item, source, foreign, fingerprints))
            reusable |= {output.fingerprint: output for output in adopted}
            missing = [index for index in missing if fingerprints[index] not in reusable]
            if adopted:
                stages.count(f"note.{ADOPTED}", 1)
            if not missing:
                records = tuple(reusable[each] for each in fingerprints)
                return self._result(item, records, (ADOPTED,), self._origin(item, content_digest(source), is_new=False))
        names.check_skip([item.names[index] for index in missing])
        source = source or self._read(item)
        try:
            with gathering(stages.gather):
                result, size = self._make(item, source, missing, stages)
        except Skip as skip:
            raise self._rejected(item, source, digest, skip.reason) from None
        outputs = dict(zip(missing, result.outputs, strict=True))
        content = content_sha256(source)
        origin = self._origin(item, content[:DIGEST_BYTES], is_new=not reusable)
        origin = described(origin, content, result.header) if self._options.with_traits else origin
        stages.enter("write")

        def commit(stages: Stages) -> Phases[bytes]:
            self._current.stages = stages
            names.check({item.names[index]: output.data for index, output in outputs.items()})
            versions = yield from self._write(item, outputs, names, stages)
            written = {
                fingerprints[index]: _output_record(item, index, output, fingerprints[index]).with_version(
                    version if self._options.keeps_inodes else msgspec.structs.replace(version, inode=0)
                )
                for (index, output), version in zip(outputs.items(), versions, strict=True)
            }
            count_work(size, written.values(), result, stages)
            records = tuple(written.get(each) or reusable[each] for each in fingerprints)
            notes = (*result.notes, ADOPTED) if adopted else result.notes
            return self._result(item, records, notes, origin, size=size)

        return PendingResult(commit, sum(len(output.data) for output in outputs.values()))

    def read_ahead(self, payload: bytes) -> bytes | None:
        """Return the content of an image of the web that has to be made; ``None`` if it is not one, or too large to be held."""
        item = from_payload(payload)
        is_read = item.source_error or item.is_unnamed or item.former or not is_web(item.locator)
        return None if is_read else self._web.read_ahead(item.locator)

    def close(self) -> None:
        """Release what the steps of the recipe have loaded."""
        self._recipe.close()

    def _reused(self, item: Item, outputs: tuple[OutputRecord, ...], digest: bytes | None) -> bytes:
        """Return the result for ``item`` with only former outputs; ``Skip`` if it was tried only to compare its content."""
        origin = self._origin(item, digest, is_new=False)
        if digest is None:
            return self._result(item, outputs, (), origin)
        raise Skip(UNCHANGED, result=self._result(item, outputs, origin.notes, origin))

    def _rejected(self, item: Item, source: Input, digest: bytes | None, reason: str) -> Skip:
        """Return the exception that records ``item`` as rejected; outputs that it had are no longer asked for."""
        origin = self._origin(item, digest or content_digest(source), is_new=True)
        reason = printable(reason)[:MAX_REASON]
        size = item.entry.size if source.data is None else len(source.data)
        former = () if item.is_verified else item.former
        record = ImageResult((), (), size, item.columns, former, origin.toolset, origin.source, item.facts, reason)
        return Skip(REJECTED + reason, result=pack(record))

    def _result(
        self, item: Item, outputs: tuple[OutputRecord, ...], notes: tuple[str, ...], origin: Origin, *, size: int | None = None
    ) -> bytes:
        """Return the encoded result for ``item``, of which ``size`` bytes were read."""
        source_size = item.entry.size if size is None else size
        leftover = _leftover_outputs(item)
        return pack(ImageResult(outputs, notes, source_size, item.columns, leftover, origin.toolset, origin.source, item.facts))

    def _origin(self, item: Item, digest: bytes | None, *, is_new: bool) -> Origin:
        """Return how the outputs of ``item`` were made: all by the present libraries if it ``is_new``, otherwise some before."""
        earlier = item.earlier or Origin()
        is_same = earlier.source.version == item.entry.version if digest is None else earlier.source.digest == digest
        known = earlier.source if is_same else SourceRecord(digest=digest or b"")
        source = msgspec.structs.replace(known, version=item.entry.version, changed_at=item.entry.changed_at)
        return Origin(self._options.toolset if is_new else earlier.toolset, source, earlier.notes)

    def _make(self, item: Item, source: Input, indexes: list[int], stages: Stages) -> tuple[Result, int]:
        """Make the renditions with these ``indexes``; return them, and the number of bytes read."""
        renditions = tuple(self._recipe.renditions[index] for index in indexes)
        recipe = self._recipe if len(indexes) == len(self._recipe.renditions) else self._recipe.evolve(renditions=renditions)
        result = process(source, recipe, enter=stages.enter, claim=stages.reserve_memory, with_traits=self._options.with_traits)
        self._check_unchanged(item)
        return result, item.entry.size if source.data is None else len(source.data)

    def _retry_policy(self) -> RetryPolicy:
        """Return a new retry policy: source and destination are throttled separately."""
        return RetryPolicy(max_concurrency=1, on_pause=self._on_pause)

    def _on_pause(self, error: PixmillError, seconds: float) -> None:
        """Enter the stage that has the code of a sick store: the time from here is spent waiting for it."""
        stages = getattr(self._current, "stages", None)
        if stages is None or error.code not in SICK:
            return
        stages.enter(error.code)
        if error.code == THROTTLED:
            stages.count("throttled", 1)
            stages.count("throttled_ms", int(seconds * 1000))

    def _read(self, item: Item) -> Input:
        limit = self._options.max_bytes
        path = item.locator or item.entry.path
        if is_web(path):
            stages = self._current.stages
            stages.enter(DOWNLOAD)
            data = stages.take_input()
            data = self._web.read(path) if data is None else data
            stages.enter("read")
            return Input(data)
        local = self._source.local_path(path)
        if local is None and (not item.locator or item.has_listed_etag):
            return Input(self._read_version(item))
        is_streamed = local is not None and MAX_IN_MEMORY < item.entry.size <= limit
        return Input(path=local) if is_streamed else Input(self._source.read(path, limit=limit))

    def _read_version(self, item: Item) -> bytes:
        """Return the version of ``item`` that was listed; if that was some time ago, otherwise the present one."""
        path = item.locator or item.entry.path
        try:
            return self._source.read_version(msgspec.structs.replace(item.entry, path=path), limit=self._options.max_bytes)
        except ReadError as error:
            if error.code != "changed" or not self._options.is_dated:
                raise
            self._current.stages.count(f"note.{NEWER}", 1)
            return self._source.read(path, limit=self._options.max_bytes)

    def _check_unchanged(self, item: Item) -> None:
        """Raise ``ReadError`` for a file that was modified while it was read: the decoded image may mix both versions.

        Sources that are not local files are always read in one consistent version.
        """
        path, entry = item.locator or item.entry.path, item.entry
        if not entry.version or self._source.local_path(path) is None:  # a file of a list that could not be examined
            return
        now = self._source.stat(path)
        if now is None or (now.size, now.version) != (entry.size, entry.version):
            raise ReadError(
                "the file was changed or removed while it was read", code="changed", hint="run again to process the new version"
            )

    def _identity(self, item: Item) -> tuple[int, int] | None:
        """Return device and inode of the file that ``item`` is read from, ``None`` if it is not a local file."""
        path = self._source.file_of(item.locator or item.entry.path)
        if path is None:
            return None
        try:
            status = os.stat(path)  # noqa: PTH116  # bytes
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _write(
        self, item: Item, outputs: Mapping[int, EncodedOutput], names: OutputNames, stages: Stages
    ) -> Phases[list[FileVersion]]:
        stages.enter("write")
        mtime = time_of(item.entry.version) if self._options.keep_mtime else None
        named = [(item.names[index], output.data) for index, output in outputs.items()]
        files = [NewFile(name, data, mtime, names.replacing(name)) for name, data in named]
        try:
            return (yield from self._writer.write(files, durable=self._options.durable, on_sync=lambda: stages.enter("fsync")))
        except WriteError as error:
            raise names.translate_error(error, error.name) from None


def _leftover_outputs(item: Item) -> tuple[OutputRecord, ...]:
    """Return the outputs of ``item`` by earlier recipes under other names; none for a dataset, whose shards track their content."""
    return () if item.is_verified else tuple(output for output in item.former if output.name not in item.names)


def _output_record(item: Item, index: int, output: EncodedOutput, fingerprint: bytes) -> OutputRecord:
    digest = blake2b(output.data, digest_size=16).digest()
    name, size = item.names[index], len(output.data)
    record = OutputRecord(name, size, output.width, output.height, output.format, digest, output.rendition, fingerprint)
    if output.columns:
        record = msgspec.structs.replace(record, columns=msgspec.json.encode(output.columns))
    if output.score is not None:
        record = msgspec.structs.replace(record, score=round(output.score, SCORE_DECIMALS))
    return msgspec.structs.replace(record, traits=output.traits) if output.traits else record


def count_work(size: int, outputs: Iterable[OutputRecord], result: Result, stages: Stages) -> None:
    """Count the bytes read (``size``), the outputs, their scores to a tenth, and the notes of this task."""
    outputs = tuple(outputs)
    sizes = [output.size for output in outputs]
    stages.count("bytes_in", size)
    stages.count("bytes_out", sum(sizes))
    stages.count("pixels_in", result.header.pixels)
    stages.count("outputs", len(sizes))
    for output in outputs:
        if output.score is not None:
            stages.count(f"score.{max(0.0, output.score):.1f}", 1)
    for note in result.notes:
        stages.count(f"note.{note}", 1)


def image_handler(options: bytes, writer: socket.socket | None = None) -> ImageHandler:
    """Build the handler from encoded ``HandlerOptions``; the function that a ``HandlerRef`` names.

    With ``writer``, a connection to the process of ``batch.worker.writer``, outputs are written there.
    """
    configure()
    return ImageHandler(msgspec.msgpack.decode(options, type=HandlerOptions), writer)


def _source_error(item: Item) -> ImageError:
    if item.is_reserved:
        return WriteError(item.source_error, code="reserved", hint="choose another name with --name")
    return ReadError(item.source_error, hint="make it readable, then: pixmill retry DST")
