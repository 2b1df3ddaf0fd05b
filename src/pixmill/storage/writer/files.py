"""The files to write, and who writes them."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from pixmill.core.errors import WriteError
from pixmill.core.phases import Phases, in_lockstep
from pixmill.storage.entry import FileVersion
from pixmill.storage.storage import FREE_NAME, Replacing, Storage


class NewFile(msgspec.Struct, frozen=True):
    """A file to write: the parameters of ``Storage.write`` that are its own."""

    name: bytes
    data: bytes | memoryview
    mtime_ns: int | None = None
    replacing: Replacing = FREE_NAME


class Writer(Protocol):
    """Writes files to a storage, several at a time."""

    def write(self, files: Sequence[NewFile], *, durable: bool, on_sync: Callable[[], None]) -> Phases[list[FileVersion]]:
        """Write ``files`` in phases, as ``Storage.write_phases`` does, and return their versions in order.

        If one cannot be written, those that are not complete yet are not written, and the error is raised; a ``WriteError`` tells
        the ``name`` of the file.
        """


class DirectWriter(Writer):
    """Writes to ``storage`` from this process."""

    def __init__(self, storage: Storage) -> None:
        """Write to ``storage``."""
        self._storage = storage

    def write(self, files: Sequence[NewFile], *, durable: bool, on_sync: Callable[[], None]) -> Phases[list[FileVersion]]:
        """Write ``files``."""
        return in_lockstep(self._write(file, durable=durable, on_sync=on_sync) for file in files)

    def _write(self, file: NewFile, *, durable: bool, on_sync: Callable[[], None]) -> Phases[FileVersion]:
        try:
            return (
                yield from self._storage.write_phases(
                    file.name, file.data, durable=durable, mtime_ns=file.mtime_ns, on_sync=on_sync, replacing=file.replacing
                )
            )
        except WriteError as error:
            error.name = file.name
            raise
