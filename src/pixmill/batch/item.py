"""``Item``: one input of a run, with its conversion to a task and from a result."""

from hashlib import blake2b
from typing import Any

import msgspec

from pixmill.engine.task import Task
from pixmill.imaging.traits.traits import Traits
from pixmill.storage.entry import Entry, FileVersion

REJECTED = "rejected: "  # begins the reason for skipping an image that a filter or a step has rejected
TYPICAL_SOURCE_BYTES = 1_000_000
ADDRESS_VERSION = b"@"  # begins the version of a remote image in a list of which only the address is known


class NameFacts(msgspec.Struct, frozen=True, array_like=True):
    """What decides the late names of an image, and stays with it: the ``values`` of their fields, by field.

    ``number`` is that of the name by ``template`` among those which the image could have: more than 0 if others had been taken.
    """

    values: dict[str, str] = {}
    number: int = 0
    template: str = ""


class Item(msgspec.Struct, frozen=True, array_like=True):
    """One source image with the names of its outputs, one per rendition: the payload of a task.

    ``source_error`` is set for an entry that the source could not list, such as a folder without read permission: the image fails
    with this message. ``columns`` holds the other columns of its row in a list, as a JSON object. ``locator`` is how the source's
    storage finds it. ``former`` are the outputs that earlier runs made from it. ``is_verified`` means that the coordinator has
    checked that these exist, possibly in a place that workers do not check; ``is_known`` that an earlier run found the image.
    ``earlier`` tells how the former outputs were made. ``former``, ``is_verified``, ``is_known`` and ``earlier`` are not part of
    the task's identity. ``is_reserved`` means that the image was rejected because the name of its output is reserved.

    ``template`` is set if the names are late: they depend on the content, and are empty until that has been read; the task's
    identity depends on the template instead. ``facts`` are those with which it was named.
    """

    entry: Entry
    names: tuple[bytes, ...] = ()
    source_error: str = ""
    former: tuple["OutputRecord", ...] = ()
    locator: bytes = b""
    columns: bytes = b""
    is_verified: bool = False
    is_known: bool = False
    is_reserved: bool = False
    earlier: "Origin | None" = None
    template: str = ""
    facts: NameFacts | None = None

    @property
    def is_unnamed(self) -> bool:
        """Tell whether the names of the outputs are not known yet."""
        return bool(self.template) and not self.names

    @property
    def has_listed_etag(self) -> bool:
        """Tell whether it is an object of a store whose ETag is named by a list."""
        _, separator, place = self.locator.partition(b"://")
        version = self.entry.version
        return bool(separator and version) and b"\0" not in place and not version.startswith(ADDRESS_VERSION)

    @property
    def expected_size(self) -> int:
        """Return the size of the source in bytes; for a URL, whose size is unknown, that of a typical photograph."""
        return self.entry.size or (TYPICAL_SOURCE_BYTES if self.locator else 0)


class _Head(msgspec.Struct, frozen=True, array_like=True):
    """Only the first field of an ``Item``: decoding dominates the time of a re-run, so callers that need no more use this."""

    entry: Entry


