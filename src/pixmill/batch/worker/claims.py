"""The names that an image may write to: free names, its own, and those that ``--existing`` allows."""

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from pixmill.batch.item import Item, OutputRecord
from pixmill.batch.worker.options import HandlerOptions
from pixmill.core.errors import ReadError, Skip, WriteError
from pixmill.storage.entry import FileVersion
from pixmill.storage.storage import Replacing, Storage, WrittenFile, content_digest, occupied

EXISTS = "exists"
# the evidence of ``EXISTS``, beside the version of the file: the number of the output whose name is taken, from 0, and the option
OUTPUT, EXISTING = "output", "existing"
NAME = "name"  # the name itself, if it is not known before the image is read
REPAIR = "repair"  # replaces outputs that were changed, but no other files; ``verify --repair`` sets it
REPLACING = ("replace", REPAIR)


class OutputNames:
    """The names of one image's outputs in ``destination``. ``source`` returns the device and inode of the source file."""

    def __init__(
        self, destination: Storage, options: HandlerOptions, item: Item, *, source: Callable[[], tuple[int, int] | None]
    ) -> None:
        """Store the parameters; nothing is read yet."""
        self._destination = destination
        self._options = options
        self._item = item
        self._source = source
        self._own: dict[bytes, tuple[WrittenFile, ...]] = {}
        for output in item.former:
            self._own[output.name] = (*self._own.get(output.name, ()), WrittenFile(output.version, output.digest))

    def replacing(self, name: bytes) -> Replacing:
        """Return which existing files at ``name`` may be replaced."""
        existing, own = self._options.existing, self._own.get(name, ())
        return Replacing(
            own=own,
            others=existing == "replace" or (existing == REPAIR and bool(own)),
            unrecorded=self._options.unrecorded if self._item.is_known else (),
            source=self._source,
            is_conditional=self._options.is_conditional,
        )

    def may_adopt(self, name: bytes) -> bool:
        """Tell whether a file at ``name`` would be a foreign one, and not the source itself."""
        path = self._destination.local_path(name)
        if name in self._own or path is None:
            return name not in self._own
        try:
            status = os.lstat(path)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) != self._source()

    def keeps(self, output: OutputRecord) -> bool:
        """Tell whether the former ``output`` need not be made again: it exists, or was changed by another program and stays."""
        version = self._destination.version_of(output.name)
        if version is None or not version.size:
            return False
        if version.size == output.size and self._has_content(output, version):
            return True
        return self._options.existing not in REPLACING and not self._may_be_unrecorded(output.name)

    def check_skip(self, names: Iterable[bytes]) -> None:
        """Raise ``Skip`` before any work is done, if ``--existing skip`` is set and a name is taken by a foreign file."""
        if self._options.existing == "skip":
            for name in names:
                if name not in self._own and self._destination.is_occupied(name) and not self._may_be_unrecorded(name):
                    raise Skip(EXISTS)

    def check(self, outputs: Mapping[bytes, bytes]) -> None:
        """Raise ``WriteError``, before any of several outputs is written, if one has the name of a file that may not be replaced.

        An image with one output is not checked: its write fails by itself.
        """
        if len(outputs) == 1 or self._options.existing == "replace":
            return
        for name, data in outputs.items():
            version = self._destination.version_of(name)
            if version is not None and not self._may_replace(name, version):
                self._compare(name, data, version)

    def translate_error(self, error: WriteError, name: bytes) -> Exception:
        """Return the exception to raise for ``error``: ``Skip`` if ``name`` is taken and ``--existing skip`` is set."""
        if error.code != EXISTS:
            return error
        if self._options.existing == "skip":
            return Skip(EXISTS)
        if error.evidence:
            kept = {field: each for field, each in error.evidence.items() if field != "inode" or self._options.keeps_inodes}
            error.evidence = {OUTPUT: self._item.names.index(name), EXISTING: self._options.existing, **kept}
            if self._item.template:
                with suppress(UnicodeDecodeError):
                    error.evidence[NAME] = name.decode()
        return error

    def _has_content(self, output: OutputRecord, version: FileVersion) -> bool:
        """Tell whether the file of ``output``, which has the right size, has its content; a repair reads it in any case."""
        is_believed = version.matches(output.version) or not output.version.is_exact
        if is_believed and self._options.existing != REPAIR:
            return True
        return self._digest(output.name, output.size) == output.digest

    def _may_replace(self, name: bytes, version: FileVersion) -> bool:
        own = self._own.get(name, ())
        if self._destination.local_path(name) is not None and self._may_be_unrecorded(name):
            return True
        if not own:
            return False
        if not version.size or self._options.existing == REPAIR or any(version.matches(each.version) for each in own):
            return True
        sizes = {each.version.size for each in own}
        return version.size in sizes and self._digest(name, version.size) in {each.digest for each in own}

    def _may_be_unrecorded(self, name: bytes) -> bool:
        """Tell whether a run that was cut short may have written what is at ``name``; a store does not tell when it was written."""
        spans = self._options.unrecorded if self._item.is_known else ()
        path = self._destination.local_path(name)
        if path is None or not spans:
            return bool(spans)
        try:
            changed = os.lstat(path).st_ctime_ns
        except OSError:
            return False
        return any(begin <= changed <= end for begin, end in spans)

    def _compare(self, name: bytes, data: bytes, version: FileVersion) -> None:
        if version.size != len(data) or self._digest(name, len(data)) != content_digest(data):
            raise self.translate_error(occupied(name, version, own=self._own.get(name, ())), name)

    def _digest(self, name: bytes, size: int) -> bytes | None:
        """Return the digest of the file at ``name``; ``None`` if it cannot be read."""
        try:
            return content_digest(self._destination.read(name, limit=size))
        except ReadError as error:
            if error.retryable:
                raise
            return None
