"""``Item``: one input of a run, and how it becomes a task and a result."""

from hashlib import blake2b

import msgspec

from pixmill.engine.task import Task
from pixmill.storage.entry import Entry

PHOTOGRAPH = 1_000_000  # bytes


class Item(msgspec.Struct, frozen=True, array_like=True):
    """One source image with the names of its outputs, one for each rendition. What a task's payload holds.

    ``refusal`` is set for what the source could not even list, such as a folder without permission: it fails with that.
    ``columns`` is what a list says of it besides its path, as a JSON object. ``place`` is how the source's storage finds it.
    ``former`` are the outputs that earlier runs made of it, ``is_seen`` that these were seen where they are, which may be where a
    worker does not look; ``is_known`` that an earlier run has found it. None of these is part of the task's identity.
    ``is_reserved`` says that it was refused because of the name that its output would have.
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

    @property
    def expected_size(self) -> int:
        """Return the bytes of the source, or where nobody has been asked for them (a URL) those of a usual photograph."""
        return self.entry.size or (PHOTOGRAPH if self.locator else 0)


class _Head(msgspec.Struct, frozen=True, array_like=True):
    """The first field of an ``Item``, for what asks for no other: decoding is what a re-run spends its time on."""

    entry: Entry


class OutputRecord(msgspec.Struct, frozen=True, array_like=True):
    """One output as it was written.

    ``digest`` is the 16-byte BLAKE2b of its bytes, ``mark`` that of all that decides them: source, name, rendition.
    """

    name: bytes
    size: int
    width: int
    height: int
    format: str
    digest: bytes
    rendition: str = ""
    mark: bytes = b""


class ImageResult(msgspec.Struct, frozen=True, array_like=True):
    """What the ledger keeps of a finished image. ``notes`` are stable codes of what was dropped or ignored on the way.

    ``columns`` are those of its ``Item``. ``former`` are outputs of earlier recipes that no longer belong to it, and were not
    removed.
    """

    outputs: tuple[OutputRecord, ...]
    notes: tuple[str, ...] = ()
    source_size: int = 0
    columns: bytes = b""
    former: tuple[OutputRecord, ...] = ()

    @property
    def recorded_outputs(self) -> tuple[OutputRecord, ...]:
        """Return every output that is on record: of this recipe and of earlier ones."""
        return (*self.outputs, *self.former)


_encoder = msgspec.msgpack.Encoder()
_items = msgspec.msgpack.Decoder(Item)
_heads = msgspec.msgpack.Decoder(_Head)
_products = msgspec.msgpack.Decoder(ImageResult)


def to_task(item: Item, fingerprint: bytes) -> Task:
    """Return the task for ``item``; its id changes with the source, the names, and ``fingerprint`` (recipe and engine)."""
    identity = _encoder.encode((item.entry, item.names, item.source_error, (item.columns,) if item.columns else ()))
    digest = blake2b(identity, key=fingerprint, digest_size=16).digest()
    return Task(id=digest, key=item.entry.path, payload=_encoder.encode(item))


def with_former(task: Task, former: tuple[OutputRecord, ...], *, is_seen: bool = False) -> Task:
    """Return ``task``, which an earlier run has found, with the outputs that were made of it then; its id stays."""
    item = from_payload(task.payload)
    item = msgspec.structs.replace(item, former=former, is_verified=is_seen, is_known=True)
    return msgspec.structs.replace(task, payload=_encoder.encode(item))


def output_fingerprint(item: Item, index: int, fingerprint: bytes) -> bytes:
    """Return what tells whether the ``index``-th output of ``item`` would be the same again under ``fingerprint``."""
    return blake2b(_encoder.encode((item.entry, item.names[index])), key=fingerprint, digest_size=16).digest()


def from_payload(payload: bytes) -> Item:
    """Return the item that ``to_task`` packed."""
    return _items.decode(payload)


def source_size(payload: bytes) -> int:
    """Return ``Item.expected_size`` of what ``to_task`` packed."""
    return _heads.decode(payload).entry.size or from_payload(payload).expected_size


def pack(product: ImageResult) -> bytes:
    """Return ``product`` as the result that the ledger keeps."""
    return _encoder.encode(product)


def unpack(result: bytes) -> ImageResult:
    """Return the product that ``pack`` packed."""
    return _products.decode(result)