class SourceRecord(msgspec.Struct, frozen=True, array_like=True):
    """The source as it was when outputs were made from it; empty in rows of earlier versions, which did not record it.

    ``version`` and ``changed_at`` are those of its ``Entry``. ``digest`` is ``content_digest`` of its bytes, empty if they were not
    read since. If a run made it for a dataset or an index, ``digest_tail`` is the other half of this SHA-256, and ``width`` and
    ``height`` are its upright sides in pixels; otherwise they are empty and 0.
    """

    version: bytes = b""
    changed_at: int = 0
    digest: bytes = b""
    digest_tail: bytes = b""
    width: int = 0
    height: int = 0

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of its bytes in hex; empty if only half of it is known."""
        return (self.digest + self.digest_tail).hex() if self.digest and self.digest_tail else ""

    def has_other_change_time(self, changed_at: int) -> bool:
        """Tell whether the file, whose ``Entry.changed_at`` is now this, was changed in some way, which its digest can tell.

        Without a digest its change time says nothing, since it changes with the name and the mode of a file, too.
        """
        return bool(self.digest and self.changed_at and changed_at) and self.changed_at != changed_at


class Origin(msgspec.Struct, frozen=True, array_like=True):
    """How the outputs of an image were made: by which set of libraries (its number in the ledger), from which source.

    ``notes`` are those of their ``ImageResult``.
    """

    toolset: int = 0
    source: SourceRecord = SourceRecord()
    notes: tuple[str, ...] = ()


class OutputRecord(msgspec.Struct, frozen=True, array_like=True):
    """One output as it was written.

    ``digest`` is the 16-byte BLAKE2b of its bytes. ``fingerprint`` is that of everything that determines them: source, name and
    rendition. ``mtime_ns`` and ``inode`` of a file, or ``etag`` of an object, tell whether it was changed since; earlier versions
    did not record them. ``is_adopted``: it existed already, and ``--existing adopt`` took it as the output. ``traits``: for an
    index, if the run that made it wrote one. ``columns``: a JSON object with those that steps have added. ``score``: by
    SSIMULACRA 2, if the quality was searched for a score.
    """

    name: bytes
    size: int
    width: int
    height: int
    format: str
    digest: bytes
    rendition: str = ""
    fingerprint: bytes = msgspec.field(default=b"", name="mark")  # its name in events
    mtime_ns: int = 0
    inode: int = 0
    etag: bytes = b""
    is_adopted: bool = False
    traits: Traits | None = None
    columns: bytes = b""
    score: float | None = None

    @property
    def version(self) -> FileVersion:
        """Return the version of the written file."""
        return FileVersion(self.size, self.mtime_ns, self.inode, self.etag)

    def with_version(self, version: FileVersion) -> "OutputRecord":
        """Return the record of the same content in a file with this ``version``."""
        return msgspec.structs.replace(self, mtime_ns=version.mtime_ns, inode=version.inode, etag=version.etag)


class ImageResult(msgspec.Struct, frozen=True, array_like=True):
    """What the ledger stores for a finished image. ``notes`` are stable codes for data that was dropped or ignored.

    ``source_size`` is in bytes, ``columns`` are those of the ``Item``. ``former`` are outputs of earlier recipes that no longer
    belong to the image but were not removed. ``toolset`` is the number of the set of libraries that made the outputs, or the oldest
    of them; 0 in rows of earlier versions. ``source`` is what they were made from. ``facts`` are those that late names are made of.
    ``rejected``: why no output was made, if a filter or a step rejected the image.
    """

    outputs: tuple[OutputRecord, ...]
    notes: tuple[str, ...] = ()
    source_size: int = 0
    columns: bytes = b""
    former: tuple[OutputRecord, ...] = ()
    toolset: int = 0
    source: SourceRecord = SourceRecord()
    facts: NameFacts | None = msgspec.field(default=None, name="name_facts")  # its name in events
    rejected: str = ""

    @property
    def origin(self) -> Origin:
        """Return how the outputs were made."""
        return Origin(self.toolset, self.source, self.notes)

    @property
    def all_columns(self) -> bytes:
        """Return the columns of the list, and those that steps have added to the outputs, as one JSON object."""
        added = [output.columns for output in self.outputs if output.columns]
        if not added:
            return self.columns
        tables = [_columns(text) for text in (self.columns, *added) if text]
        return msgspec.json.encode({name: value for table in tables for name, value in table.items()})

    @property
    def recorded_outputs(self) -> tuple[OutputRecord, ...]:
        """Return every recorded output, of this recipe and of earlier ones."""
        return (*self.outputs, *self.former)


class _Tail(msgspec.Struct, frozen=True, array_like=True):
    """An ``ImageResult`` of which only the last fields are decoded, for every image of a re-run."""

    outputs: msgspec.Raw
    notes: msgspec.Raw = msgspec.Raw()
    source_size: msgspec.Raw = msgspec.Raw()
    columns: msgspec.Raw = msgspec.Raw()
    former: msgspec.Raw = msgspec.Raw()
    toolset: int = 0
    source: SourceRecord = SourceRecord()


_columns = msgspec.json.Decoder(dict[str, Any]).decode
_encoder = msgspec.msgpack.Encoder()
_items = msgspec.msgpack.Decoder(Item)
_heads = msgspec.msgpack.Decoder(_Head)
_results = msgspec.msgpack.Decoder(ImageResult)
_tails = msgspec.msgpack.Decoder(_Tail)
_last_unpacked = (b"", ImageResult(()))


def to_task(item: Item, fingerprint: bytes, key: bytes | None = None) -> Task:
    """Return the task for ``item``; its id changes with the source, the names, and ``fingerprint`` (that of the recipe).

    Its key in the ledger is its path, unless ``key`` is given.
    """
    return Task(id=task_id(item, fingerprint), key=item.entry.path if key is None else key, payload=_encoder.encode(item))


def task_id(item: Item, fingerprint: bytes) -> bytes:
    """Return the id of the task for ``item``."""
    names = (item.template.encode(),) if item.template else item.names
    identity = _encoder.encode((item.entry.identity, names, item.source_error, (item.columns,) if item.columns else ()))
    return blake2b(identity, key=fingerprint, digest_size=16).digest()


def with_former(
    task: Task,
    former: tuple[OutputRecord, ...],
    *,
    is_verified: bool = False,
    earlier: Origin | None = None,
    facts: NameFacts | None = None,
) -> Task:
    """Return ``task``, which an earlier run found, with the outputs made from it then, and ``facts``; its id does not change."""
    item = from_payload(task.payload)
    kept = facts if item.template else None
    item = msgspec.structs.replace(item, former=former, is_verified=is_verified, is_known=True, earlier=earlier, facts=kept)
    return with_item(task, item)


def with_item(task: Task, item: Item) -> Task:
    """Return ``task`` with more known about its ``item``; its id does not change."""
    return msgspec.structs.replace(task, payload=_encoder.encode(item))


def output_fingerprint(item: Item, index: int, fingerprint: bytes) -> bytes:
    """Return the fingerprint of the ``index``-th output of ``item``: equal fingerprints mean equal bytes.

    ``fingerprint`` is that of the rendition.
    """
    return blake2b(_encoder.encode((item.entry.identity, item.names[index])), key=fingerprint, digest_size=16).digest()


def from_payload(payload: bytes) -> Item:
    """Return the item that ``to_task`` encoded."""
    return _items.decode(payload)


def source_size(payload: bytes) -> int:
    """Return ``Item.expected_size`` of the item that ``to_task`` encoded."""
    return _heads.decode(payload).entry.size or from_payload(payload).expected_size


def source_changed_at(payload: bytes) -> int:
    """Return ``Entry.changed_at`` of the source of the item that ``to_task`` encoded."""
    return _heads.decode(payload).entry.changed_at


def pack(result: ImageResult) -> bytes:
    """Return ``result`` as the ledger stores it."""
    return _encoder.encode(result)


def unpack(result: bytes) -> ImageResult:
    """Return the result that ``pack`` encoded. The last one is remembered: a re-run asks for each several times in a row."""
    global _last_unpacked  # noqa: PLW0603  # one pair, assigned at once, so that threads cannot mix two
    packed, unpacked = _last_unpacked
    if packed is not result:
        unpacked = _results.decode(result)
        _last_unpacked = (result, unpacked)
    return unpacked


def unpack_origin(result: bytes) -> tuple[int, SourceRecord]:
    """Return only ``toolset`` and ``source`` of the result that ``pack`` encoded, in a fraction of the time."""
    tail = _tails.decode(result)
    return tail.toolset, tail.source
