"""Find what the names of an image's outputs are made of, if they depend on its content; only headers are read."""

from datetime import UTC, datetime

import msgspec

from pixmill.batch.item import Item
from pixmill.batch.naming.template import Template, own_extension
from pixmill.core.errors import ImageError
from pixmill.imaging.format import Format
from pixmill.imaging.formats import sniff
from pixmill.imaging.input import Input
from pixmill.imaging.pipeline.describe import Description, describe
from pixmill.imaging.recipe import Recipe
from pixmill.imaging.step_sizes import output_sizes
from pixmill.storage.storage import Storage

MAX_HEADER_BYTES = 1 << 18  # read from a source that is not a local file, before all of it is
DATE, SIZE = "date", frozenset(("width", "height"))
#: What the coordinator knows.
GIVEN = frozenset(("counter", "source"))
FIRST = "jpeg"  # the format whose metadata always precede the pixels
_NANOSECONDS = 1_000_000_000


class LateFacts(msgspec.Struct, frozen=True, array_like=True):
    """What a worker found: the ``values`` of the late fields, and the extension and size of each output.

    The width and height among the values are those of the source, upright. A date that ends in ``Z`` is in UTC. ``sizes`` is empty
    if no name needs them.
    """

    values: dict[str, str]
    extensions: tuple[str, ...]
    sizes: tuple[tuple[int, int], ...] = ()


class LateFactsReader:
    """Reads from ``source`` what the template of an item needs and is not recorded yet. Files of more than ``limit`` bytes fail."""

    def __init__(self, source: Storage, recipe: Recipe, *, limit: int) -> None:
        """Store the parameters."""
        self._source = source
        self._recipe = recipe
        self._limit = limit

    def read(self, item: Item) -> bytes:
        """Return the encoded ``LateFacts`` of ``item``."""
        known = item.facts.values if item.facts else {}
        fields = Template(item.template).late_fields - GIVEN
        missing = fields - known.keys()
        path = item.locator or item.entry.path
        follows = any(rendition.encode.follows_source for rendition in self._recipe.renditions)
        source = self._open(path) if missing or follows else Input(b"")
        values = dict(known)
        if missing:
            found, source = self._describe(path, source, with_metadata=bool(missing - SIZE))
            values |= {"width": str(found.width), "height": str(found.height)}
            values |= {name: found.values.get(name, "") for name in missing - SIZE}
            if DATE in missing:
                values[DATE] = values[DATE] or self._modified(path)
        own = own_extension(item.entry.path)
        extensions = tuple(rendition.encode.extension_for(source.head, own) for rendition in self._recipe.renditions)
        sizes = output_sizes(self._recipe, (int(values["width"]), int(values["height"]))) if fields & SIZE else ()
        return msgspec.msgpack.encode(LateFacts(values, extensions, sizes))

    def _open(self, path: bytes) -> Input:
        local = self._source.local_path(path)
        return Input(self._source.head(path, MAX_HEADER_BYTES)) if local is None else Input(path=local)

    def _describe(self, path: bytes, source: Input, *, with_metadata: bool) -> tuple[Description, Input]:
        """Describe ``source``; if it is only the first part, and not enough, read all of it."""
        if source.data is None or len(source.data) < MAX_HEADER_BYTES:
            return describe(source, self._recipe, with_metadata=with_metadata), source
        if not with_metadata or _name(sniff(source.head)) == FIRST:
            try:
                return describe(source, self._recipe, with_metadata=with_metadata), source
            except ImageError:
                pass  # the header ends later
        source = Input(self._source.read(path, limit=self._limit))
        return describe(source, self._recipe, with_metadata=with_metadata), source

    def _modified(self, path: bytes) -> str:
        """Return when the file was modified, in UTC, with a ``Z`` at its end; empty if that is not known."""
        modified = self._source.modified_ns(path)
        if modified is None:
            return ""
        return datetime.fromtimestamp(modified // _NANOSECONDS, UTC).replace(tzinfo=None).isoformat() + "Z"


def _name(file_format: Format | None) -> str:
    return file_format.name if file_format else ""


def facts_of(finding: bytes) -> LateFacts:
    """Return the facts that ``LateFactsReader.read`` encoded."""
    return msgspec.msgpack.decode(finding, type=LateFacts)
