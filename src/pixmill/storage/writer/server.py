"""The process that writes what others make: it decodes nothing, and believes them nothing."""

import mmap
import os
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress

import msgspec

from pixmill.core.errors import PixmillError, WriteError
from pixmill.core.phases import Phases
from pixmill.storage.entry import FileVersion
from pixmill.storage.storage import no_op
from pixmill.storage.writer.files import Writer
from pixmill.storage.writer.messages import HEADER, MAX_REPLY, WriterFailure, WriterReply, WriterRequest

_MAX_COPIED = 1 << 20  # bytes; a larger packet is mapped instead of copied, which takes longer for a small one
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
        """Write what arrives until the other end is closed, or sends what is no request."""
        with self._connection, suppress(OSError, ValueError):  # also the errors of msgspec
            while packet := self._receive():
                self._write(dict(self._works(packet)))

    def _receive(self) -> "_Packet | None":
        """Return the next packet; ``None`` at the end."""
        header, descriptors, _, _ = socket.recv_fds(self._connection, HEADER.size, 1)
        try:
            if len(header) != HEADER.size:
                return None
            (descriptor,) = descriptors
            return _Packet(descriptor, HEADER.unpack(header)[0])
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _works(self, packet: "_Packet") -> Iterator[tuple[int, Phases[list[FileVersion]]]]:
        """Yield the number of each request, and the work that it is."""
        for request in packet.requests():
            files = [file.new_file(packet.content(file.size)) for file in request.files]
            yield request.number, self._writer.write(files, durable=request.durable, on_sync=no_op)

    def _write(self, works: dict[int, Phases[list[FileVersion]]]) -> None:
        """Run all phases of ``works``, in step, and send the replies of those that end in a round together."""
        while works:
            replies = [reply for number, work in works.items() if (reply := _advance(number, work))]
            for reply in replies:
                del works[reply.number]
            packets = [msgspec.msgpack.encode(replies)]
            if len(packets[0]) > MAX_REPLY:  # long texts of many errors
                packets = [msgspec.msgpack.encode([reply]) for reply in replies]
            if replies:
                for packet in packets:
                    self._connection.send(packet)


class _Packet:
    """Requests and the contents of their files, which nobody can change any more. ``ValueError`` if they are incomplete."""

    def __init__(self, descriptor: int, length: int) -> None:
        """Read the memory file ``descriptor``, which begins with the ``length`` bytes of the requests."""
        import fcntl  # noqa: PLC0415  # not on Windows

        fcntl.fcntl(descriptor, _F_ADD_SEALS, _ALL_SEALS)
        size = os.fstat(descriptor).st_size
        is_mapped = size > _MAX_COPIED
        whole = mmap.mmap(descriptor, size, access=mmap.ACCESS_READ) if is_mapped else os.pread(descriptor, size, 0)
        self._requests, self._remainder = memoryview(whole)[:length], memoryview(whole)[length:]

    def requests(self) -> list[WriterRequest]:
        """Return the requests."""
        return msgspec.msgpack.decode(self._requests, type=list[WriterRequest])

    def content(self, size: int) -> memoryview:
        """Return the content of the next file."""
        if not 0 <= size <= len(self._remainder):
            raise ValueError(size)
        content, self._remainder = self._remainder[:size], self._remainder[size:]
        return content


def _advance(number: int, work: Phases[list[FileVersion]]) -> WriterReply | None:
    """Run the next phase of a request; return the reply if it was the last one."""
    try:
        next(work)
    except StopIteration as end:
        return WriterReply(number, tuple(end.value))
    except PixmillError as error:
        return WriterReply(number, failure=WriterFailure.of(error))
    except Exception as error:  # noqa: BLE001  # whatever it is, it concerns one request
        text = f"the output could not be written: {type(error).__name__}: {error}"
        return WriterReply(number, failure=WriterFailure.of(WriteError(text)))
    return None
