"""The process that writes what others make: it decodes nothing, and believes them nothing."""

import fcntl
import mmap
import os
import socket
import struct
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress

import msgspec

from pixmill.core.errors import PixmillError, WriteError
from pixmill.core.phases import Phases
from pixmill.storage.entry import FileVersion
from pixmill.storage.storage import no_op
from pixmill.storage.writer.files import Writer
from pixmill.storage.writer.messages import MAX_MESSAGE, WriteFailure, WriteReply, WriteRequest

_MAX_GROUP = 16  # requests that are written together, as many as a worker has at a time
_MAX_COPIED = 1 << 20  # bytes; a larger content is mapped instead of copied, which takes longer for a small one
_DESCRIPTOR = struct.Struct("@i")
_ANCILLARY_SIZE = socket.CMSG_SPACE(_DESCRIPTOR.size)
_F_ADD_SEALS, _ALL_SEALS = 1033, 0b1111  # fcntl(2): from now on, content, size and seals of a memory file stay


def serve(writer: Writer, connections: Iterable[socket.socket]) -> None:
    """Write with ``writer`` what comes over each of ``connections``, in a thread for each, until there are no more."""
    for connection in connections:
        threading.Thread(target=_Session(writer, connection).run, daemon=True).start()


class _Session:
    """The requests that come over one connection."""

    def __init__(self, writer: Writer, connection: socket.socket) -> None:
        self._writer = writer
        self._connection = connection

    def run(self) -> None:
        """Write what arrives, in groups, and reply, until the other end is closed or sends what is no request."""
        with self._connection, suppress(OSError, ValueError):  # also those of msgspec
            while received := self._receive(0):
                group: dict[int, Phases[list[FileVersion]]] = {}
                while received:
                    request, content = received
                    work = self._work(request, content)
                    if self._advance(request.number, work):
                        group[request.number] = work
                    received = self._receive(socket.MSG_DONTWAIT) if len(group) < _MAX_GROUP else None
                while group:
                    group = {number: work for number, work in group.items() if self._advance(number, work)}

    def _receive(self, flags: int) -> tuple[WriteRequest, Sequence[memoryview]] | None:
        """Return the next request, with the content of each of its files; ``None`` if there is none, or will be none."""
        try:
            message, ancillary, _, _ = self._connection.recvmsg(MAX_MESSAGE, _ANCILLARY_SIZE, flags)  # ``recv_fds`` ignores flags
        except BlockingIOError:
            return None
        descriptors = [descriptor for _, _, data in ancillary for (descriptor,) in _DESCRIPTOR.iter_unpack(data)]
        try:
            if not message:
                return None
            request = msgspec.msgpack.decode(message, type=WriteRequest)
            (content,) = descriptors
            return request, _contents(content, [file.size for file in request.files])
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _work(self, request: WriteRequest, contents: Sequence[memoryview]) -> Phases[list[FileVersion]]:
        files = [file.new_file(data) for file, data in zip(request.files, contents, strict=True)]
        return self._writer.write(files, durable=request.durable, on_sync=no_op)

    def _advance(self, number: int, work: Phases[list[FileVersion]]) -> bool:
        """Run the next phase of a request; reply if it was the last one; return whether there are more."""
        try:
            next(work)
        except StopIteration as end:
            reply = WriteReply(number, tuple(end.value))
        except PixmillError as error:
            reply = WriteReply(number, failure=WriteFailure.of(error))
        except Exception as error:  # noqa: BLE001  # whatever it is, it concerns one request
            text = f"the output could not be written: {type(error).__name__}: {error}"
            reply = WriteReply(number, failure=WriteFailure.of(WriteError(text)))
        else:
            return True
        self._connection.send(msgspec.msgpack.encode(reply))
        return False


def _contents(descriptor: int, sizes: Sequence[int]) -> list[memoryview]:
    """Return consecutive parts, with these ``sizes``, of the memory file ``descriptor``. ``ValueError`` if it has another size."""
    fcntl.fcntl(descriptor, _F_ADD_SEALS, _ALL_SEALS)
    size = os.fstat(descriptor).st_size
    if sum(sizes) != size or min(sizes, default=0) < 0:
        raise ValueError(sizes)
    is_mapped = size > _MAX_COPIED
    whole = memoryview(mmap.mmap(descriptor, size, access=mmap.ACCESS_READ) if is_mapped else os.pread(descriptor, size, 0))
    ends = [sum(sizes[: index + 1]) for index in range(len(sizes))]
    return [whole[end - length : end] for length, end in zip(sizes, ends, strict=True)]
