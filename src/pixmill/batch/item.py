"""``Item``: one input of a run, and how it becomes a task and a result."""

from hashlib import blake2b

import msgspec

from pixmill.engine.task import Task
from pixmill.storage.storage import Entry

PHOTOGRAPH = 1_000_000  # bytes


class Item(msgspec.Struct, frozen=True, array_like=True):
    """One source image with the names of its outputs, one for each rendition. What a task's payload holds.

    ``refusal`` is set for what the source could not even list, such as a folder without permission: it fails with that.
    ``columns`` is what a list says of it besides its path, as a JSON object. ``kept`` are outputs of an earlier run that need
    not be made again, and ``place`` is how the source's storage finds it: they are no part of the task's identity.
    ``is_seen`` says that the kept ones were seen where they are, which may be where a worker does not look.
    """

    entry: Entry
    names: tuple[bytes, ...] = ()
    refusal: str = ""
    kept: tuple["Written", ...] = ()
    place: bytes = b""
    columns: bytes = b""
    is_seen: bool = False

    @property
    def expected_size(self) -> int:
        """Return the bytes of the source, or where nobody has been asked for them (a URL) those of a usual photograph."""
        return self.entry.size or (PHOTOGRAPH if self.place else 0)


class Written(msgspec.Struct, frozen=True, array_like=True):
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


class Product(msgspec.Struct, frozen=True, array_like=True):
    """What the ledger keeps of a finished image. ``notes`` are stable codes of what was dropped or ignored on the way.

    ``columns`` are those of its ``Item``.
    """

    outputs: tuple[Written, ...]
    notes: tuple[str, ...] = ()
    source_size: int = 0
    columns: bytes = b""


_encoder = msgspec.msgpack.Encoder()
_items = msgspec.msgpack.Decoder(Item)
_products = msgspec.msgpack.Decoder(Product)


def to_task(item: Item, fingerprint: bytes) -> Task:
    """Return the task for ``item``; its id changes with the source, the names, and ``fingerprint`` (recipe and engine)."""
    identity = _encoder.encode((item.entry, item.names, item.refusal, (item.columns,) if item.columns else ()))
    digest = blake2b(identity, key=fingerprint, digest_size=16).digest()
    return Task(id=digest, key=item.entry.path, payload=_encoder.encode(item))


def with_kept(task: Task, kept: tuple[Written, ...], *, is_seen: bool = False) -> Task:
    """Return ``task`` with outputs that need not be made again; its id stays."""
    item = from_payload(task.payload)
    return msgspec.structs.replace(task, payload=_encoder.encode(msgspec.structs.replace(item, kept=kept, is_seen=is_seen)))


def mark(item: Item, index: int, fingerprint: bytes) -> bytes:
    """Return what tells whether the ``index``-th output of ``item`` would be the same again under ``fingerprint``."""
    return blake2b(_encoder.encode((item.entry, item.names[index])), key=fingerprint, digest_size=16).digest()


def from_payload(payload: bytes) -> Item:
    """Return the item that ``to_task`` packed."""
    return _items.decode(payload)


def pack(product: Product) -> bytes:
    """Return ``product`` as the result that the ledger keeps."""
    return _encoder.encode(product)


def unpack(result: bytes) -> Product:
    """Return the product that ``pack`` packed."""
    return _products.decode(result)
