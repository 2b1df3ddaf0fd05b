"""Adopt existing files as outputs, for ``--existing adopt``: complete ones with the format and size that the recipe makes."""

from collections.abc import Iterator, Sequence

from pixmill.batch.item import Item, OutputRecord
from pixmill.core.errors import ImageError, ReadError
from pixmill.imaging.header import Header
from pixmill.imaging.input import Input
from pixmill.imaging.pipeline.existing_output import ExistingOutput, examine
from pixmill.imaging.pipeline.identify import read_header, without_preamble
from pixmill.imaging.recipe import Recipe, Rendition
from pixmill.storage.storage import Storage, content_digest

ADOPTED = "adopted"  # the note of an image with an adopted output


class Adoption:
    """Looks in ``destination`` for outputs of ``recipe``; files of more than ``limit`` bytes are not examined."""

    def __init__(self, destination: Storage, recipe: Recipe, *, limit: int) -> None:
        """Read nothing yet."""
        self._destination = destination
        self._recipe = recipe
        self._limit = limit

    def adopt(self, item: Item, source: Input, indexes: Sequence[int], fingerprints: Sequence[bytes]) -> Iterator[OutputRecord]:
        """Yield a record of each file that may serve as one of the outputs of ``item`` with these ``indexes``."""
        found = [index for index in indexes if self._destination.stat(item.names[index])]
        if not found:
            return
        header = read_header(without_preamble(source), self._recipe)
        for index in found:
            record = self._adopted(item.names[index], header, self._recipe.renditions[index], fingerprints[index])
            if record is not None:
                yield record

    def _adopted(self, name: bytes, source: Header, rendition: Rendition, fingerprint: bytes) -> OutputRecord | None:
        version = self._destination.version_of(name)
        try:
            data = self._destination.read(name, limit=self._limit)
        except ReadError as error:
            if error.retryable:
                raise
            return None
        existing = self._examined(data, source, rendition)
        if version is None or existing is None or version.size != len(data):
            return None
        width, height, kind = existing.width, existing.height, existing.format
        digest = content_digest(data)
        record = OutputRecord(name, len(data), width, height, kind, digest, rendition.name, fingerprint, is_adopted=True)
        return record.with_version(version)

    def _examined(self, data: bytes, source: Header, rendition: Rendition) -> ExistingOutput | None:
        try:
            return examine(Input(data), source, rendition, self._recipe)
        except ImageError:
            return None
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001  # a decoder raises many kinds for a damaged file
            return None
