"""``ImageHandler``: what a worker process does with one image. Imports nothing that a worker does not need."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Protocol

import msgspec

from pixmill.batch.item import Item, Product, Written, from_payload, pack
from pixmill.core.errors import ReadError
from pixmill.imaging.input import Input
from pixmill.imaging.process import Output, configure, process
from pixmill.imaging.recipe import Recipe
from pixmill.storage.open import open_storage

IN_MEMORY = 64_000_000  # bytes; a larger source is streamed from its file, where it has one


class HandlerOptions(msgspec.Struct, frozen=True):
    """What every task of a run has in common. ``tag`` marks this run's temporaries; ``recipe`` is plain data."""

    source: str
    destination: str
    tag: str
    recipe: dict[str, Any]
    max_bytes: int
    durable: bool
    keep_mtime: bool
    follow_symlinks: bool


class Stages(Protocol):
    """Where the handler says what it is doing, and how much of it there was."""

    def enter(self, stage: str) -> None:
        """Say that ``stage`` begins."""

    def count(self, measure: str, amount: int) -> None:
        """Add ``amount`` to ``measure``."""


class ImageHandler:
    """Reads one image, makes its renditions, writes them. Returns once every output is durable."""

    def __init__(self, options: HandlerOptions) -> None:
        """Open both ends and build the recipe, once for the worker's life."""
        self._options = options
        self._source = open_storage(options.source, follow_symlinks=options.follow_symlinks)
        self._destination = open_storage(options.destination, tag=options.tag)
        self._recipe = Recipe.from_builtins(options.recipe)

    def __call__(self, payload: bytes, stages: Stages) -> bytes:
        """Process the item in ``payload``; return the packed ``Product``."""
        item = from_payload(payload)
        stages.enter("read")
        if item.refusal:
            raise ReadError(item.refusal, hint="make it readable, then: pixmill retry DST")
        result = process(self._read(item), self._recipe, enter=stages.enter)
        self._check_unchanged(item)
        stages.enter("write")
        outputs = tuple(self._write(item, output, name) for output, name in zip(result.outputs, item.names, strict=True))
        self._count(item, outputs, result.header.width * result.header.height, stages.count)
        for note in result.notes:
            stages.count(f"note.{note}", 1)
        return pack(Product(outputs, result.notes, item.entry.size))

    def _read(self, item: Item) -> Input:
        path = item.entry.path
        local = self._source.local_path(path) if item.entry.size > IN_MEMORY else None
        if local is not None and item.entry.size <= self._options.max_bytes:
            return Input(path=local)
        return Input(self._source.read(path, limit=self._options.max_bytes))

    def _check_unchanged(self, item: Item) -> None:
        """Refuse a source that was written to while it was read: what was decoded may be half of each version."""
        if self._source.stat(item.entry.path) != item.entry:
            raise ReadError(
                "the file changed or vanished while it was read", code="changed", hint="run again: it will be taken as it is then"
            )

    def _write(self, item: Item, output: Output, name: bytes) -> Written:
        mtime = int(item.entry.version) if self._options.keep_mtime else None
        self._destination.write(name, output.data, durable=self._options.durable, mtime_ns=mtime)
        digest = blake2b(output.data, digest_size=16).digest()
        return Written(name, len(output.data), output.width, output.height, output.format, digest, output.rendition)

    def _count(self, item: Item, outputs: tuple[Written, ...], pixels: int, count: Callable[[str, int], None]) -> None:
        count("bytes_in", item.entry.size)
        count("bytes_out", sum(output.size for output in outputs))
        count("pixels_in", pixels)
        count("outputs", len(outputs))


def image_handler(options: bytes) -> ImageHandler:
    """Build the handler from packed ``HandlerOptions``: what a ``HandlerRef`` names."""
    configure()
    return ImageHandler(msgspec.msgpack.decode(options, type=HandlerOptions))
