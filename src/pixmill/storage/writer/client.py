"""Has files written by the process at the other end of a connection."""

import os
import signal
import socket
from collections.abc import Callable, Sequence

import msgspec

from pixmill.core.phases import Phases
from pixmill.storage.entry import FileVersion
from pixmill.storage.writer.files import NewFile, Writer
from pixmill.storage.writer.messages import MAX_MESSAGE, FileRequest, WriteReply, WriteRequest


class WriterClient(Writer):
    """Sends files to a writer process. One thread at a time may use it."""

    def __init__(self, connection: socket.socket) -> None:
        """Write by way of ``connection``."""
        self._connection = connection
        self._number = 0
        self._replies: dict[int, WriteReply] = {}

    def write(self, files: Sequence[NewFile], *, durable: bool, on_sync: Callable[[], None]) -> Phases[list[FileVersion]]:
        """Send ``files`` in the first phase, and wait for the reply in the second: several requests are written together."""
        self._number += 1
        request = WriteRequest(self._number, durable, tuple(map(FileRequest.of, files)))
        self._send(msgspec.msgpack.encode(request), files)
        if durable:
            on_sync()
        yield
        reply = self._receive(request.number)
        if reply.failure:
            raise reply.failure.error()
        return list(reply.versions)

    def _send(self, message: bytes, files: Sequence[NewFile]) -> None:
        content = os.memfd_create("output", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            for file in files:
                remainder = memoryview(file.data)
                while remainder:
                    remainder = remainder[os.write(content, remainder) :]
            socket.send_fds(self._connection, [message], [content])
        except (BrokenPipeError, ConnectionResetError):
            _wait_for_the_end()
        finally:
            os.close(content)

    def _receive(self, number: int) -> WriteReply:
        while number not in self._replies:
            try:
                message = self._connection.recv(MAX_MESSAGE)
            except ConnectionResetError:
                message = b""
            if not message:
                _wait_for_the_end()
            reply = msgspec.msgpack.decode(message, type=WriteReply)
            self._replies[reply.number] = reply
        return self._replies.pop(number)


def _wait_for_the_end() -> None:
    """Wait until this process is killed, since its writer died: an error now would be taken for one of the image."""
    while True:
        signal.pause()
