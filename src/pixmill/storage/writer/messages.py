"""The messages between a process that makes files and the one that writes them, over a Unix socket of type SEQPACKET.

One sends requests as a memory file whose descriptor comes with a packet: a list of ``WriterRequest`` as msgpack, whose length is in
the packet, and then the content of all files, one behind another. The other sends packets, each a list of ``WriterReply``.
"""

import struct

import msgspec

from pixmill.core.errors import AddressError, PixmillError, ReadError, RunError, WriteError
from pixmill.storage.entry import FileVersion
from pixmill.storage.storage import Replacing, WrittenFile
from pixmill.storage.writer.files import NewFile

HEADER = struct.Struct("=Q")  # a packet of requests: the length of their list in bytes
MAX_REPLY = 1 << 17  # bytes of a packet of replies
_KINDS = {kind.__name__: kind for kind in (AddressError, ReadError, RunError, WriteError)}  # of errors that a storage raises


class FileRequest(msgspec.Struct, frozen=True, array_like=True):
    """A file to write: its name, the size of its content, and what ``Replacing`` says of existing files."""

    name: bytes
    size: int
    mtime_ns: int | None
    own: tuple[WrittenFile, ...]
    others: bool
    unrecorded: tuple[tuple[int, int], ...]
    source: tuple[int, int] | None

    @classmethod
    def of(cls, file: NewFile) -> "FileRequest":
        """Describe ``file``."""
        replacing = file.replacing
        spans = replacing.unrecorded
        return cls(file.name, len(file.data), file.mtime_ns, replacing.own, replacing.others, spans, replacing.source())

    def new_file(self, data: memoryview) -> NewFile:
        """Return the file again, with its content."""
        source = self.source
        replacing = Replacing(own=self.own, others=self.others, unrecorded=self.unrecorded, source=lambda: source)
        return NewFile(self.name, data, self.mtime_ns, replacing)


class WriterRequest(msgspec.Struct, frozen=True, array_like=True):
    """Files to write together. ``number`` tells the requests of a connection apart."""

    number: int
    durable: bool
    files: tuple[FileRequest, ...]


class WriterFailure(msgspec.Struct, frozen=True, array_like=True):
    """An error of a storage: the name of its class, and its attributes. ``name`` is the file that could not be written."""

    kind: str
    message: str
    hint: str
    code: str
    retryable: bool
    options: dict[str, bool | int | str]
    evidence: dict[str, int | str]
    name: bytes

    @classmethod
    def of(cls, error: PixmillError) -> "WriterFailure":
        """Describe ``error``."""
        name, kind = getattr(error, "name", b""), type(error).__name__
        return cls(kind, error.message, error.hint, error.code, error.retryable, error.options, dict(error.evidence), name)

    def error(self) -> PixmillError:
        """Return the error again."""
        error = _KINDS[self.kind](self.message, code=self.code, retryable=self.retryable, evidence=self.evidence)
        error.hint, error.options = self.hint, self.options
        if isinstance(error, WriteError):
            error.name = self.name
        return error


class WriterReply(msgspec.Struct, frozen=True, array_like=True):
    """The versions of the files of a request, or why they could not be written."""

    number: int
    versions: tuple[FileVersion, ...] = ()
    failure: WriterFailure | None = None
