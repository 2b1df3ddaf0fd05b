"""``HeaderHandler`` reads the size of one image in a worker process. Nothing is decoded or written."""

import msgspec

from pixmill.batch.item import Item, from_payload
from pixmill.batch.worker.options import HandlerOptions
from pixmill.engine.handler import Stages
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.input import Input
from pixmill.imaging.pipeline.identify import read_header, without_preamble
from pixmill.imaging.process import configure
from pixmill.imaging.recipe import Recipe
from pixmill.storage.address import Address
from pixmill.storage.open import open_storage

MAX_HEADER_BYTES = 1 << 18  # read from a source that is not a local file; a header beyond them is not found


class HeaderHandler:
    """Reads the header of one image."""

    def __init__(self, options: HandlerOptions) -> None:
        """Open the source and build the recipe, once per worker."""
        self._source = open_storage(Address.parse(options.source), follow_symlinks=options.follow_symlinks)
        self._recipe = Recipe.from_builtins(options.recipe)

    def __call__(self, payload: bytes, stages: Stages) -> bytes:
        """Return the encoded size of the item in ``payload``, after autorotation; fails for images that would fail in a run."""
        stages.enter("header")
        header = read_header(without_preamble(self._input(from_payload(payload))), self._recipe)
        return msgspec.msgpack.encode(header.upright)

    def _input(self, item: Item) -> Input:
        path = item.locator or item.entry.path
        local = self._source.local_path(path)
        return Input(self._source.head(path, MAX_HEADER_BYTES)) if local is None else Input(path=local)


def size_of(result: bytes) -> Size:
    """Return the size that a ``HeaderHandler`` encoded."""
    size: Size = msgspec.msgpack.decode(result, type=Size)
    return size


def header_handler(options: bytes) -> HeaderHandler:
    """Build the handler from encoded ``HandlerOptions``; the function that a ``HandlerRef`` names."""
    configure()
    return HeaderHandler(msgspec.msgpack.decode(options, type=HandlerOptions))
