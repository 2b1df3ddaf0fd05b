"""Has files written by the process at the other end of a connection."""

import os
import socket
from collections.abc import Callable, Sequence
from typing import NoReturn

import msgspec

from pixmill.core.phases import Phases
from pixmill.storage.entry import FileVersion
from pixmill.storage.writer.files import NewFile, Writer
from pixmill.storage.writer.messages import HEADER, MAX_REPLY, FileRequest, WriterReply, WriterRequest


class WriterClient(Writer):
    """Sends files to a writer process. One thread at a time may use it."""

    def __init__(self, connection: socket.socket, *, on_lost: Callable[[], NoReturn]) -> None:
        """Write by way of ``connection``. ``on_lost`` is called when the writer has died, and does not return."""
        self._connection = connection
        self._on_lost = on_lost
        self._number = 0
        self._waiting: dict[int, tuple[WriterRequest, Sequence[NewFile]]] = {}  # what is not sent yet
        self._replies: dict[int, WriterReply] = {}

    def write(self, files: Sequence[NewFile], *, durable: bool, on_sync: Callable[[], None]) -> Phases[list[FileVersion]]:
        """Have ``files`` written, together with all those whose first phase has run before the second one of any."""
        self._number += 1
        number = self._number
        self._waiting[number] = WriterRequest(number, durable, tuple(map(FileRequest.of, files))), files
        if durable:
            on_sync()
        try:
            yield
        except GeneratorExit:
            self._waiting.pop(number, None)
            raise
        if number in self._waiting:
            self._send()
        reply = self._receive(number)
        if reply.failure:
            raise reply.failure.error()
        return list(reply.versions)

    def _send(self) -> None:
        """Send all that waits."""
        waiting, self._waiting = self._waiting.values(), {}
        requests = msgspec.msgpack.encode([request for request, _ in waiting])
        packet = os.memfd_create("outputs", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            _write(packet, requests)
            for _, files in waiting:
                for file in files:
                    _write(packet, file.data)
            socket.send_fds(self._connection, [HEADER.pack(len(requests))], [packet])
        except (BrokenPipeError, ConnectionResetError):
            self._on_lost()
        finally:
            os.close(packet)

    def _receive(self, number: int) -> WriterReply:
        while number not in self._replies:
            try:
                message = self._connection.recv(MAX_REPLY)
            except ConnectionResetError:
                message = b""
            if not message:
                self._on_lost()
            self._replies |= {reply.number: reply for reply in msgspec.msgpack.decode(message, type=list[WriterReply])}
        return self._replies.pop(number)


def _write(descriptor: int, data: bytes | memoryview) -> None:
    remainder = memoryview(data)
    while remainder:
        remainder = remainder[os.write(descriptor, remainder) :]
